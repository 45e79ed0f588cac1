"""The example of an environment for production, on real servers."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.workload_clusters import istiod_deployment

from .inventory import kubernetes_client, take_inventory
from .program import Program
from .test_trust_policies import gloo_that_says, policies
from .token_policy import further_rules, limited_token, readme_rules

CLUSTERS = {
    "management-admin": "mgmt",
    "eu-west-1-admin": "east",
    "us-east-1-admin": "west",
}
"""The example's contexts, and the lab's clusters that stand for them."""


@pytest.fixture
def undeployed(program: Program) -> Iterator[Program]:
    program.destroy()
    yield program
    program.configure_as_committed()
    program.run("state", "unprotect", "--all", "--yes")
    program.destroy()


@pytest.fixture
def istiods(lab: Lab) -> Iterator[None]:
    """The istiods that the example names, in both clusters."""
    names = ("istiod-1-20", "istiod-1-21")
    apis: list[Any] = [
        client.AppsV1Api(kubernetes_client(lab, cluster)) for cluster in ("east", "west")
    ]
    for api in apis:
        for name in names:
            deployment = istiod_deployment(replicas=0)
            deployment["metadata"]["name"] = name
            api.create_namespaced_deployment("istio-system", deployment)
    yield
    for api in apis:
        for name in names:
            api.delete_namespaced_deployment(name, "istio-system")


def example(lab: Lab, folder: Path) -> dict[str, Any]:
    """The example's values, with the lab's addresses and files in place of those made up."""
    config = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())["config"]
    values = {key.removeprefix("mesh-trust:"): value for key, value in config.items()}
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    for context in document["contexts"]:
        renamed = {cluster: name for name, cluster in CLUSTERS.items()}
        context["name"] = renamed.get(context["name"], context["name"])
    (folder / "kubeconfig").write_text(yaml.safe_dump(document))
    west = next(each["cluster"] for each in document["clusters"] if each["name"] == "west")
    (folder / "west.pem").write_bytes(base64.b64decode(west["certificate-authority-data"]))
    values["kubeconfig"] = str(folder / "kubeconfig")
    values["vaultAddress"] = lab.environment()["VAULT_ADDR"]
    values["vaultCaFile"] = lab.environment()["VAULT_CACERT"]
    values["clusters"][1]["kubernetesHost"] = west["server"]
    values["clusters"][1]["kubernetesCaFile"] = str(folder / "west.pem")
    return values


@pytest.mark.usefixtures("istiods")
def test_the_example_for_production(lab: Lab, undeployed: Program, tmp_path: Path) -> None:
    before = take_inventory(lab)
    committed = yaml.safe_load((lab.directory.project / "Pulumi.dev.yaml").read_text())["config"]
    values = example(lab, tmp_path)
    ours = {key.removeprefix("mesh-trust:") for key in committed}
    undeployed.configure(**dict.fromkeys(ours - values.keys()), **values)
    undeployed.deployed = True
    # The page names a single cluster, `east`.
    policy = readme_rules() + [
        rule.replace("pki_east/", f"pki_{cluster['name']}/")
        for rule in further_rules("signingCa: cluster")
        for cluster in values["clusters"]
    ]
    with limited_token(undeployed, policy), gloo_that_says(lab, "mgmt", "ACCEPTED"):
        # Without any of its levels lowered.
        undeployed.run("up", "--yes", "--skip-preview", "--policy-pack", "policy")
        assert undeployed.steps() == {}
    assert set(policies(lab, "mgmt")) == {"eu-west-1", "us-east-1"}
    assert set(undeployed.outputs()["clusters"]) == {"eu-west-1", "us-east-1"}
    apps: Any = client.AppsV1Api(kubernetes_client(lab, "west"))
    for name in ("istiod-1-20", "istiod-1-21"):
        template = apps.read_namespaced_deployment(name, "istio-system").spec.template
        (_, agent) = template.spec.containers
        assert agent.image == "gcr.io/gloo-mesh/gloo-mesh-istiod-agent:2.5.13"

    undeployed.run("state", "unprotect", "--all", "--yes")
    undeployed.destroy()
    assert take_inventory(lab).changes_since(before) == set()
