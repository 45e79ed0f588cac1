from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Secret
from tests.conformance.harness import Plugin, RefusedError, running_plugin
from tests.private_vault import PrivateVault

PROVIDER = "pulumi:providers:vault"
POLICY = "vault:index/policy:Policy"
TEXT = 'path "x" {\n  capabilities = ["read"]\n}\n'


@contextmanager
def configured(inputs: Properties, environment: dict[str, str] | None = None) -> Iterator[Plugin]:
    with running_plugin("lab.plugins.vault", environment) as plugin:
        plugin.configure(inputs)
        yield plugin


def child_tokens(client: Any, name: str) -> list[dict[str, object]]:
    accessors = client.list("auth/token/accessors")["data"]["keys"]
    tokens = [client.auth.token.lookup_accessor(accessor)["data"] for accessor in accessors]
    return [token for token in tokens if token["display_name"] == f"token-{name}"]


def test_what_it_tells_the_engine(plugin: Plugin) -> None:
    assert plugin.version() == "7.14.0"
    # As the official one: the engine marks what was secret in the inputs by itself.
    assert not plugin.handshake().accept_secrets


@pytest.mark.parametrize(
    "token", ["vault:index/token:Token", "vault:pkiSecret/secretBackendRole:SecretBackendRole"]
)
def test_an_unknown_type_is_refused_by_name(plugin: Plugin, token: str) -> None:
    with pytest.raises(RefusedError, match=rf"^{token} is not known .* official vault plugin"):
        plugin.check(token, {})


def test_an_unknown_function_is_refused_by_name(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match=r"^vault:index/getAuthBackend:getAuthBackend is not"):
        plugin.invoke("vault:index/getAuthBackend:getAuthBackend", {})


def test_configuration_that_is_let_through(plugin: Plugin) -> None:
    inputs: Properties = {
        "address": "https://vault:8200",
        "token": Secret("root"),
        "tokenName": "mesh",
        "caCertFile": "/ca.pem",
        "caCertDir": "/ca",
        "namespace": "team",
        "maxLeaseTtlSeconds": "1200",
        "maxRetries": "2",
        "skipChildToken": "true",
        "skipTlsVerify": "false",
        "skipGetVaultVersion": "false",
        "setNamespaceFromToken": "true",
        "vaultVersionOverride": "1.13.1",
        "version": "7.14.0",
    }
    checked = plugin.check_config(PROVIDER, inputs)
    assert checked.failures == []
    assert checked.inputs == inputs


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        ({"adress": "x"}, "adress", "has no field 'adress'"),
        ({"authLogin": "{}"}, "authLogin", "has no field 'authLogin'"),
        ({"skipChildToken": "yes"}, "skipChildToken", "must be true or false"),
        ({"maxLeaseTtlSeconds": "1h"}, "maxLeaseTtlSeconds", "must be an integer"),
        ({"maxRetries": "true"}, "maxRetries", "must be an integer"),
    ],
)
def test_configuration_that_is_refused_by_name(
    plugin: Plugin, inputs: Properties, name: str, words: str
) -> None:
    ((found_name, reason),) = plugin.check_config(PROVIDER, inputs).failures
    assert found_name == name
    assert words in reason


def test_no_change_of_the_configuration_replaces_the_provider(plugin: Plugin) -> None:
    old: Properties = {"address": "http://a", "namespace": "team"}
    new: Properties = {"address": "http://b", "token": "root"}
    difference = plugin.diff_config(PROVIDER, old, new)
    assert difference.detailed == {"address": "UPDATE", "namespace": "DELETE", "token": "ADD"}
    assert difference.replaces == []
    assert not plugin.diff_config(PROVIDER, old, old).changes


def test_it_works_with_a_child_token_that_expires(vault: PrivateVault, path: str) -> None:
    inputs: Properties = {
        "address": vault.address,
        "token": vault.token,
        "tokenName": path,
        "maxLeaseTtlSeconds": "300",
    }
    with configured(inputs) as plugin:
        assert child_tokens(vault.client, path) == []
        plugin.create(POLICY, {"name": path, "policy": TEXT})
        plugin.create(POLICY, {"name": f"{path}-2", "policy": TEXT})
        (child,) = child_tokens(vault.client, path)
        assert child["explicit_max_ttl"] == 300
        assert child["renewable"] is False
        assert child["policies"] == ["root"]


def test_it_works_with_the_token_itself(vault: PrivateVault, path: str) -> None:
    inputs: Properties = {
        "address": vault.address,
        "token": vault.token,
        "tokenName": path,
        "skipChildToken": "true",
    }
    with configured(inputs) as plugin:
        plugin.create(POLICY, {"name": path, "policy": TEXT})
    assert child_tokens(vault.client, path) == []


def test_the_environment_stands_in(vault: PrivateVault, path: str) -> None:
    environment = {
        "VAULT_ADDR": vault.address,
        "VAULT_TOKEN": vault.token,
        "VAULT_TOKEN_NAME": path,
        "TERRAFORM_VAULT_MAX_TTL": "120",
    }
    with configured({}, environment) as plugin:
        plugin.create(POLICY, {"name": path, "policy": TEXT})
        assert [child["explicit_max_ttl"] for child in child_tokens(vault.client, path)] == [120]


def test_the_command_line_s_token_file_stands_in(
    vault: PrivateVault, path: str, tmp_path: Path
) -> None:
    (tmp_path / ".vault-token").write_text(f"{vault.token}\n")
    with configured({"address": vault.address}, {"HOME": str(tmp_path)}) as plugin:
        plugin.create(POLICY, {"name": path, "policy": TEXT})
    assert vault.client.sys.read_acl_policy(path)["data"]["policy"] == TEXT


def test_a_preview_with_unknown_configuration_needs_no_vault() -> None:
    with configured({"address": UNKNOWN, "token": Secret("root")}) as plugin:
        planned = plugin.create(POLICY, {"name": "agent", "policy": TEXT}, preview=True)
        assert planned.state["name"] == "agent"
        with pytest.raises(RefusedError, match="configuration is not known yet"):
            plugin.create(POLICY, {"name": "agent", "policy": TEXT})


@pytest.mark.parametrize(
    ("inputs", "environment", "words"),
    [
        ({"token": "t"}, {}, "failed to configure Vault address"),
        ({"address": "http://127.0.0.1:1"}, {}, "no vault token set on Client"),
        (
            {"address": "http://127.0.0.1:1", "token": "t"},
            {"VAULT_TLS_SERVER_NAME": "vault"},
            "VAULT_TLS_SERVER_NAME is set",
        ),
    ],
)
def test_a_configuration_that_cannot_work(
    inputs: Properties, environment: dict[str, str], words: str
) -> None:
    with (
        running_plugin("lab.plugins.vault", environment) as plugin,
        pytest.raises(RefusedError, match=words),
    ):
        plugin.configure(inputs)


def test_a_vault_that_is_not_there() -> None:
    inputs: Properties = {"address": "http://127.0.0.1:1", "token": "s3cr3t", "maxRetries": "1"}
    with (
        configured(inputs) as plugin,
        pytest.raises(RefusedError, match=r"cannot reach Vault at http://127\.0\.0\.1:1: ") as no,
    ):
        plugin.create(POLICY, {"name": "agent", "policy": TEXT})
    assert "s3cr3t" not in str(no.value)


def test_a_token_that_vault_does_not_know(vault: PrivateVault) -> None:
    with (
        configured({"address": vault.address, "token": "s3cr3t"}) as plugin,
        pytest.raises(RefusedError, match=r"^failed to lookup token, .* 403\. Errors: ") as no,
    ):
        plugin.create(POLICY, {"name": "agent", "policy": TEXT})
    assert "s3cr3t" not in str(no.value)


def test_a_token_that_may_not_make_a_child(vault: PrivateVault, path: str) -> None:
    batch = vault.client.auth.token.create(policies=["default"], type="batch", ttl="5m")
    inputs: Properties = {"address": vault.address, "token": batch["auth"]["client_token"]}
    with (
        configured(inputs) as plugin,
        pytest.raises(RefusedError, match=r"^failed to create limited child token: "),
    ):
        plugin.create(POLICY, {"name": path, "policy": TEXT})


def test_a_newer_feature_of_vault_is_refused_where_the_version_is_too_old(
    vault: PrivateVault, path: str
) -> None:
    inputs: Properties = {
        "address": vault.address,
        "token": vault.token,
        "vaultVersionOverride": "1.10.0",
    }
    token = "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers"
    with (
        configured(inputs) as plugin,
        pytest.raises(RefusedError, match=r"required=1\.11.*current vault version=1\.10\.0"),
    ):
        plugin.create(token, {"backend": path})


def test_a_server_is_verified_unless_told_otherwise(
    vault_over_tls: tuple[PrivateVault, Path], path: str
) -> None:
    vault, ca = vault_over_tls
    inputs: Properties = {"address": vault.address, "token": vault.token, "maxRetries": "1"}
    policy: Properties = {"name": path, "policy": TEXT}
    with (
        configured(inputs) as plugin,
        pytest.raises(RefusedError, match="certificate verify failed"),
    ):
        plugin.create(POLICY, policy)
    for trusted in ({"caCertFile": str(ca)}, {"skipTlsVerify": "true"}):
        with configured({**inputs, **trusted}) as plugin:
            plugin.create(POLICY, policy)
    with configured(inputs, {"VAULT_CACERT": str(ca)}) as plugin:
        assert plugin.import_(POLICY, path) is not None
