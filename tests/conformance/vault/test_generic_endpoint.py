import json
from typing import Any

import hvac
import pytest
from hvac.exceptions import VaultError

from lab.plugins.provider.values import UNKNOWN, Properties, Secret, contains_secret
from tests.conformance.harness import Plugin, RefusedError
from tests.conformance.vault.conftest import PrivateVault

ENDPOINT = "vault:generic/endpoint:Endpoint"
PASSWORD = "correct horse <battery> & staple"


def data(**values: Any) -> Secret:
    return Secret(json.dumps({"token_policies": ["admins"], "token_ttl": 3600, **values}))


@pytest.fixture
def user(vault: PrivateVault, path: str) -> str:
    """Path of a user yet to be made."""
    vault.client.sys.enable_auth_method("userpass", path=path)
    return f"auth/{path}/users/admin"


@pytest.fixture
def inputs(user: str) -> Properties:
    return {"path": user, "dataJson": data(password=PASSWORD), "ignoreAbsentFields": True}


def may_log_in(vault: PrivateVault, user: str, password: str) -> bool:
    mount = user.split("/")[1]
    client: Any = hvac.Client(vault.address)
    try:
        client.auth.userpass.login("admin", password, use_token=False, mount_point=mount)
    except VaultError as error:
        # Status 400 by Vault's documentation, and 500 by this version.
        if "invalid username or password" in str(error):
            return False
        raise
    return True


def test_create_and_read_back(
    plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties
) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    assert vault.client.read(user)["data"]["token_policies"] == ["admins"]
    assert may_log_in(vault, user, PASSWORD)
    assert not may_log_in(vault, user, "another")
    assert endpoint.id == user
    assert endpoint.inputs == {**inputs, "__defaults": []}
    assert endpoint.state == {
        "__meta": '{"schema_version":"1"}',
        "id": user,
        "path": user,
        # Keys in order and without spaces, as Go writes it.
        "dataJson": Secret(
            '{"password":"correct horse \\u003cbattery\\u003e \\u0026 staple",'
            '"token_policies":["admins"],"token_ttl":3600}'
        ),
        "disableDelete": False,
        "disableRead": False,
        "ignoreAbsentFields": True,
        "namespace": None,
        "writeData": {},
        "writeDataJson": "null",
        "writeFields": None,
    }
    read = plugin.read(endpoint)
    assert read is not None
    assert read.state == endpoint.state
    assert not plugin.diff(endpoint, inputs).changes
    assert not plugin.diff(read, inputs).changes


def test_other_spaces_and_another_order_are_no_change(plugin: Plugin, inputs: Properties) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    spaced = json.dumps(
        {"token_ttl": 3600, "password": PASSWORD, "token_policies": ["admins"]}, indent=2
    )
    assert not plugin.diff(endpoint, {**inputs, "dataJson": Secret(spaced)}).changes


def test_another_password_is_a_change(
    plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties
) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    new: Properties = {**inputs, "dataJson": data(password="new")}
    assert plugin.diff(endpoint, new).detailed == {"dataJson": "UPDATE"}
    plugin.update(endpoint, new)
    assert may_log_in(vault, user, "new")
    assert not may_log_in(vault, user, PASSWORD)


def test_what_others_changed_is_seen_where_vault_tells_it(
    plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties
) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    vault.client.write(user, token_policies="root-like", password="stolen")
    read = plugin.read(endpoint)
    assert read is not None
    assert plugin.diff(read, inputs).detailed == {"dataJson": "UPDATE"}
    plugin.update(read, inputs)
    assert vault.client.read(user)["data"]["token_policies"] == ["admins"]
    assert may_log_in(vault, user, PASSWORD)


def test_a_password_that_others_changed_is_not_seen(
    plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties
) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    vault.client.write(user, password="stolen")
    read = plugin.read(endpoint)
    assert read is not None
    assert not plugin.diff(read, inputs).changes


def test_the_data_is_nowhere_in_clear(plugin: Plugin, inputs: Properties) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    planned = plugin.create(ENDPOINT, inputs, preview=True)
    read = plugin.read(endpoint)
    assert read is not None
    for resource in (endpoint, planned, read):
        for values in (resource.inputs, resource.state):
            assert contains_secret(values["dataJson"])
            assert "battery" not in repr(values)


def test_without_being_told_to_ignore_them_absent_fields_differ(
    plugin: Plugin, inputs: Properties
) -> None:
    strict: Properties = {**inputs, "ignoreAbsentFields": False}
    endpoint = plugin.create(ENDPOINT, strict)
    assert plugin.diff(endpoint, strict).detailed == {"dataJson": "UPDATE"}


def test_what_is_not_read_does_not_differ(
    plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties
) -> None:
    unread: Properties = {**inputs, "ignoreAbsentFields": False, "disableRead": True}
    endpoint = plugin.create(ENDPOINT, unread)
    vault.client.delete(user)
    read = plugin.read(endpoint)
    assert read is not None
    assert not plugin.diff(read, unread).changes


def test_the_answer_is_kept_as_far_as_asked(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    vault.client.sys.enable_secrets_engine("pki", path=path)
    inputs: Properties = {
        "path": f"{path}/root/generate/internal",
        "dataJson": Secret('{"common_name":"root","ttl":"1h"}'),
        "disableRead": True,
        "writeFields": ["issuer_id", "expiration", "nothing"],
    }
    endpoint = plugin.create(ENDPOINT, inputs)
    kept = endpoint.state["writeData"]
    assert isinstance(kept, dict)
    assert set(kept) == {"issuer_id", "expiration"}
    assert json.loads(str(endpoint.state["writeDataJson"]))["issuer_id"] == kept["issuer_id"]
    assert kept["expiration"] == str(json.loads(str(endpoint.state["writeDataJson"]))["expiration"])


def test_another_path_replaces(plugin: Plugin, inputs: Properties) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    assert plugin.diff(endpoint, {**inputs, "path": "elsewhere"}).replaces == ["path"]


def test_deletion(plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties) -> None:
    endpoint = plugin.create(ENDPOINT, inputs)
    plugin.delete(endpoint)
    assert vault.client.read(user) is None
    assert plugin.read(endpoint) is None
    kept = plugin.create(ENDPOINT, {**inputs, "disableDelete": True})
    plugin.delete(kept)
    assert vault.client.read(user) is not None


def test_import_by_id(plugin: Plugin, vault: PrivateVault, user: str, inputs: Properties) -> None:
    vault.client.write(user, password="theirs", token_policies="theirs")
    imported = plugin.import_(ENDPOINT, user)
    assert imported is not None
    assert imported.id == user
    found = imported.inputs.pop("dataJson")
    assert isinstance(found, Secret)
    assert json.loads(str(found.value))["token_policies"] == ["theirs"]
    assert "password" not in str(found.value)
    assert imported.inputs == {"path": user, "disableDelete": None, "__defaults": []}
    # What is false by default is not recorded of an import, but for what a read sets itself.
    assert plugin.diff(imported, inputs).detailed == {
        "dataJson": "UPDATE",
        "ignoreAbsentFields": "UPDATE",
        "disableDelete": "ADD",
    }
    updated = plugin.update(imported, inputs)
    assert may_log_in(vault, user, PASSWORD)
    assert not plugin.diff(updated, inputs).changes


def test_importing_what_is_missing(plugin: Plugin, user: str) -> None:
    assert plugin.import_(ENDPOINT, user) is None


def test_a_preview_changes_nothing(plugin: Plugin, vault: PrivateVault, user: str) -> None:
    planned = plugin.create(ENDPOINT, {"path": user, "dataJson": UNKNOWN}, preview=True)
    assert planned.state["path"] == user
    assert planned.state["writeDataJson"] is UNKNOWN
    assert vault.client.read(user) is None


@pytest.mark.parametrize("text", ["{", '["a"]', "secret words"])
def test_what_is_no_json_object_is_refused_and_not_repeated(plugin: Plugin, text: str) -> None:
    ((path, reason),) = plugin.check(ENDPOINT, {"path": "x", "dataJson": Secret(text)}).failures
    assert path == "dataJson"
    assert "must be a JSON object" in reason
    assert text not in reason


def test_vaults_refusal_is_told(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match=r"error writing to Vault: .* Code: 404"):
        plugin.create(ENDPOINT, {"path": "auth/nowhere/users/x", "dataJson": Secret("{}")})
