"""What is said of a Vault of another stack that does not answer."""

from collections.abc import Sequence
from typing import Any

import pytest

from mesh_trust.cluster_access import ClusterSilentError
from mesh_trust.environment.vault_servers import why_silent
from mesh_trust.settings import Connection
from mesh_trust.settings.vault_stack import InstalledVault

SERVICE = {"name": "vault-active", "namespace": "secrets"}
COMMAND = "`mesh-trust --stack prod-vault vault status` tells what each of its servers waits for"


def said(
    monkeypatch: pytest.MonkeyPatch,
    seen: Sequence[str] | Exception,
    service: dict[str, str] = SERVICE,
    *,
    knows_cluster: bool = True,
) -> str:
    """What is said where the cluster shows `seen`."""

    def look(_: object, namespace: str, name: str, command: str) -> Sequence[str]:
        assert (namespace, name, command) == ("secrets", "vault", "mesh-trust --stack prod-vault")
        if isinstance(seen, Exception):
            raise seen
        return seen

    monkeypatch.setattr("mesh_trust.environment.vault_servers.what_servers_wait_for", look)
    monkeypatch.setattr("mesh_trust.environment.vault_servers.ClusterAccess", lambda *_: None)
    installed = InstalledVault("prod-vault", "https://vault", None, None, service)
    made: Any = Connection
    return why_silent(installed, made("file", "mgmt", None) if knows_cluster else None)


def test_its_pods_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, ["it is sealed: run this"]) == "it is sealed: run this"


def test_where_they_cannot_be_seen_a_command_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, []) == COMMAND
    assert said(monkeypatch, ClusterSilentError("no answer")) == COMMAND
    assert said(monkeypatch, ["it is sealed"], knows_cluster=False) == COMMAND
    assert said(monkeypatch, ["it is sealed"], service={}) == COMMAND
