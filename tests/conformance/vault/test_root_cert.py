"""SecretBackendRootCert, as the official plugin does it."""

import pytest
from cryptography import x509

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

ROOT = "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert"


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    vault.client.sys.enable_secrets_engine(
        "pki", path=path, config={"max_lease_ttl": "9000h", "default_lease_ttl": "9000h"}
    )
    return path


def inputs_of(mount: str) -> Properties:
    return {
        "backend": mount,
        "type": "internal",
        "commonName": "root",
        "keyType": "ec",
        "keyBits": 256,
        "ttl": "8760h",
        "maxPathLength": 1,
    }


def certificate_in(vault: PrivateVault, mount: str) -> x509.Certificate:
    pem = vault.client.read(f"{mount}/issuer/default")["data"]["certificate"]
    return x509.load_pem_x509_certificate(pem.encode())


def test_create_and_what_is_recorded(plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
    inputs: Properties = {
        **inputs_of(mounted),
        "organization": "Example",
        "ou": "Platform",
        "country": "DE",
        "province": "Berlin",
        "locality": "Mitte",
        "excludeCnFromSans": True,
    }
    root = plugin.create(ROOT, inputs)
    issuer = vault.client.read(f"{mounted}/issuer/default")["data"]
    found = certificate_in(vault, mounted)

    defaults: Properties = {"format": "pem", "privateKeyFormat": "der"}
    assert root.id == f"{mounted}/issuer/{issuer['issuer_id']}"
    assert root.inputs == {**inputs, **defaults, "__defaults": ["format", "privateKeyFormat"]}
    assert root.state["issuerId"] == issuer["issuer_id"]
    assert root.state["keyId"] == issuer["key_id"]
    assert str(root.state["certificate"]).strip() == issuer["certificate"].strip()
    assert str(root.state["issuingCa"]).strip() == issuer["certificate"].strip()
    assert int(str(root.state["serialNumber"]).replace(":", ""), 16) == found.serial_number
    assert {name: root.state[name] for name in inputs} == inputs
    assert root.state["issuerName"] is None
    assert "PRIVATE KEY" not in repr(root.state)
    assert not plugin.diff(root, inputs).changes

    assert found.subject.rfc4514_string() == "CN=root,OU=Platform,O=Example,L=Mitte,ST=Berlin,C=DE"
    constraints = found.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.path_length == 1
    assert (found.not_valid_after_utc - found.not_valid_before_utc).days == 365
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_the_defaults(plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
    root = plugin.create(ROOT, {"backend": mounted, "type": "internal", "commonName": "root"})
    defaults = {
        "format": "pem",
        "keyBits": 2048,
        "keyType": "rsa",
        "maxPathLength": -1,
        "privateKeyFormat": "der",
    }
    assert {name: root.inputs[name] for name in defaults} == defaults
    assert root.inputs["__defaults"] == sorted(defaults)
    constraints = certificate_in(vault, mounted).extensions.get_extension_for_class(
        x509.BasicConstraints
    )
    assert constraints.value.path_length is None


def test_a_preview_makes_nothing(plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
    planned = plugin.create(ROOT, inputs_of(mounted), preview=True).state
    for name in ("certificate", "issuerId", "serialNumber", "keyId", "issuingCa"):
        assert planned[name] is UNKNOWN
    assert vault.client.list(f"{mounted}/issuers") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("commonName", "other"),
        ("organization", "other"),
        ("keyBits", 384),
        ("maxPathLength", 2),
        ("type", "exported"),
    ],
)
def test_what_a_root_says_is_replaced(
    plugin: Plugin, mounted: str, field: str, value: str | int
) -> None:
    root = plugin.create(ROOT, inputs_of(mounted))
    difference = plugin.diff(root, {**inputs_of(mounted), field: value})
    assert field in difference.replaces
    assert not difference.delete_before_replace


def test_another_lifetime_is_noted_and_changes_nothing(
    plugin: Plugin, vault: PrivateVault, mounted: str
) -> None:
    root = plugin.create(ROOT, inputs_of(mounted))
    before = certificate_in(vault, mounted)
    new: Properties = {**inputs_of(mounted), "ttl": "100h"}
    assert plugin.diff(root, new).detailed == {"ttl": "UPDATE"}
    updated = plugin.update(root, new)
    assert updated.state["ttl"] == "100h"
    assert updated.state["certificate"] == root.state["certificate"]
    assert certificate_in(vault, mounted) == before


def test_an_issuer_that_others_deleted_is_made_anew(
    plugin: Plugin, vault: PrivateVault, mounted: str
) -> None:
    root = plugin.create(ROOT, inputs_of(mounted))
    vault.client.delete(root.id)
    assert plugin.diff(root, inputs_of(mounted)).replaces == ["issuerId"]
    # A refresh does not see it: only whether the engine is still mounted.
    read = plugin.read(root)
    assert read is not None
    assert read.state == root.state


def test_a_mount_that_others_deleted(plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
    root = plugin.create(ROOT, inputs_of(mounted))
    vault.client.sys.disable_secrets_engine(mounted)
    assert not plugin.diff(root, inputs_of(mounted)).changes
    assert plugin.read(root) is None


def test_deletion_leaves_the_key(plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
    root = plugin.create(ROOT, inputs_of(mounted))
    plugin.delete(root)
    assert vault.client.list(f"{mounted}/issuers") is None
    assert len(vault.client.list(f"{mounted}/keys")["data"]["keys"]) == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("type", "secret", "expected type to be one of"),
        ("keyType", "dsa", "expected key_type to be one of"),
        ("format", "txt", "expected format to be one of"),
        ("parameterSet", "x", "has no field 'parameterSet'"),
    ],
)
def test_what_is_not_acceptable_is_refused(
    plugin: Plugin, field: str, value: str, words: str
) -> None:
    ((found, reason),) = plugin.check(ROOT, {**inputs_of("pki"), field: value}).failures
    assert found == field
    assert words in reason


def test_vaults_own_refusal_is_told(plugin: Plugin, path: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        plugin.create(ROOT, inputs_of(path))
    words = f'error creating root cert for PKI secret backend "{path}": '
    assert str(refusal.value).startswith(words)
