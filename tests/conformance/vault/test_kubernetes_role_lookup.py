"""Looking up a role of Kubernetes auth, as the official plugin does it."""

from collections.abc import Iterator

import pytest

from lab.plugins.provider.values import Value
from tests.conformance.harness import Plugin, RefusedError, running_plugin
from tests.conformance.vault.conftest import PrivateVault

ROLE = "vault:kubernetes/getAuthBackendRole:getAuthBackendRole"


@pytest.fixture
def limited(vault: PrivateVault) -> Iterator[Plugin]:
    """A plugin whose token may look at nothing but itself, and have a child."""
    vault.client.sys.create_or_update_policy(
        "limited", 'path "auth/token/create" { capabilities = ["update"] }'
    )
    token = vault.client.auth.token.create(policies=["limited"], ttl="10m")
    with running_plugin("lab.plugins.vault") as running:
        running.configure({"address": vault.address, "token": token["auth"]["client_token"]})
        yield running


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    vault.client.sys.enable_auth_method("kubernetes", path=path)
    vault.client.write(
        f"auth/{path}/role/agent",
        bound_service_account_names=["istiod", "agent"],
        bound_service_account_namespaces="istio-system",
        token_policies="one",
        token_ttl="1h",
    )
    return path


def test_a_role(plugin: Plugin, mounted: str) -> None:
    result = plugin.invoke(ROLE, {"backend": f"/{mounted}/", "roleName": "agent"})

    assert result["id"] == f"auth/{mounted}/role/agent"
    assert result["boundServiceAccountNames"] == ["agent", "istiod"]
    assert result["boundServiceAccountNamespaces"] == ["istio-system"]
    assert (result["tokenPolicies"], result["tokenTtl"]) == (["one"], 3600)


@pytest.mark.parametrize("backend", ["{mounted}", "nowhere"])
def test_one_that_is_missing(plugin: Plugin, mounted: str, backend: str) -> None:
    arguments: dict[str, Value] = {
        "backend": backend.format(mounted=mounted),
        "roleName": "nobody",
    }
    result = plugin.invoke(ROLE, arguments)
    assert result["id"] == "-"
    assert result["boundServiceAccountNames"] is None


def test_one_that_is_forbidden(limited: Plugin, mounted: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        limited.invoke(ROLE, {"backend": mounted, "roleName": "agent"})
    assert str(refusal.value).startswith("error reading Kubernetes auth backend role")
    assert "permission denied" in str(refusal.value)
