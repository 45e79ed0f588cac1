import pytest
from cryptography import x509

from lab.plugins.provider.values import UNKNOWN, Properties, Secret, Value
from tests.conformance.harness import Plugin, RefusedError, Resource
from tests.conformance.vault.conftest import PrivateVault
from tests.conformance.vault.test_pki import import_root

REQUEST = (
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest"
)
SIGNED = "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate"
SET_SIGNED = "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned"


@pytest.fixture
def root(vault: PrivateVault, path: str) -> str:
    """A mount with a root CA."""
    vault.client.sys.enable_secrets_engine("pki", path=f"{path}-root")
    import_root(vault, f"{path}-root", "the root")
    return f"{path}-root"


@pytest.fixture
def mounted(vault: PrivateVault, path: str) -> str:
    """An empty mount."""
    vault.client.sys.enable_secrets_engine("pki", path=path)
    return path


@pytest.fixture
def inputs(mounted: str) -> Properties:
    return {
        "backend": mounted,
        "type": "internal",
        "commonName": "east",
        "organization": "Example",
        "keyType": "ec",
        "keyBits": 256,
    }


@pytest.fixture
def request_(plugin: Plugin, inputs: Properties) -> Resource:
    return plugin.create(REQUEST, inputs)


def signing(root: str, request: Resource, **more: Value) -> Properties:
    return {
        "backend": root,
        "csr": request.state["csr"],
        "commonName": "east",
        "ttl": "1h",
        **more,
    }


class TestRequest:
    def test_create(
        self, vault: PrivateVault, mounted: str, inputs: Properties, request_: Resource
    ) -> None:
        csr = x509.load_pem_x509_csr(str(request_.state["csr"]).encode())
        assert csr.subject.rfc4514_string() == "CN=east,O=Example"
        assert request_.id.startswith(f"{mounted}/issuers/generate/intermediate/internal/")
        (key,) = vault.client.list(f"{mounted}/keys")["data"]["keys"]
        assert request_.inputs == {
            **inputs,
            "format": "pem",
            "privateKeyFormat": "der",
            "__defaults": ["format", "privateKeyFormat"],
        }
        assert request_.state == {
            **inputs,
            "addBasicConstraints": False,
            "altNames": None,
            "country": None,
            "csr": request_.state["csr"],
            "excludeCnFromSans": None,
            "format": "pem",
            "id": request_.id,
            "ipSans": None,
            "keyId": key,
            "keyName": None,
            "keyRef": None,
            "locality": None,
            "namespace": None,
            "otherSans": None,
            "ou": None,
            "postalCode": None,
            # The key stays in Vault.
            "privateKey": Secret(None),
            "privateKeyFormat": "der",
            "privateKeyType": None,
            "province": None,
            "serialNumber": None,
            "signatureBits": None,
            "streetAddress": None,
            "uriSans": None,
        }

    def test_nothing_is_read_and_nothing_deleted(
        self,
        plugin: Plugin,
        vault: PrivateVault,
        mounted: str,
        inputs: Properties,
        request_: Resource,
    ) -> None:
        read = plugin.read(request_)
        assert read is not None
        assert read.state == request_.state
        assert not plugin.diff(request_, inputs).changes
        plugin.delete(request_)
        assert len(vault.client.list(f"{mounted}/keys")["data"]["keys"]) == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [("commonName", "west"), ("keyBits", 384), ("organization", "Other"), ("backend", "x")],
    )
    def test_every_change_replaces(
        self, plugin: Plugin, inputs: Properties, request_: Resource, field: str, value: Value
    ) -> None:
        assert plugin.diff(request_, {**inputs, field: value}).replaces == [field]

    def test_a_preview_makes_no_key(
        self, plugin: Plugin, vault: PrivateVault, mounted: str, inputs: Properties
    ) -> None:
        planned = plugin.create(REQUEST, inputs, preview=True)
        assert planned.state["csr"] is UNKNOWN
        assert vault.client.list(f"{mounted}/keys") is None

    def test_a_key_that_would_leave_vault_is_not_known_here(
        self, plugin: Plugin, inputs: Properties
    ) -> None:
        ((path, reason),) = plugin.check(REQUEST, {**inputs, "type": "exported"}).failures
        assert (path, "to be one of" in reason) == ("type", True)


class TestSigning:
    def test_create(
        self, plugin: Plugin, vault: PrivateVault, root: str, request_: Resource
    ) -> None:
        inputs = signing(root, request_, maxPathLength=1, organization="Example")
        signed = plugin.create(SIGNED, inputs)
        certificate = x509.load_pem_x509_certificate(str(signed.state["certificate"]).encode())
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (constraints.value.ca, constraints.value.path_length) == (True, 1)
        assert certificate.subject.rfc4514_string() == "CN=east,O=Example"
        issuer = vault.client.read(f"{root}/cert/ca")["data"]["certificate"].strip()
        assert signed.state["issuingCa"] == issuer
        assert signed.state["caChains"] == [signed.state["certificate"], issuer]
        bundle = f"{signed.state['certificate']}\n{issuer}"
        assert signed.state["certificateBundle"] == bundle
        assert signed.id == f"{root}/east"
        assert signed.state["__meta"] == '{"schema_version":"2"}'
        read = plugin.read(signed)
        assert read is not None
        assert read.state == signed.state
        assert not plugin.diff(signed, inputs).changes

    def test_a_lifetime_changes_nothing_but_the_state(
        self, plugin: Plugin, root: str, request_: Resource
    ) -> None:
        signed = plugin.create(SIGNED, signing(root, request_))
        difference = plugin.diff(signed, signing(root, request_, ttl="2h"))
        assert (difference.replaces, difference.detailed) == ([], {"ttl": "UPDATE"})
        updated = plugin.update(signed, signing(root, request_, ttl="2h"))
        assert updated.state["certificate"] == signed.state["certificate"]

    def test_a_path_length_that_is_not_given_is_left_to_vault(
        self, plugin: Plugin, root: str, request_: Resource
    ) -> None:
        inputs = signing(root, request_)
        signed = plugin.create(SIGNED, inputs)
        assert signed.state["maxPathLength"] == -1
        assert not plugin.diff(signed, inputs).changes
        assert plugin.diff(signed, {**inputs, "maxPathLength": 0}).replaces == ["maxPathLength"]

    def test_another_issuer_of_the_mount(
        self, plugin: Plugin, vault: PrivateVault, root: str, request_: Resource
    ) -> None:
        other = import_root(vault, root, "another root")
        signed = plugin.create(SIGNED, signing(root, request_, issuerRef=other))
        issuer = x509.load_pem_x509_certificate(str(signed.state["issuingCa"]).encode())
        assert issuer.subject.rfc4514_string() == "CN=another root"
        assert signed.id == f"{root}/issuer/{other}/sign-intermediate/east"

    def test_another_request_replaces(
        self, plugin: Plugin, root: str, inputs: Properties, request_: Resource
    ) -> None:
        signed = plugin.create(SIGNED, signing(root, request_))
        other = plugin.create(REQUEST, inputs)
        assert plugin.diff(signed, signing(root, other)).replaces == ["csr"]

    def test_what_is_no_request_is_vaults_refusal(self, plugin: Plugin, root: str) -> None:
        with pytest.raises(RefusedError, match="error creating root sign-intermediate on PKI"):
            plugin.create(SIGNED, {"backend": root, "csr": "none", "commonName": "east"})


class TestSetSigned:
    def test_the_mount_signs_with_it(
        self,
        plugin: Plugin,
        vault: PrivateVault,
        root: str,
        mounted: str,
        request_: Resource,
    ) -> None:
        signed = plugin.create(SIGNED, signing(root, request_, maxPathLength=1))
        inputs: Properties = {
            "backend": mounted,
            "certificate": signed.state["certificateBundle"],
        }
        imported = plugin.create(SET_SIGNED, inputs)
        assert imported.id.startswith(f"{mounted}/intermediate/set-signed/")
        issuers = vault.client.list(f"{mounted}/issuers")["data"]["keys"]
        found = imported.state["importedIssuers"]
        assert isinstance(found, list)
        assert sorted(map(str, found)) == sorted(issuers)
        assert imported.state["importedKeys"] is None
        read = plugin.read(imported)
        assert read is not None
        assert read.state == imported.state
        assert not plugin.diff(imported, inputs).changes
        assert plugin.diff(imported, {**inputs, "certificate": "other"}).replaces == ["certificate"]

        plugin.delete(imported)
        assert vault.client.list(f"{mounted}/issuers")["data"]["keys"] == issuers
        vault.client.sys.disable_secrets_engine(mounted)
        assert plugin.read(imported) is None

    def test_a_certificate_of_another_key_is_imported_without_one(
        self, plugin: Plugin, root: str, mounted: str, vault: PrivateVault
    ) -> None:
        issuer = vault.client.read(f"{root}/cert/ca")["data"]["certificate"]
        imported = plugin.create(SET_SIGNED, {"backend": mounted, "certificate": issuer})
        assert imported.state["importedKeys"] is None

    def test_what_is_no_certificate_is_vaults_refusal(self, plugin: Plugin, mounted: str) -> None:
        with pytest.raises(RefusedError, match="error creating intermediate set-signed on PKI"):
            plugin.create(SET_SIGNED, {"backend": mounted, "certificate": "none"})
