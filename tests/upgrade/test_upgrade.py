"""A stack that the previous release has made goes on with today's program without a replacement."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.stack import configuration_file
from tests.commands import run_command
from tests.program.inventory import take_inventory
from tests.program.program import Program

from .conftest import CLUSTERS

pytestmark = pytest.mark.soak  # a lab of its own

GENTLE = {"same", "read", "update", "refresh"}


def ungentle(preview: str) -> dict[str, str]:
    """What `up` would replace, delete or make anew of that stack: operation, by URN."""
    steps: list[dict[str, Any]] = json.loads(preview)["steps"]
    return {step["urn"]: step["op"] for step in steps if step["op"] not in GENTLE}


def changed(preview: str) -> set[str]:
    """Names of the resources that `up` would change in place."""
    steps: list[dict[str, Any]] = json.loads(preview)["steps"]
    return {step["urn"].rsplit("::", 1)[-1] for step in steps if step["op"] == "update"}


def test_the_preview_replaces_nothing(made_by_the_release: Program) -> None:
    assert ungentle(made_by_the_release.run("preview", "--json")) == {}


@dataclass(frozen=True)
class NewVersion:
    """Today's components with one change, and what the test above has to say of it."""

    module: str
    right: str
    instead: str
    ungentle: dict[str, str]
    """Operation, by the resource's name."""
    others: frozenset[str] = frozenset()
    """Names of resources that it changes gently."""


NEW_VERSIONS = {
    "the root's key has another name": NewVersion(
        "root_ca.py",
        'f"{name}-key"',
        'f"{name}-private-key"',
        {
            "root-private-key": "create",
            "root-key": "delete",
            "root-certificate": "replace",
            "root-pki-import": "replace",
        },
    ),
    "a role that a binding may not change": NewVersion(
        "agent_rbac.py",
        'kind="ClusterRole", name=role.metadata.name',
        'kind="ClusterRole", name=f"{role_name}-of-istio"',
        {f"{cluster}-rbac-agent-binding": "replace" for cluster in CLUSTERS[1:]},
    ),
    "another description": NewVersion(
        "intermediate_pki.py",
        "Intermediate CA requests of",
        "Requests of",
        {},
        frozenset(f"{cluster}-intermediate-mount" for cluster in CLUSTERS[1:]),
    ),
}


@pytest.mark.parametrize("version", NEW_VERSIONS.values(), ids=NEW_VERSIONS)
def test_a_replacement_is_seen_by_that(
    lab: Lab, made_by_the_release: Program, tmp_path: Path, version: NewVersion
) -> None:
    """The control: new versions whose previews succeed, and would take things away or would not."""
    assert made_by_the_release.deployed
    package = tmp_path / "mesh_trust"
    shutil.copytree(CHECKOUT / "components" / "mesh_trust", package)
    module = package / version.module
    content = module.read_text()
    assert content.count(version.right) == 1
    module.write_text(content.replace(version.right, version.instead))

    done = run_command(
        [
            *(lab.directory.engine / "pulumi", "preview", "--json", "--non-interactive"),
            *("--stack", "dev", "--config-file", configuration_file(lab.directory)),
        ],
        CHECKOUT,
        {**lab.environment(), "PYTHONPATH": str(tmp_path)},
    )

    assert done.returncode == 0, done.stdout
    told = {urn.rsplit("::", 1)[-1]: op for urn, op in ungentle(done.stdout).items()}
    assert told == version.ungentle
    assert version.others <= changed(done.stdout)


def test_the_update_keeps_what_is_there(lab: Lab, made_by_the_release: Program) -> None:
    before = take_inventory(lab, CLUSTERS)
    assert {"mount pki/", "issuers of pki/", "auth kube-east-mesh-auth/"} <= before.names()
    root = made_by_the_release.outputs()["rootCertificate"]

    made_by_the_release.up()

    after = take_inventory(lab, CLUSTERS)
    assert {name: after.vault[name] for name in before.vault} == before.vault
    assert before.names() - after.names() == set()
    assert made_by_the_release.outputs()["rootCertificate"] == root
    made_by_the_release.run("preview", "--refresh", "--expect-no-changes")
