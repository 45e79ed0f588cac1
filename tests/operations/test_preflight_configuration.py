"""A configuration that cannot be used, or a root that cannot: all of it is said, and more."""

from pathlib import Path

import pytest
import yaml

from lab.lab import Lab
from tests.certificates import certificate_faults, key_pem, make
from tests.program.alias import with_alias
from tests.program.program import Program, clusters

from .command import MeshTrust
from .looked import preflight
from .test_preflight_clusters import WEST, configured, of_east

FAULTS = certificate_faults()
CONFIGURATION, CONTEXTS, ROOT = (
    (check, "stack") for check in ("configuration", "contexts", "root")
)


def test_all_problems_are_said_and_the_servers_looked_at(
    undeployed: Program, mesh_trust: MeshTrust
) -> None:
    wrong = {
        "tokenTtlSeconds": 1,
        "policy": "none",
        "clusters": [*clusters("west"), {"name": "Nord", "context": "n_orth"}],
        "rootLifetimeDays": 0,
    }
    with configured(undeployed, **wrong):
        told = preflight(mesh_trust)
    failed = [each for each in told.findings if each["state"] == "failed"]
    assert told.those("failed") == {CONFIGURATION, CONTEXTS, ROOT}
    fields = [each["seen"].partition(": ")[0] for each in failed]
    for field in ("tokenTtlSeconds", "policy", "clusters[1].name", "rootLifetimeDays"):
        assert field in fields
    assert any("'n_orth' is not valid" in each["seen"] for each in failed)
    assert all(each["fix"] for each in failed)
    # What can be looked at is.
    assert ("istiod-patch", WEST) in told.those("ok")
    assert ("vault-permissions", "Vault") in told.those("ok")
    assert ("gloo-workspaces", "cluster management") in told.those("ok")


def test_a_context_with_an_underscore(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    (east,) = (each for each in document["contexts"] if each["name"] == "east")
    document["contexts"].append({**east, "name": "ea_st"})
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    with configured(
        undeployed, kubeconfig=str(tmp_path / "kubeconfig"), clusters=of_east(context="ea_st")
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {CONTEXTS}
    assert "kubectl config rename-context ea_st ea-st" in told.of(*CONTEXTS)["fix"]


def test_one_cluster_under_two_addresses(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    with configured(
        undeployed,
        kubeconfig=str(with_alias(lab, tmp_path)),
        clusters=[*clusters("east"), {"name": "west", "context": "alias"}],
    ):
        told = preflight(mesh_trust)
    assert told.those("failed") == {("clusters-apart", "stack")}
    assert "it leads to the cluster of east" in told.of("clusters-apart", "stack")["fix"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [("not a CA", "not marked for CA use"), ("sound", "")],
)
def test_a_root_that_is_brought(
    undeployed: Program, mesh_trust: MeshTrust, fault: str, said: str
) -> None:
    made = make() if fault == "sound" else FAULTS[fault]
    root = {"rootSource": "imported", "rootOrganization": ""}
    with configured(undeployed, rootCertificate=made.certificate_pem, **root):
        undeployed.configure_secret("rootPrivateKey", made.private_key_pem)
        told = preflight(mesh_trust)
    assert told.those("failed") == (set() if fault == "sound" else {ROOT})
    assert said in told.of(*ROOT)["seen"] + str(told.of(*ROOT)["fix"])


def test_a_key_that_is_anothers(undeployed: Program, mesh_trust: MeshTrust) -> None:
    root = {"rootSource": "imported", "rootOrganization": ""}
    with configured(undeployed, rootCertificate=make().certificate_pem, **root):
        undeployed.configure_secret("rootPrivateKey", canary := key_pem(make().key))
        told = preflight(mesh_trust)
    assert told.those("failed") == {ROOT}
    assert "this is another's" in told.of(*ROOT)["fix"]
    assert canary.splitlines()[1] not in told.output + told.errors
