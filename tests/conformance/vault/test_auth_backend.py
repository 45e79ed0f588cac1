from dataclasses import replace

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties, Value
from tests.conformance.harness import PartialError, Plugin, RefusedError, Resource
from tests.private_vault import PrivateVault

AUTH = "vault:index/authBackend:AuthBackend"


@pytest.fixture
def inputs(path: str) -> Properties:
    return {"path": path, "type": "kubernetes", "description": "cluster east"}


def tuned(path: str, **tune: Value) -> Properties:
    return {"path": path, "type": "kubernetes", "tune": tune}


def test_create_and_read_back(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    auth = plugin.create(AUTH, inputs)
    entry = vault.client.sys.list_auth_methods()["data"][f"{path}/"]
    assert (entry["type"], entry["description"]) == ("kubernetes", "cluster east")
    assert auth.id == path
    assert auth.inputs == {**inputs, "__defaults": []}
    assert auth.state == {
        **inputs,
        "__meta": '{"schema_version":"1"}',
        "id": path,
        "accessor": entry["accessor"],
        "disableRemount": False,
        "identityTokenKey": None,
        "local": False,
        "namespace": None,
        "tune": {
            "allowedResponseHeaders": [],
            "auditNonHmacRequestKeys": [],
            "auditNonHmacResponseKeys": [],
            "defaultLeaseTtl": "768h",
            "listingVisibility": "",
            "maxLeaseTtl": "768h",
            "passthroughRequestHeaders": [],
            "tokenType": "default-service",
        },
    }
    read = plugin.read(auth)
    assert read is not None
    assert (read.state, read.inputs) == (auth.state, inputs)
    assert not plugin.diff(auth, inputs).changes


def test_the_path_defaults_to_the_type(plugin: Plugin, vault: PrivateVault) -> None:
    auth = plugin.create(AUTH, {"type": "userpass"})
    assert (auth.id, auth.state["path"]) == ("userpass", "userpass")
    assert not plugin.diff(auth, {"type": "userpass"}).changes
    plugin.delete(auth)
    assert "userpass/" not in vault.client.sys.list_auth_methods()["data"]


def test_tuning(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    inputs = tuned(path, defaultLeaseTtl="200s", maxLeaseTtl="1h", listingVisibility="unauth")
    auth = plugin.create(AUTH, inputs)
    found = vault.client.sys.read_auth_method_tuning(path)["data"]
    assert (found["default_lease_ttl"], found["max_lease_ttl"]) == (200, 3600)
    assert found["listing_visibility"] == "unauth"
    assert auth.inputs["tune"] == {
        "defaultLeaseTtl": "200s",
        "maxLeaseTtl": "1h",
        "listingVisibility": "unauth",
        "__defaults": [],
    }
    # As written by the program, not as Vault says it (3m20s); and Vault's default is not recorded.
    tune = auth.state["tune"]
    assert isinstance(tune, dict)
    assert tune["defaultLeaseTtl"] == "200s"
    assert tune["tokenType"] == ""
    assert not plugin.diff(auth, inputs).changes

    new = tuned(path, defaultLeaseTtl="300s", maxLeaseTtl="1h", allowedResponseHeaders=["X"])
    assert plugin.diff(auth, new).detailed == {
        "tune.defaultLeaseTtl": "UPDATE",
        "tune.listingVisibility": "DELETE",
        "tune.allowedResponseHeaders": "ADD",
    }
    updated = plugin.update(auth, new)
    found = vault.client.sys.read_auth_method_tuning(path)["data"]
    assert found["default_lease_ttl"] == 300
    assert found["allowed_response_headers"] == ["X"]
    emptied = plugin.update(updated, tuned(path, defaultLeaseTtl="300s", maxLeaseTtl="1h"))
    found = vault.client.sys.read_auth_method_tuning(path)["data"]
    assert not any(found.get("allowed_response_headers", []))
    # Leaving the whole block out leaves it as it is.
    assert not plugin.diff(emptied, {"path": path, "type": "kubernetes"}).changes


def test_update_of_the_description(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    auth = plugin.create(AUTH, inputs)
    new = {**inputs, "description": "cluster west"}
    assert plugin.diff(auth, new).detailed == {"description": "UPDATE"}
    updated = plugin.update(auth, new)
    assert vault.client.sys.list_auth_methods()["data"][f"{path}/"]["description"] == "cluster west"
    assert updated.state["description"] == "cluster west"
    removed = {"path": path, "type": "kubernetes"}
    assert plugin.diff(updated, removed).detailed == {"description": "DELETE"}
    plugin.update(updated, removed)
    assert vault.client.sys.list_auth_methods()["data"][f"{path}/"]["description"] == ""


def test_another_path_moves_it(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    auth = plugin.create(AUTH, inputs)
    new = {**inputs, "path": f"{path}-moved"}
    assert plugin.diff(auth, new).replaces == []
    moved = plugin.update(auth, new)
    methods = vault.client.sys.list_auth_methods()["data"]
    assert f"{path}/" not in methods
    assert methods[f"{path}-moved/"]["accessor"] == auth.state["accessor"]
    assert moved.state["path"] == f"{path}-moved"


def test_a_move_that_only_half_succeeds_is_not_made_again(
    plugin: Plugin, vault: PrivateVault, path: str
) -> None:
    auth = plugin.create(AUTH, tuned(path, maxLeaseTtl="1h"))
    target = f"{path}-moved"
    with pytest.raises(PartialError, match="Code: 400") as failure:
        plugin.update(auth, tuned(target, defaultLeaseTtl="2h", maxLeaseTtl="1h"))
    half = replace(auth, state=failure.value.state)
    assert (half.state["id"], half.state["path"]) == (target, target)
    mended = plugin.update(half, tuned(target, defaultLeaseTtl="1h", maxLeaseTtl="2h"))
    tuning = vault.client.sys.read_auth_method_tuning(target)["data"]
    assert (tuning["default_lease_ttl"], tuning["max_lease_ttl"]) == (3600, 7200)
    assert mended.state["accessor"] == auth.state["accessor"]


def test_another_path_replaces_it_where_moving_is_off(plugin: Plugin, inputs: Properties) -> None:
    fixed: Properties = {**inputs, "disableRemount": True}
    auth = plugin.create(AUTH, fixed)
    difference = plugin.diff(auth, {**fixed, "path": "elsewhere"})
    assert difference.replaces == ["path"]
    assert difference.detailed["path"] == "UPDATE_REPLACE"


@pytest.mark.parametrize(
    ("field", "value"), [("type", "userpass"), ("local", True), ("namespace", "team")]
)
def test_what_cannot_be_changed_replaces(
    plugin: Plugin, inputs: Properties, field: str, value: Value
) -> None:
    auth = plugin.create(AUTH, inputs)
    assert plugin.diff(auth, {**inputs, field: value}).replaces == [field]


def test_import_by_id(plugin: Plugin, path: str, inputs: Properties) -> None:
    plugin.create(AUTH, inputs)
    imported = plugin.import_(AUTH, path)
    assert imported is not None
    expected: Properties = {
        **inputs,
        "disableRemount": None,
        "tune": {
            "defaultLeaseTtl": "768h",
            "maxLeaseTtl": "768h",
            "tokenType": "default-service",
            "__defaults": [],
        },
        "__defaults": [],
    }
    assert imported.inputs == expected
    # A default that is false is no change by itself, but recorded with the next one.
    assert not plugin.diff(imported, inputs).changes
    assert plugin.diff(imported, {**inputs, "description": "new"}).detailed == {
        "description": "UPDATE",
        "disableRemount": "ADD",
    }


def test_deletion(plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties) -> None:
    auth = plugin.create(AUTH, inputs)
    plugin.delete(auth)
    assert f"{path}/" not in vault.client.sys.list_auth_methods()["data"]
    plugin.delete(auth)


def test_deletion_by_others_is_seen(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    auth = plugin.create(AUTH, inputs)
    vault.client.sys.disable_auth_method(path)
    assert plugin.read(auth) is None


def test_a_preview_changes_nothing(plugin: Plugin, vault: PrivateVault) -> None:
    planned = plugin.create(AUTH, {"type": "kubernetes", "path": UNKNOWN}, preview=True)
    for name in ("id", "accessor", "path", "tune"):
        assert planned.state[name] is UNKNOWN
    assert planned.state["disableRemount"] is False
    assert "kubernetes/" not in vault.client.sys.list_auth_methods()["data"]


def test_a_path_in_use(plugin: Plugin, path: str, inputs: Properties) -> None:
    plugin.create(AUTH, inputs)
    with pytest.raises(RefusedError, match=f"Errors: \\* path is already in use at {path}/$"):
        plugin.create(AUTH, inputs)


def test_tuning_that_fails_leaves_a_resource_to_mend(
    plugin: Plugin, vault: PrivateVault, path: str
) -> None:
    with pytest.raises(PartialError) as failure:
        plugin.create(AUTH, tuned(path, defaultLeaseTtl="2h", maxLeaseTtl="1h"))
    assert failure.value.id == path
    assert "Code: 400" in failure.value.reasons[0]
    assert f"{path}/" in vault.client.sys.list_auth_methods()["data"]
    unfinished = Resource(AUTH, "example", path, {}, failure.value.state)
    asked_for = tuned(path, defaultLeaseTtl="2h", maxLeaseTtl="1h")
    assert plugin.diff(unfinished, asked_for).detailed == {"tune": "ADD"}
    mended = plugin.update(unfinished, tuned(path, defaultLeaseTtl="1h", maxLeaseTtl="2h"))
    assert vault.client.sys.read_auth_method_tuning(path)["data"]["max_lease_ttl"] == 7200
    assert mended.state["accessor"] is not None


@pytest.mark.parametrize(
    ("wrong", "property_path", "words"),
    [
        ({"path": "/auth"}, "path", 'contains leading/trailing "/"'),
        ({"path": "auth/"}, "path", 'contains leading/trailing "/"'),
        ({"path": ""}, "path", "cannot be empty"),
        ({"tune": {"maxLeaseTtl": "1 hour"}}, "tune.maxLeaseTtl", "valid duration"),
        ({"tune": {"tokenType": "root"}}, "tune.tokenType", "to be one of"),
        ({"tune": {"listingVisibility": "all"}}, "tune.listingVisibility", "to be one of"),
        ({"tune": {"maxTtl": "1h"}}, "tune.maxTtl", "has no field 'maxTtl'"),
        ({"tunes": {}}, "tunes", "has no field 'tunes'"),
    ],
)
def test_wrong_inputs_are_refused_by_name(
    plugin: Plugin, inputs: Properties, wrong: Properties, property_path: str, words: str
) -> None:
    ((found_path, reason),) = plugin.check(AUTH, {**inputs, **wrong}).failures
    assert found_path == property_path
    assert words in reason


@pytest.mark.parametrize("duration", ["1h30m", "0", "1.5h", "90s"])
def test_durations_are_let_through(plugin: Plugin, path: str, duration: str) -> None:
    assert plugin.check(AUTH, tuned(path, maxLeaseTtl=duration)).failures == []
