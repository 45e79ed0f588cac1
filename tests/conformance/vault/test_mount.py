from dataclasses import replace

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

MOUNT = "vault:index/mount:Mount"
TEN_YEARS = 3650 * 24 * 3600


@pytest.fixture
def inputs(path: str) -> Properties:
    return {
        "path": path,
        "type": "pki",
        "description": "root",
        "defaultLeaseTtlSeconds": TEN_YEARS,
        "maxLeaseTtlSeconds": TEN_YEARS,
    }


def test_create_and_read_back(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    found = vault.client.sys.read_mount_configuration(path)["data"]
    entry = vault.client.sys.list_mounted_secrets_engines()["data"][f"{path}/"]
    assert (found["default_lease_ttl"], found["max_lease_ttl"]) == (TEN_YEARS, TEN_YEARS)
    assert (entry["type"], entry["description"]) == ("pki", "root")
    assert mount.id == path
    assert mount.inputs == {**inputs, "__defaults": []}
    assert mount.state == {
        **inputs,
        "id": path,
        "accessor": entry["accessor"],
        "allowedManagedKeys": None,
        "allowedResponseHeaders": None,
        "auditNonHmacRequestKeys": [],
        "auditNonHmacResponseKeys": [],
        "delegatedAuthAccessors": None,
        "externalEntropyAccess": False,
        "forceNoCache": False,
        "identityTokenKey": "",
        "listingVisibility": "",
        "local": False,
        "namespace": None,
        "options": None,
        "passthroughRequestHeaders": None,
        "pluginVersion": None,
        "sealWrap": False,
    }
    read = plugin.read(mount)
    assert read is not None
    assert (read.state, read.inputs) == (mount.state, inputs)


def test_the_same_inputs_are_no_change(plugin: Plugin, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    difference = plugin.diff(mount, inputs)
    assert not difference.changes
    assert difference.detailed == {}
    assert difference.stables == ["externalEntropyAccess", "local", "namespace", "sealWrap", "type"]


def test_ttls_left_out_stay_as_they_are(plugin: Plugin, path: str, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    assert not plugin.diff(mount, {"path": path, "type": "pki", "description": "root"}).changes


def test_update_in_place(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    new: Properties = {
        **inputs,
        "description": "",
        "maxLeaseTtlSeconds": 2 * TEN_YEARS,
        "auditNonHmacRequestKeys": ["csr"],
        "listingVisibility": "unauth",
        "allowedResponseHeaders": ["X-One", "X-Two"],
    }
    difference = plugin.diff(mount, new)
    assert difference.replaces == []
    assert difference.detailed == {
        "description": "UPDATE",
        "maxLeaseTtlSeconds": "UPDATE",
        "auditNonHmacRequestKeys[0]": "ADD",
        "listingVisibility": "UPDATE",
        "allowedResponseHeaders": "ADD",
    }
    updated = plugin.update(mount, new)
    found = vault.client.sys.read_mount_configuration(path)["data"]
    assert found["max_lease_ttl"] == 2 * TEN_YEARS
    assert found["description"] == ""
    assert found["audit_non_hmac_request_keys"] == ["csr"]
    assert found["listing_visibility"] == "unauth"
    assert found["allowed_response_headers"] == ["X-One", "X-Two"]
    assert updated.state["allowedResponseHeaders"] == ["X-One", "X-Two"]
    assert not plugin.diff(updated, new).changes
    without = {key: value for key, value in new.items() if key != "allowedResponseHeaders"}
    assert plugin.diff(updated, without).detailed == {
        "allowedResponseHeaders[0]": "DELETE",
        "allowedResponseHeaders[1]": "DELETE",
    }
    plugin.update(updated, without)
    found = vault.client.sys.read_mount_configuration(path)["data"]
    assert not found.get("allowed_response_headers")


def test_another_path_moves_the_mount(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    moved_inputs = {**inputs, "path": f"{path}-moved"}
    assert plugin.diff(mount, moved_inputs).replaces == []
    moved = plugin.update(mount, moved_inputs)
    mounted = vault.client.sys.list_mounted_secrets_engines()["data"]
    assert f"{path}/" not in mounted
    assert mounted[f"{path}-moved/"]["accessor"] == mount.state["accessor"]
    assert moved.state["id"] == f"{path}-moved"
    # The engine still has the old id, the state the new one, which counts.
    assert moved.id == path
    read = plugin.read(moved)
    assert read is not None
    assert read.id == f"{path}-moved"
    plugin.delete(moved)
    assert f"{path}-moved/" not in vault.client.sys.list_mounted_secrets_engines()["data"]


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("type", "kv", "UPDATE_REPLACE"),
        ("local", True, "UPDATE_REPLACE"),
        ("sealWrap", True, "UPDATE_REPLACE"),
        ("externalEntropyAccess", True, "UPDATE_REPLACE"),
        ("namespace", "team", "ADD_REPLACE"),
    ],
)
def test_what_cannot_be_changed_replaces(
    plugin: Plugin, inputs: Properties, field: str, value: str | bool, kind: str
) -> None:
    mount = plugin.create(MOUNT, inputs)
    difference = plugin.diff(mount, {**inputs, field: value})
    assert difference.replaces == [field]
    assert field not in difference.stables
    assert difference.detailed[field] == kind
    # The new one gets an accessor of its own.
    assert difference.detailed["accessor"] == "UPDATE"
    assert not difference.delete_before_replace
    with pytest.raises(RefusedError, match="it must be replaced"):
        plugin.update(mount, {**inputs, field: value})


def test_changes_that_are_ignored(plugin: Plugin, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    changed = {**inputs, "type": "kv", "description": "other"}
    assert not plugin.diff(mount, changed, ignore_changes=["type", "description"]).changes
    assert plugin.diff(mount, changed, ignore_changes=["type"]).detailed == {
        "description": "UPDATE"
    }


def test_import_by_id(plugin: Plugin, path: str, inputs: Properties) -> None:
    plugin.create(MOUNT, inputs)
    imported = plugin.import_(MOUNT, path)
    assert imported is not None
    assert imported.id == path
    assert imported.inputs == {**inputs, "__defaults": []}
    assert not plugin.diff(imported, inputs).changes


def test_options_of_an_engine(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    inputs: Properties = {"path": path, "type": "kv", "options": {"version": "2"}}
    mount = plugin.create(MOUNT, inputs)
    entry = vault.client.sys.list_mounted_secrets_engines()["data"][f"{path}/"]
    assert entry["options"] == {"version": "2"}
    assert mount.state["options"] == {"version": "2"}
    imported = plugin.import_(MOUNT, path)
    assert imported is not None
    assert imported.inputs["options"] == {"version": "2", "__defaults": []}
    assert not plugin.diff(imported, {**inputs, "options": imported.inputs["options"]}).changes


def test_an_alias_of_a_type_stays(plugin: Plugin, path: str) -> None:
    inputs: Properties = {"path": path, "type": "kv-v2"}
    mount = plugin.create(MOUNT, inputs)
    assert mount.state["type"] == "kv-v2"
    assert not plugin.diff(mount, inputs).changes


def test_deletion(plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    plugin.delete(mount)
    assert f"{path}/" not in vault.client.sys.list_mounted_secrets_engines()["data"]
    plugin.delete(mount)


def test_deletion_by_others_is_seen(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    vault.client.sys.disable_secrets_engine(path)
    assert plugin.read(mount) is None
    assert plugin.import_(MOUNT, path) is None


def test_changes_by_others_are_seen(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    vault.client.sys.tune_mount_configuration(
        path, description="changed", max_lease_ttl="1h", default_lease_ttl="1h"
    )
    read = plugin.read(mount)
    assert read is not None
    assert read.inputs["maxLeaseTtlSeconds"] == 3600
    assert set(plugin.diff(read, inputs).detailed) == {
        "defaultLeaseTtlSeconds",
        "description",
        "maxLeaseTtlSeconds",
    }


def test_a_preview_changes_nothing(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    planned = plugin.create(
        MOUNT, {"path": path, "type": "pki", "description": UNKNOWN}, preview=True
    )
    assert planned.id == ""
    for name in ("id", "accessor", "description", "maxLeaseTtlSeconds", "sealWrap"):
        assert planned.state[name] is UNKNOWN
    assert planned.state["path"] == path
    assert planned.state["options"] is None
    assert f"{path}/" not in vault.client.sys.list_mounted_secrets_engines()["data"]


def test_a_preview_of_an_update(plugin: Plugin, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    new = {**inputs, "description": UNKNOWN}
    assert plugin.diff(mount, new).detailed == {"description": "UPDATE"}
    planned = plugin.update(mount, new, preview=True)
    assert planned.state["description"] is UNKNOWN
    assert planned.state["accessor"] == mount.state["accessor"]
    assert plugin.diff(mount, {**inputs, "type": UNKNOWN}).replaces == ["type"]
    assert plugin.read(mount) == mount.__class__(MOUNT, mount.name, mount.id, inputs, mount.state)


def test_a_path_in_use(plugin: Plugin, path: str, inputs: Properties) -> None:
    plugin.create(MOUNT, inputs)
    with pytest.raises(RefusedError) as refusal:
        plugin.create(MOUNT, inputs)
    message = str(refusal.value)
    assert message.startswith("error writing to Vault: Error making API request. URL: POST http://")
    assert message.endswith(
        f"/v1/sys/mounts/{path} Code: 400. Errors: * path is already in use at {path}/"
    )


@pytest.mark.parametrize(
    ("wrong", "property_path", "words"),
    [
        ({"maxLeaseTtl": 1}, "maxLeaseTtl", "has no field 'maxLeaseTtl'"),
        ({"accessor": "a"}, "accessor", "has no field 'accessor'"),
        ({"type": None}, "type", '"type" is required'),
        ({"maxLeaseTtlSeconds": "soon"}, "maxLeaseTtlSeconds", "must be of type integer"),
        ({"local": 3}, "local", "must be of type boolean"),
        ({"options": "x"}, "options", "must be of type map"),
    ],
)
def test_wrong_inputs_are_refused_by_name(
    plugin: Plugin, inputs: Properties, wrong: Properties, property_path: str, words: str
) -> None:
    failures = plugin.check(MOUNT, {**inputs, **wrong}).failures
    assert failures[0][0] == property_path
    assert words in failures[0][1]


def test_inputs_take_their_fields_types(plugin: Plugin, path: str) -> None:
    checked = plugin.check(
        MOUNT,
        {
            "path": path,
            "type": "kv",
            "maxLeaseTtlSeconds": "60",
            "local": "true",
            "options": {"version": 2, "absent": None},
        },
    )
    assert checked.failures == []
    assert checked.inputs == {
        "path": path,
        "type": "kv",
        "maxLeaseTtlSeconds": 60,
        "local": True,
        "options": {"version": "2"},
        "__defaults": [],
    }


def test_a_state_of_the_official_plugin_is_understood(plugin: Plugin, inputs: Properties) -> None:
    mount = plugin.create(MOUNT, inputs)
    official: Properties = {
        **mount.state,
        "__pulumi_raw_state_delta": {"obj": {}},
        "__meta": '{"schema_version":"0"}',
        "passthroughRequestHeaders": [],
    }
    assert not plugin.diff(
        mount.__class__(MOUNT, mount.name, mount.id, mount.inputs, official), inputs
    ).changes


def test_an_update_of_nothing_writes_the_resource_again(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    mount = plugin.create(MOUNT, inputs)
    vault.client.sys.tune_mount_configuration(path, max_lease_ttl="1h", default_lease_ttl="1h")
    # The engine asks for this after a partial failure; the state may lack what is null.
    bare: Properties = {key: value for key, value in mount.state.items() if value is not None}
    again = plugin.update(replace(mount, state=bare), inputs)
    assert vault.client.sys.read_mount_configuration(path)["data"]["max_lease_ttl"] == TEN_YEARS
    assert again.state == mount.state


def test_a_replacement_takes_away_what_is_not_given_any_more(
    plugin: Plugin, inputs: Properties
) -> None:
    allowing: Properties = {**inputs, "allowedResponseHeaders": ["X-One"]}
    mount = plugin.create(MOUNT, allowing)
    difference = plugin.diff(mount, {"path": inputs["path"], "type": "kv"})
    assert difference.replaces == ["type"]
    assert difference.detailed["description"] == "DELETE"
    assert difference.detailed["allowedResponseHeaders[0]"] == "DELETE"
    assert difference.detailed["maxLeaseTtlSeconds"] == "UPDATE"
    assert "local" not in difference.detailed
