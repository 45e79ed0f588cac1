import pytest

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

POLICY = "vault:index/policy:Policy"
TEXT = 'path "pki/root/sign-intermediate" {\n  capabilities = ["update"]\n}\n'
OTHER_TEXT = TEXT.replace("update", "read")


@pytest.fixture
def inputs(path: str) -> Properties:
    return {"name": path, "policy": TEXT}


def stored(vault: PrivateVault, name: str) -> str:
    text: str = vault.client.sys.read_acl_policy(name)["data"]["policy"]
    return text


def test_create_and_read_back(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    policy = plugin.create(POLICY, inputs)
    assert stored(vault, path) == TEXT
    assert policy.id == path
    assert policy.inputs == {**inputs, "__defaults": []}
    assert policy.state == {**inputs, "id": path, "allowOverwrite": None, "namespace": None}
    read = plugin.read(policy)
    assert read is not None
    assert (read.state, read.inputs) == (policy.state, inputs)
    assert not plugin.diff(policy, inputs).changes


def test_update_in_place(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    policy = plugin.create(POLICY, inputs)
    new: Properties = {"name": path, "policy": OTHER_TEXT}
    assert plugin.diff(policy, new).detailed == {"policy": "UPDATE"}
    assert plugin.update(policy, new).state["policy"] == OTHER_TEXT
    assert stored(vault, path) == OTHER_TEXT


def test_another_name_replaces_it_and_the_old_one_goes_first(
    plugin: Plugin, inputs: Properties
) -> None:
    policy = plugin.create(POLICY, inputs)
    difference = plugin.diff(policy, {**inputs, "name": "other"})
    assert difference.replaces == ["name"]
    assert difference.delete_before_replace


def test_a_name_is_made_from_the_resource_s_and_kept(plugin: Plugin) -> None:
    first = plugin.check(POLICY, {"policy": TEXT}, name="agent").inputs
    name = first["name"]
    assert isinstance(name, str)
    assert name.startswith("agent-")
    assert len(name) == len("agent-") + 7
    assert first["__defaults"] == ["name"]
    assert plugin.check(POLICY, {"policy": TEXT}, name="agent", olds=first).inputs == first
    given = plugin.check(POLICY, {"policy": TEXT, "name": "given"}, olds=first).inputs
    assert (given["name"], given["__defaults"]) == ("given", [])


def test_import_by_id(plugin: Plugin, path: str, inputs: Properties) -> None:
    plugin.create(POLICY, inputs)
    imported = plugin.import_(POLICY, path)
    assert imported is not None
    assert imported.inputs == {**inputs, "__defaults": []}
    assert not plugin.diff(imported, inputs).changes


def test_deletion(plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties) -> None:
    policy = plugin.create(POLICY, inputs)
    plugin.delete(policy)
    assert path not in vault.client.sys.list_acl_policies()["data"]["keys"]
    plugin.delete(policy)


def test_deletion_by_others_is_seen_as_an_empty_policy(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    policy = plugin.create(POLICY, inputs)
    vault.client.sys.delete_acl_policy(path)
    read = plugin.read(policy)
    assert read is not None
    assert (read.id, read.inputs["policy"], read.state["policy"]) == (path, "", "")
    assert plugin.diff(read, inputs).detailed == {"policy": "UPDATE"}
    plugin.update(read, inputs)
    assert stored(vault, path) == TEXT


def test_a_preview_changes_nothing(plugin: Plugin, vault: PrivateVault, path: str) -> None:
    planned = plugin.create(POLICY, {"name": path, "policy": UNKNOWN}, preview=True)
    assert (planned.id, planned.state["policy"], planned.state["name"]) == ("", UNKNOWN, path)
    assert path not in vault.client.sys.list_acl_policies()["data"]["keys"]


def test_an_existing_policy_is_overwritten_unless_told_otherwise(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties
) -> None:
    plugin.create(POLICY, inputs)
    with pytest.raises(RefusedError, match=f'policy "{path}" already exists'):
        plugin.create(POLICY, {**inputs, "policy": OTHER_TEXT, "allowOverwrite": False})
    assert stored(vault, path) == TEXT
    plugin.create(POLICY, {**inputs, "policy": OTHER_TEXT})
    assert stored(vault, path) == OTHER_TEXT


def test_a_policy_that_vault_cannot_parse(plugin: Plugin, path: str) -> None:
    with pytest.raises(RefusedError, match=r"^error writing to Vault: .* Code: 400\. Errors: \* "):
        plugin.create(POLICY, {"name": path, "policy": 'path "x" {'})


def test_an_unknown_field_is_refused_by_name(plugin: Plugin, inputs: Properties) -> None:
    ((found_path, reason),) = plugin.check(POLICY, {**inputs, "rules": "x"}).failures
    assert found_path == "rules"
    assert "has no field 'rules'" in reason
