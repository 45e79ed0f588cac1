"""The client beside the provider: how it finds its cluster, and what it says when it does not."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.cluster_errors import ClusterSilentError, UnusableAccessError
from tests.conformance.kubernetes.conftest import CLUSTER

from .installed import InstalledVault


@pytest.fixture
def uid(installed: InstalledVault) -> str:
    """What tells the cluster apart."""
    return str(installed.core.read_namespace("kube-system").metadata.uid)


@pytest.fixture
def document(kubeconfig_path: Path) -> dict[str, Any]:
    """The administrator's kubeconfig, to be changed."""
    content: dict[str, Any] = yaml.safe_load(kubeconfig_path.read_text())
    return content


def test_a_path_with_and_without_a_context(kubeconfig_path: Path, uid: str) -> None:
    ClusterAccess(str(kubeconfig_path), CLUSTER).require_identity(uid)
    access = ClusterAccess(str(kubeconfig_path), None)
    access.require_identity(uid)
    assert (access.kubectl, access.helm) == ("kubectl", "helm")


@pytest.mark.parametrize("render", [yaml.safe_dump, json.dumps])
def test_the_content_of_a_kubeconfig(document: dict[str, Any], uid: str, render: Any) -> None:
    ClusterAccess(render(document), CLUSTER).require_identity(uid)


def test_the_shells_own_kubeconfig(
    kubeconfig_path: Path, uid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = kubeconfig_path.parent
    monkeypatch.setenv("HOME", str(home))
    ClusterAccess(f"~/{kubeconfig_path.name}", CLUSTER).require_identity(uid)

    # Several are merged, as kubectl does; in a pod they go before the pod's own account.
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("KUBECONFIG", f"/absent:{kubeconfig_path}")
    ClusterAccess(None, CLUSTER).require_identity(uid)


def test_a_shell_without_a_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(UnusableAccessError, match=r"^kubeconfig: '~/\.kube/config' is not valid"):
        ClusterAccess(None, None)

    # Where there is a pod around the program, its account counts; here it has no files.
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(UnusableAccessError, match=r"Service token file does not exist"):
        ClusterAccess(None, None)


def test_a_context_that_a_shell_would_split(document: dict[str, Any], uid: str) -> None:
    document["contexts"][0]["name"] = "the admin@cluster"

    access = ClusterAccess(yaml.safe_dump(document), "the admin@cluster")

    access.require_identity(uid)
    assert access.kubectl == "kubectl --context 'the admin@cluster'"
    assert access.helm == "helm --kube-context 'the admin@cluster'"


def test_another_cluster(kubeconfig_path: Path, document: dict[str, Any]) -> None:
    server = document["clusters"][0]["cluster"]["server"]

    with pytest.raises(UnusableAccessError, match=f"^context: '{server}' is not valid; name the "):
        ClusterAccess(str(kubeconfig_path), CLUSTER).require_identity("that of another one")


@pytest.mark.parametrize(
    ("kubeconfig", "context", "message"),
    [
        ("/absent", None, "^kubeconfig: '/absent' .*has a current context"),
        ("/dev/null", None, "^kubeconfig: '/dev/null' .*has a current context"),
        ("{}", None, "^kubeconfig: '…' .*has a current context"),
        ("users: [hush\n", None, "^kubeconfig: '…' .*the YAML of a kubeconfig$"),
        ("- hush\n", None, "^kubeconfig: '…' .*has a current context"),
    ],
)
def test_a_kubeconfig_that_cannot_be_used(
    kubeconfig: str, context: str | None, message: str
) -> None:
    with pytest.raises(UnusableAccessError, match=message) as refused:
        ClusterAccess(kubeconfig, context)
    assert "hush" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_context_that_is_not_there(kubeconfig_path: Path) -> None:
    with pytest.raises(UnusableAccessError, match=r"^kubeconfig: .*has context mgmt "):
        ClusterAccess(str(kubeconfig_path), "mgmt")


def test_a_user_who_may_not_look(
    installed: InstalledVault, document: dict[str, Any], uid: str
) -> None:
    account = installed.core.create_namespaced_service_account(
        installed.namespace, {"metadata": {"name": "nobody"}}
    )
    token = installed.core.create_namespaced_service_account_token(
        account.metadata.name, installed.namespace, {"spec": {}}
    ).status.token
    for user in document["users"]:
        user["user"] = {"token": token}
    access = ClusterAccess(yaml.safe_dump(document), CLUSTER)

    with pytest.raises(
        pulumi.RunError, match=r'namespaces "kube-system" is forbidden: User "system:'
    ):
        access.require_identity(uid)
    with pytest.raises(pulumi.RunError, match=r"the right to read pods, their logs") as refused:
        access.stateful_set(installed.namespace, "vault")
    assert token not in str(refused.value)
    for user in document["users"]:
        user["user"] = {"token": "wrong"}
    with pytest.raises(pulumi.RunError, match=r"refuses to be read: Unauthorized; give the user"):
        ClusterAccess(yaml.safe_dump(document), CLUSTER).pod(installed.namespace, "vault-0")


def test_a_server_that_does_not_answer(document: dict[str, Any]) -> None:
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    access = ClusterAccess(yaml.safe_dump(document), CLUSTER)

    with pytest.raises(ClusterSilentError, match=r"^its API server does not answer \(.*refused"):
        access.service("default", "vault")
    with pytest.raises(pulumi.RunError, match=r"^the cluster of the kubeconfig is not there: its"):
        access.require_identity("…")


def test_what_is_not_there_is_none(access: ClusterAccess) -> None:
    assert access.stateful_set("default", "absent") is None
    assert access.pod("default", "absent") is None
    assert access.service("default", "absent") is None
    assert access.claim("default", "absent") is None
    assert access.log("default", "absent", "vault", previous=True) == ""
    assert access.last_warning("default", "absent") is None
