"""Functions that look without changing anything."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from lab.plugins.provider.values import Secret, Value
from tests.conformance.harness import Plugin, RefusedError, running_plugin
from tests.conformance.vault.conftest import PrivateVault

SECRET = "vault:generic/getSecret:getSecret"
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


def data_of(result: dict[str, Value]) -> Any:
    data = result["dataJson"]
    assert isinstance(data, Secret)
    return json.loads(str(data.value))


class TestGetSecret:
    def test_what_is_at_a_path(self, plugin: Plugin, vault: PrivateVault, path: str) -> None:
        vault.client.sys.enable_secrets_engine("kv", path=path)
        vault.client.write(f"{path}/one", text="plain", number=1, several=["a", "b"])

        result = plugin.invoke(SECRET, {"path": f"{path}/one"})

        # An engine of version 1 answers with everything as it was written, numbers as text.
        assert data_of(result) == {"text": "plain", "number": 1, "several": ["a", "b"]}
        assert result["data"] == Secret({"text": "plain", "number": "1", "several": '["a","b"]'})
        started = result.pop("leaseStartTime")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(started))
        assert {name: result[name] for name in result.keys() - {"data", "dataJson"}} == {
            "id": f"{path}/one",
            "path": f"{path}/one",
            "version": -1,
            "withLeaseStartTime": True,
            "leaseId": "",
            "leaseDuration": 2764800,
            "leaseRenewable": False,
            "namespace": None,
        }

    def test_without_the_time(self, plugin: Plugin) -> None:
        result = plugin.invoke(SECRET, {"path": "sys/mounts", "withLeaseStartTime": False})
        assert result["leaseStartTime"] is None

    def test_the_systems_own_paths(self, plugin: Plugin, vault: PrivateVault, path: str) -> None:
        vault.client.sys.enable_secrets_engine("pki", path=path)
        assert data_of(plugin.invoke(SECRET, {"path": "sys/mounts"}))[f"{path}/"]["type"] == "pki"
        assert "token/" in data_of(plugin.invoke(SECRET, {"path": "sys/auth"}))

    @pytest.mark.parametrize("missing", ["sys/policies/acl/nobody", "nowhere/at/all"])
    def test_what_is_missing(self, plugin: Plugin, missing: str) -> None:
        with pytest.raises(RefusedError) as refusal:
            plugin.invoke(SECRET, {"path": missing})
        assert str(refusal.value) == f'no secret found at "{missing}"'

    def test_what_is_forbidden_looks_missing(self, limited: Plugin) -> None:
        with pytest.raises(RefusedError, match='no secret found at "sys/policies/acl/default"'):
            limited.invoke(SECRET, {"path": "sys/policies/acl/default"})
        assert data_of(limited.invoke(SECRET, {"path": "auth/token/lookup-self"}))["policies"]

    def test_an_engine_with_versions_is_refused(
        self, plugin: Plugin, vault: PrivateVault, path: str
    ) -> None:
        vault.client.sys.enable_secrets_engine("kv", path=path, options={"version": "2"})
        with pytest.raises(
            RefusedError, match="version 2, which the lab's own vault plugin does not"
        ):
            plugin.invoke(SECRET, {"path": f"{path}/one"})


class TestGetAuthBackendRole:
    @pytest.fixture
    def mounted(self, vault: PrivateVault, path: str) -> str:
        vault.client.sys.enable_auth_method("kubernetes", path=path)
        vault.client.write(
            f"auth/{path}/role/agent",
            bound_service_account_names=["istiod", "agent"],
            bound_service_account_namespaces="istio-system",
            token_policies="one",
            token_ttl="1h",
        )
        return path

    def test_a_role(self, plugin: Plugin, mounted: str) -> None:
        result = plugin.invoke(ROLE, {"backend": f"/{mounted}/", "roleName": "agent"})

        assert result["id"] == f"auth/{mounted}/role/agent"
        assert result["boundServiceAccountNames"] == ["agent", "istiod"]
        assert result["boundServiceAccountNamespaces"] == ["istio-system"]
        assert (result["tokenPolicies"], result["tokenTtl"]) == (["one"], 3600)

    @pytest.mark.parametrize("backend", ["{mounted}", "nowhere"])
    def test_one_that_is_missing(self, plugin: Plugin, mounted: str, backend: str) -> None:
        arguments: dict[str, Value] = {
            "backend": backend.format(mounted=mounted),
            "roleName": "nobody",
        }
        result = plugin.invoke(ROLE, arguments)
        assert result["id"] == "-"
        assert result["boundServiceAccountNames"] is None

    def test_one_that_is_forbidden(self, limited: Plugin, mounted: str) -> None:
        with pytest.raises(RefusedError) as refusal:
            limited.invoke(ROLE, {"backend": mounted, "roleName": "agent"})
        assert str(refusal.value).startswith("error reading Kubernetes auth backend role")
        assert "permission denied" in str(refusal.value)
