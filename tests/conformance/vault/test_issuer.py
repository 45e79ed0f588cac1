"""SecretBackendIssuer, as the official plugin does it."""

from typing import Any

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

ISSUER = "vault:pkiSecret/secretBackendIssuer:SecretBackendIssuer"


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    vault.client.sys.enable_secrets_engine("pki", path=path)
    return path


@pytest.fixture
def issuer_id(vault: PrivateVault, mounted: str) -> str:
    answer = vault.client.write_data(
        f"{mounted}/issuers/generate/root/internal",
        data={"common_name": "root", "key_type": "ec", "key_bits": 256},
    )
    issuer: str = answer["data"]["issuer_id"]
    return issuer


def found(vault: PrivateVault, mount: str, issuer_id: str) -> Any:
    return vault.client.read(f"{mount}/issuer/{issuer_id}")["data"]


ALL = "crl-signing,issuing-certificates,ocsp-signing,read-only"


def test_create_update_and_read_back(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    inputs: Properties = {"backend": mounted, "issuerRef": issuer_id, "usage": "read-only"}
    issuer = plugin.create(ISSUER, inputs)
    assert found(vault, mounted, issuer_id)["usage"] == "read-only"
    assert issuer.id == f"{mounted}/issuer/{issuer_id}"
    assert issuer.inputs == {**inputs, "__defaults": []}
    assert {name: issuer.state[name] for name in inputs} == inputs
    assert issuer.state["issuerId"] == issuer_id
    assert issuer.state["leafNotAfterBehavior"] == "err"
    assert not plugin.diff(issuer, inputs).changes

    new: Properties = {**inputs, "usage": ALL, "issuerName": "ours"}
    assert plugin.diff(issuer, new).detailed == {"usage": "UPDATE", "issuerName": "UPDATE"}
    updated = plugin.update(issuer, new)
    data = found(vault, mounted, issuer_id)
    assert (data["usage"], data["issuer_name"]) == (ALL, "ours")
    assert not plugin.diff(updated, new).changes


def test_without_anything_to_say_nothing_is_written(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    vault.client.write_data(f"{mounted}/issuer/{issuer_id}", data={"issuer_name": "theirs"})
    before = found(vault, mounted, issuer_id)
    issuer = plugin.create(ISSUER, {"backend": mounted, "issuerRef": issuer_id})
    assert found(vault, mounted, issuer_id) == before
    assert issuer.state["usage"] == ALL


def test_an_update_leaves_the_rest_as_it_is(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    inputs: Properties = {"backend": mounted, "issuerRef": issuer_id, "usage": "read-only"}
    issuer = plugin.create(ISSUER, inputs)
    urls = ["https://vault/ca"]
    vault.client.write_data(
        f"{mounted}/issuer/{issuer_id}", data={"usage": "read-only", "issuing_certificates": urls}
    )
    plugin.update(issuer, {**inputs, "usage": ALL})
    assert found(vault, mounted, issuer_id)["issuing_certificates"] == urls


def test_changes_by_others_are_seen(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    inputs: Properties = {"backend": mounted, "issuerRef": issuer_id, "usage": "read-only"}
    issuer = plugin.create(ISSUER, inputs)
    vault.client.write_data(f"{mounted}/issuer/{issuer_id}", data={"usage": ALL})
    read = plugin.read(issuer)
    assert read is not None
    assert read.inputs["usage"] == ALL
    assert plugin.diff(read, inputs).detailed == {"usage": "UPDATE"}


def test_another_reference_does_not_reach_the_other_issuer(
    plugin: Plugin, mounted: str, issuer_id: str
) -> None:
    inputs: Properties = {"backend": mounted, "issuerRef": issuer_id, "usage": "read-only"}
    issuer = plugin.create(ISSUER, inputs)
    other: Properties = {**inputs, "issuerRef": "default"}
    assert plugin.diff(issuer, other).replaces == []
    updated = plugin.update(issuer, other)
    assert updated.state["issuerRef"] == issuer_id
    assert plugin.diff(updated, other).detailed == {"issuerRef": "UPDATE"}
    assert plugin.diff(issuer, {**inputs, "backend": "elsewhere"}).replaces == ["backend"]


def test_deletion_deletes_the_issuer_and_leaves_its_key(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    issuer = plugin.create(ISSUER, {"backend": mounted, "issuerRef": issuer_id})
    plugin.delete(issuer)
    assert vault.client.list(f"{mounted}/issuers") is None
    assert len(vault.client.list(f"{mounted}/keys")["data"]["keys"]) == 1
    assert plugin.read(issuer) is None


def test_import_by_id(plugin: Plugin, mounted: str, issuer_id: str) -> None:
    imported = plugin.import_(ISSUER, f"{mounted}/issuer/{issuer_id}")
    assert imported is not None
    inputs: Properties = {"backend": mounted, "issuerRef": issuer_id, "usage": ALL}
    assert {name: imported.inputs[name] for name in inputs} == inputs
    assert not plugin.diff(imported, inputs).changes
    with pytest.raises(RefusedError, match="no backend found"):
        plugin.import_(ISSUER, mounted)


def test_an_issuer_that_does_not_exist(plugin: Plugin, mounted: str) -> None:
    with pytest.raises(RefusedError, match=rf"^error reading issuer at {mounted}/issuer/nobody"):
        plugin.create(ISSUER, {"backend": mounted, "issuerRef": "nobody"})


def test_a_preview_changes_nothing(
    plugin: Plugin, vault: PrivateVault, mounted: str, issuer_id: str
) -> None:
    inputs: Properties = {"backend": mounted, "issuerRef": UNKNOWN, "usage": "read-only"}
    planned = plugin.create(ISSUER, inputs, preview=True).state
    assert (planned["issuerRef"], planned["issuerId"]) == (UNKNOWN, UNKNOWN)
    assert found(vault, mounted, issuer_id)["usage"] == ALL


def test_an_unknown_field_is_refused_by_name(plugin: Plugin) -> None:
    failures = plugin.check(ISSUER, {"backend": "pki", "issuerRef": "x", "nobody": "y"}).failures
    assert [path for path, _ in failures] == ["nobody"]
