"""A cluster is reached by a kubeconfig of its own, whose content may be a secret."""

import json

import pytest
import yaml

from lab.lab import Lab

from .inventory import take_inventory
from .program import Program, clusters


@pytest.mark.soak
def test_the_content_of_a_kubeconfig_as_a_secret(lab: Lab, deployed: Program) -> None:
    """The lab's kubeconfig holds the administrators' keys: canaries for all that is printed."""
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    keys = [
        value
        for user in document["users"]
        for name, value in user["user"].items()
        if name.endswith("key-data") or name == "token"
    ]
    assert len(keys) == len(document["users"])
    inventory = take_inventory(lab)
    deployed.configure(clusters=[*clusters("east"), {"name": "west"}])
    try:
        deployed.configure_secret("clusters[1].kubeconfig", json.dumps(document), path=True)
        assert deployed.configuration is not None
        printed = deployed.run("preview", "--diff")
        printed += deployed.up()
        assert deployed.steps() == {}
        assert take_inventory(lab).changes_since(inventory) == set()
        printed += json.dumps(deployed.state()) + json.dumps(deployed.outputs())
        assert all(key not in printed for key in keys)
        opened = json.dumps(deployed.state(show_secrets=True))
        assert all(key in opened for key in keys)
    finally:
        deployed.configure_as_committed()
        deployed.up()
