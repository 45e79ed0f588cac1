import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.plugins.provider.values import UNKNOWN, Properties, Secret
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

CA = "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa"
ISSUERS = "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers"
GET_ISSUERS = "vault:pkiSecret/getBackendIssuers:getBackendIssuers"
GET_ISSUER = "vault:pkiSecret/getBackendIssuer:getBackendIssuer"


_CA_KEY_USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def root(name: str) -> tuple[str, str]:
    """Return the certificate of a new root CA, and the bundle of it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_CA_KEY_USAGE, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return pem, private + pem


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    vault.client.sys.enable_secrets_engine("pki", path=path)
    return path


def import_root(vault: PrivateVault, mount: str, name: str) -> str:
    """Import a new root by plain means and return its issuer's id."""
    answer = vault.client.write_data(
        f"{mount}/issuers/import/bundle", data={"pem_bundle": root(name)[1]}
    )
    issuer: str = answer["data"]["imported_issuers"][0]
    return issuer


class TestConfigCa:
    def test_create_and_read_back(self, plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
        certificate, bundle = root("one")
        inputs: Properties = {"backend": mounted, "pemBundle": Secret(bundle)}
        ca = plugin.create(CA, inputs)
        found = vault.client.read(f"{mounted}/cert/ca")["data"]["certificate"]
        assert found.strip() == certificate.strip()
        assert ca.id == mounted
        assert ca.inputs == {**inputs, "__defaults": []}
        assert ca.state == {**inputs, "id": mounted, "namespace": None}
        assert not plugin.diff(ca, inputs).changes
        for values in (ca.inputs, ca.state, plugin.create(CA, inputs, preview=True).state):
            assert "PRIVATE KEY" not in repr(values)
            assert isinstance(values["pemBundle"], Secret)

    def test_every_change_replaces(self, plugin: Plugin, mounted: str) -> None:
        inputs: Properties = {"backend": mounted, "pemBundle": Secret(root("one")[1])}
        ca = plugin.create(CA, inputs)
        for field in ("backend", "pemBundle", "namespace"):
            difference = plugin.diff(ca, {**inputs, field: "other"})
            assert difference.replaces == [field]
            assert not difference.delete_before_replace
        assert plugin.diff(ca, {**inputs, "pemBundle": Secret(UNKNOWN)}).replaces == ["pemBundle"]

    def test_neither_read_nor_deletion_looks_at_vault(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        certificate, bundle = root("one")
        inputs: Properties = {"backend": mounted, "pemBundle": Secret(bundle)}
        ca = plugin.create(CA, inputs)
        plugin.delete(ca)
        found = vault.client.read(f"{mounted}/cert/ca")["data"]["certificate"]
        assert found.strip() == certificate.strip()
        vault.client.sys.disable_secrets_engine(mounted)
        read = plugin.read(ca)
        assert read is not None
        assert (read.id, read.state, read.inputs) == (mounted, ca.state, inputs)

    def test_it_cannot_be_imported_with_its_values(self, plugin: Plugin, mounted: str) -> None:
        imported = plugin.import_(CA, mounted)
        assert imported is not None
        assert imported.inputs == {"backend": None, "pemBundle": Secret(None), "__defaults": []}

    def test_a_bundle_that_is_none(self, plugin: Plugin, mounted: str) -> None:
        with pytest.raises(RefusedError) as refusal:
            plugin.create(CA, {"backend": mounted, "pemBundle": Secret("s3cr3t")})
        assert str(refusal.value).startswith(
            f'error creating CA config for PKI secret backend "{mounted}": '
        )
        assert "s3cr3t" not in str(refusal.value)

    def test_a_preview_changes_nothing(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        inputs: Properties = {"backend": mounted, "pemBundle": Secret(UNKNOWN)}
        assert plugin.create(CA, inputs, preview=True).state["pemBundle"] == Secret(UNKNOWN)
        assert vault.client.list(f"{mounted}/issuers") is None

    def test_an_unknown_field_is_refused_by_name(self, plugin: Plugin) -> None:
        failures = plugin.check(CA, {"backend": "pki", "pemBundle": "x", "issuer": "y"}).failures
        assert [found_path for found_path, _ in failures] == ["issuer"]


class TestConfigIssuers:
    def test_create_update_and_read_back(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        first = import_root(vault, mounted, "one")
        second = import_root(vault, mounted, "two")
        inputs: Properties = {"backend": mounted, "default": second}
        chosen = plugin.create(ISSUERS, inputs)
        assert vault.client.read(f"{mounted}/config/issuers")["data"]["default"] == second
        assert chosen.id == f"{mounted}/config/issuers"
        assert chosen.inputs == {**inputs, "__defaults": []}
        assert chosen.state == {
            **inputs,
            "id": chosen.id,
            "defaultFollowsLatestIssuer": False,
            "namespace": None,
        }
        assert not plugin.diff(chosen, inputs).changes
        new: Properties = {**inputs, "default": first, "defaultFollowsLatestIssuer": True}
        assert plugin.diff(chosen, new).detailed == {
            "default": "UPDATE",
            "defaultFollowsLatestIssuer": "UPDATE",
        }
        updated = plugin.update(chosen, new)
        found = vault.client.read(f"{mounted}/config/issuers")["data"]
        assert (found["default"], found["default_follows_latest_issuer"]) == (first, True)
        assert not plugin.diff(updated, new).changes

    def test_an_issuer_by_name_is_a_lasting_change(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        issuer = import_root(vault, mounted, "one")
        vault.client.write_data(f"{mounted}/issuer/{issuer}", data={"issuer_name": "one"})
        inputs: Properties = {"backend": mounted, "default": "one"}
        chosen = plugin.create(ISSUERS, inputs)
        assert chosen.state["default"] == issuer
        assert plugin.diff(chosen, inputs).detailed == {"default": "UPDATE"}

    def test_changes_by_others_are_seen(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        first = import_root(vault, mounted, "one")
        second = import_root(vault, mounted, "two")
        inputs: Properties = {"backend": mounted, "default": first}
        chosen = plugin.create(ISSUERS, inputs)
        vault.client.write_data(f"{mounted}/config/issuers", data={"default": second})
        read = plugin.read(chosen)
        assert read is not None
        assert read.inputs["default"] == second
        assert plugin.diff(read, inputs).detailed == {"default": "UPDATE"}

    def test_only_the_namespace_replaces(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        inputs: Properties = {"backend": mounted, "default": import_root(vault, mounted, "one")}
        chosen = plugin.create(ISSUERS, inputs)
        assert plugin.diff(chosen, {**inputs, "backend": "elsewhere"}).replaces == []
        assert plugin.diff(chosen, {**inputs, "namespace": "team"}).replaces == ["namespace"]

    def test_import_by_id(self, plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
        issuer = import_root(vault, mounted, "one")
        imported = plugin.import_(ISSUERS, f"{mounted}/config/issuers")
        assert imported is not None
        inputs: Properties = {"backend": mounted, "default": issuer}
        assert imported.inputs == {**inputs, "__defaults": []}
        assert not plugin.diff(imported, inputs).changes
        with pytest.raises(RefusedError, match=f'no backend found in "{mounted}"'):
            plugin.import_(ISSUERS, mounted)

    def test_deletion_deletes_nothing_but_that_of_the_mount_is_seen(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        inputs: Properties = {"backend": mounted, "default": import_root(vault, mounted, "one")}
        chosen = plugin.create(ISSUERS, inputs)
        plugin.delete(chosen)
        assert vault.client.read(chosen.id)["data"]["default"] == inputs["default"]
        vault.client.sys.disable_secrets_engine(mounted)
        assert plugin.read(chosen) is None

    def test_an_issuer_that_does_not_exist(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        import_root(vault, mounted, "one")
        with pytest.raises(
            RefusedError, match=f'^error writing data to "{mounted}/config/issuers"'
        ):
            plugin.create(ISSUERS, {"backend": mounted, "default": "nobody"})

    def test_a_preview_changes_nothing(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        first = import_root(vault, mounted, "one")
        planned = plugin.create(ISSUERS, {"backend": mounted, "default": UNKNOWN}, preview=True)
        assert planned.state["default"] is UNKNOWN
        assert vault.client.read(f"{mounted}/config/issuers")["data"]["default"] == first

    def test_an_unknown_field_is_refused_by_name(self, plugin: Plugin) -> None:
        failures = plugin.check(ISSUERS, {"backend": "pki", "issuer": "y"}).failures
        assert [found_path for found_path, _ in failures] == ["issuer"]


class TestFunctions:
    def test_the_issuers_of_an_engine(
        self, plugin: Plugin, vault: PrivateVault, mounted: str
    ) -> None:
        first = import_root(vault, mounted, "one")
        second = import_root(vault, mounted, "two")
        result = plugin.invoke(GET_ISSUERS, {"backend": mounted})
        keys = result["keys"]
        assert isinstance(keys, list)
        assert {*map(str, keys)} == {first, second}
        assert (result["id"], result["backend"]) == (f"{mounted}/issuers", mounted)
        info = result["keyInfo"]
        assert isinstance(info, dict)
        assert info.keys() == {first, second}
        assert json.loads(str(result["keyInfoJson"])).keys() == {first, second}
        assert json.loads(str(info[first]))["issuer_name"] == ""

    def test_an_engine_without_issuers(self, plugin: Plugin, mounted: str) -> None:
        assert plugin.invoke(GET_ISSUERS, {"backend": mounted}) == {}

    def test_one_issuer(self, plugin: Plugin, vault: PrivateVault, mounted: str) -> None:
        issuer = import_root(vault, mounted, "one")
        found = vault.client.read(f"{mounted}/issuer/{issuer}")["data"]
        result = plugin.invoke(GET_ISSUER, {"backend": mounted, "issuerRef": "default"})
        assert result == {
            "id": f"{mounted}/issuer/default",
            "backend": mounted,
            "issuerRef": "default",
            "issuerId": issuer,
            "issuerName": "",
            "keyId": found["key_id"],
            "certificate": found["certificate"],
            "caChains": found["ca_chain"],
            "manualChains": [],
            "leafNotAfterBehavior": "err",
            "usage": found["usage"],
            "disableCriticalExtensionChecks": False,
            "disableNameChecks": False,
            "disableNameConstraintChecks": False,
            "disablePathLengthChecks": False,
            "namespace": None,
        }

    def test_an_issuer_that_does_not_exist(self, plugin: Plugin, mounted: str) -> None:
        with pytest.raises(RefusedError, match=r"^(error reading from Vault|no issuer found)"):
            plugin.invoke(GET_ISSUER, {"backend": mounted, "issuerRef": "nobody"})

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({}, '"backend" is required'),
            ({"backend": "pki", "name": "x"}, "has no field 'name'"),
        ],
    )
    def test_wrong_arguments(self, plugin: Plugin, arguments: Properties, words: str) -> None:
        with pytest.raises(RefusedError, match=words):
            plugin.invoke(GET_ISSUERS, arguments)
