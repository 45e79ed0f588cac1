"""The function generic.getSecret, as the official plugin does it."""

import json
import re

import pytest

from lab.plugins.provider.values import Properties, Secret
from tests.conformance.harness import Plugin, RefusedError, running_plugin
from tests.private_vault import PrivateVault

GET_SECRET = "vault:generic/getSecret:getSecret"


def test_how_a_mount_is_tuned(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    config = {"default_lease_ttl": "24h", "max_lease_ttl": "48h"}
    vault.client.sys.enable_secrets_engine("pki", path=path, config=config)
    asked = f"sys/mounts/{path}/tune"
    result = plugin.invoke(GET_SECRET, {"path": asked, "withLeaseStartTime": False})
    data = result["data"]
    assert isinstance(data, Secret)
    assert isinstance(data.value, dict)
    # What is not text is given as JSON.
    assert data.value["default_lease_ttl"] == "86400"
    assert data.value["max_lease_ttl"] == "172800"
    assert data.value["force_no_cache"] == "false"
    whole = result["dataJson"]
    assert isinstance(whole, Secret)
    assert json.loads(str(whole.value))["max_lease_ttl"] == 172800
    assert (result["id"], result["path"]) == (asked, asked)
    assert (result["leaseId"], result["leaseDuration"], result["leaseRenewable"]) == ("", 0, False)
    assert result["leaseStartTime"] is None


def test_what_is_mounted(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    vault.client.sys.enable_secrets_engine("pki", path=path)
    for table, mounted in (("sys/mounts", f"{path}/"), ("sys/auth", "token/")):
        data = plugin.invoke(GET_SECRET, {"path": table})["data"]
        assert isinstance(data, Secret)
        assert isinstance(data.value, dict)
        assert mounted in data.value


def test_the_time_of_the_reading_is_told_by_default(
    plugin: Plugin, vault: PrivateVault, path: str
) -> None:
    vault.client.sys.enable_secrets_engine("kv", path=path, options={"version": "1"})
    vault.client.write_data(f"{path}/here", data={"word": "value"})
    result = plugin.invoke(GET_SECRET, {"path": f"{path}/here"})
    assert result["data"] == Secret({"word": "value"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(result["leaseStartTime"]))


def test_nothing_there_is_an_error(plugin: Plugin, path: str) -> None:
    with pytest.raises(RefusedError, match=rf'^no secret found at "sys/mounts/{path}/tune"|400'):
        plugin.invoke(GET_SECRET, {"path": f"sys/mounts/{path}/tune"})


def test_what_may_not_be_read_is_taken_for_missing(vault: PrivateVault) -> None:
    token = vault.client.auth.token.create(policies=["default"], ttl="5m")["auth"]["client_token"]
    with running_plugin("lab.plugins.vault") as plugin:
        configuration: Properties = {
            "address": vault.address,
            "token": token,
            "skipChildToken": "true",
        }
        plugin.configure(configuration)
        with pytest.raises(RefusedError, match=r'^no secret found at "sys/mounts/secret/tune"'):
            plugin.invoke(GET_SECRET, {"path": "sys/mounts/secret/tune"})


def test_versioned_key_values_are_refused_by_name(plugin: Plugin, vault: PrivateVault) -> None:
    vault.client.secrets.kv.v2.create_or_update_secret("here", {"word": "value"})
    with pytest.raises(RefusedError, match="secret/here is in a key-value engine of version 2"):
        plugin.invoke(GET_SECRET, {"path": "secret/here"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({}, '"path" is required'), ({"path": "x", "name": "y"}, "has no field 'name'")],
)
def test_wrong_arguments(plugin: Plugin, arguments: Properties, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        plugin.invoke(GET_SECRET, arguments)
