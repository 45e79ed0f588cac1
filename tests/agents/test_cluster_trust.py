"""The trust of a cluster whose agent has its permissions by the release of Gloo's agent."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.directory import CHECKOUT
from tests.conformance.kubernetes.server import Server
from tests.existing.conftest import OwnProgram
from tests.printed import commands_in, named_in
from tests.private_vault import PrivateVault

from .conftest import GlooMesh, write_values
from .test_agent_release import THEIRS

_DEFINITION = CHECKOUT / "lab" / "definitions" / "roottrustpolicies.yaml"
ROLE = "gen-int-ca-istio-east-mesh"


@pytest.fixture(scope="module", autouse=True)
def root_trust_policies(server: Server) -> None:
    """The cluster knows RootTrustPolicies."""
    server.create(yaml.safe_load(_DEFINITION.read_text()))
    server.await_kind("admin.gloo.solo.io/v2", "RootTrustPolicy")


@pytest.fixture
def on_vault(own: OwnProgram, vault: PrivateVault) -> Iterator[OwnProgram]:
    """The program, with a Vault in which somebody has made the cluster's policy already."""
    own.environment |= {"VAULT_ADDR": vault.address, "VAULT_TOKEN": vault.token}
    vault.client.sys.create_or_update_policy(ROLE, 'path "theirs" { capabilities = ["read"] }')
    yield own
    own.settings = {}
    own.run("destroy", "--yes", "--skip-preview")


def test_one_preview_names_what_is_in_vault_and_in_the_cluster(
    on_vault: OwnProgram,
    vault: PrivateVault,
    gloo_mesh: GlooMesh,
    server: Server,
    namespace: str,
    values_file: Path,
    repository: str,
    kubeconfig_path: Path,
) -> None:
    gloo_mesh.install("gloo-platform", "2.5.12", write_values(values_file, THEIRS["platform"]))
    on_vault.settings["trust"] = {
        "istio_revisions": ["1-20", "1-21"],
        "istio_namespace": namespace,
        "agent_permissions": {
            "by": "release",
            "release": {
                "chart_kind": "platform",
                "chart_version": "2.5.13",
                "repository": repository,
                "values": THEIRS["platform"],
                "kubeconfig": str(kubeconfig_path),
            },
        },
    }

    exit_code, output = on_vault.attempt("preview")
    assert exit_code != 0
    assert named_in(output) == {f"policy {ROLE}", "Helm release gloo-mesh/gloo-agent"}
    # The last command is for a RootTrustPolicy of the guide's, which is not there.
    for command in commands_in(output)[:-1]:
        on_vault.obey(command)
    on_vault.run("preview")
    on_vault.up()

    assert gloo_mesh.bound() == [(namespace, "istiod-1-20")]
    beside = server.find(
        "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "", "gloo-mesh-istiod-agent"
    )
    assert [each["name"] for each in beside["subjects"]] == ["istiod-1-21"]
    role = vault.client.read(f"auth/kube-east-mesh-auth/role/{ROLE}")["data"]
    assert role["bound_service_account_names"] == ["istiod-1-20", "istiod-1-21"]
    assert role["bound_service_account_namespaces"] == [namespace]
    on_vault.run("preview", "--expect-no-changes")
