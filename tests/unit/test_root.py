from typing import Any

import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from mesh_trust import InvalidInputError, RootCa, RootCaArgs, RootPki, RootPkiArgs
from tests.certificates import Made, Recipe, ec_key, make, rsa_key

from .conftest import Recorder, run, secret

KEY = "tls:index/privateKey:PrivateKey"
CERTIFICATE = "tls:index/selfSignedCert:SelfSignedCert"
MOUNT = "vault:index/mount:Mount"
IMPORT = "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa"
DEFAULT_ISSUER = "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers"
ISSUER = "vault:pkiSecret/secretBackendIssuer:SecretBackendIssuer"
VAULT_ROOT = "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert"

ROOT = make()


def generated(recorder: Recorder, recipe: Recipe) -> Made:
    """What the TLS provider is to make."""
    made = make(recipe)
    recorder.computed[KEY] = {"privateKeyPem": "the key"}
    recorder.computed[CERTIFICATE] = {"certPem": made.certificate_pem}
    return made


def issuers(recorder: Recorder, roots: dict[str, Made]) -> None:
    """What the mount in Vault is to hold."""
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda args: {
        **args,
        "keys": list(roots),
    }
    recorder.answers["vault:pkiSecret/getBackendIssuer:getBackendIssuer"] = lambda args: {
        **args,
        "certificate": roots[args["issuerRef"]].certificate_pem,
    }


def test_a_root_by_default(recorder: Recorder) -> None:
    made = generated(recorder, Recipe(key=rsa_key(4096), common_name="mesh root", ends=3649))

    def program() -> pulumi.Output[Any]:
        root = RootCa("root", {"common_name": "mesh root"})
        return pulumi.Output.all(
            root.certificate_pem, root.private_key_pem, root.private_key_pem.is_secret()
        )

    assert run(program) == [made.certificate_pem, "the key", True]
    assert recorder.of_type(KEY) == {"root-key": {"algorithm": "RSA", "rsaBits": 4096}}
    certificate = recorder.of_type(CERTIFICATE)["root-certificate"]
    assert certificate == {
        "privateKeyPem": secret("the key"),
        "subject": {"commonName": "mesh root"},
        "validityPeriodHours": 3650 * 24,
        "isCaCertificate": True,
        "maxPathLength": 1,
        "setSubjectKeyId": True,
        "allowedUses": ["cert_signing", "crl_signing"],
    }


def test_a_root_as_asked_for(recorder: Recorder) -> None:
    generated(
        recorder,
        Recipe(key=ec_key(ec.SECP384R1), common_name="mesh root", ends=9, path_length=2),
    )
    args: RootCaArgs = {
        "common_name": "mesh root",
        "key_algorithm": "ECDSA-P384",
        "lifetime_days": 10,
        "path_length": 2,
    }
    run(lambda: RootCa("root", args).certificate_pem)

    assert recorder.of_type(KEY)["root-key"] == {"algorithm": "ECDSA", "ecdsaCurve": "P384"}
    certificate = recorder.of_type(CERTIFICATE)["root-certificate"]
    assert certificate["validityPeriodHours"] == 240
    assert certificate["maxPathLength"] == 2


def test_the_whole_subject_is_asked_for(recorder: Recorder) -> None:
    generated(recorder, Recipe())
    args: RootCaArgs = {
        "common_name": "mesh root",
        "organization": "Example, Inc.",
        "organizational_unit": "Platform",
        "country": "DE",
        "province": "Berlin",
        "locality": "Mitte",
    }
    with pytest.raises(pulumi.RunError, match="it was made with common name 'root' instead of"):
        run(lambda: RootCa("root", args).certificate_pem)
    assert recorder.of_type(CERTIFICATE)["root-certificate"]["subject"] == {
        "commonName": "mesh root",
        "organization": "Example, Inc.",
        "organizationalUnit": "Platform",
        "country": "DE",
        "province": "Berlin",
        "locality": "Mitte",
    }


def test_an_imported_root_registers_nothing_of_its_own(recorder: Recorder) -> None:
    def program() -> pulumi.Output[Any]:
        root = RootCa(
            "root",
            {
                "source": "imported",
                "certificate_pem": ROOT.certificate_pem,
                "private_key_pem": ROOT.private_key_pem,
            },
        )
        return pulumi.Output.all(
            root.certificate_pem, root.private_key_pem, root.private_key_pem.is_secret()
        )

    assert run(program) == [ROOT.certificate_pem, ROOT.private_key_pem, True]
    assert recorder.types() == ["mesh-trust:index:RootCa"]


IMPORTED = {
    "source": "imported",
    "certificate_pem": ROOT.certificate_pem,
    "private_key_pem": ROOT.private_key_pem,
}


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({}, "common_name"),
        ({"common_name": "x", "key_algorithm": "RSA-2048"}, "key_algorithm"),
        ({"common_name": "x", "source": "bought"}, "source"),
        ({"common_name": "x", "certificate_pem": "c"}, "certificate_pem"),
        ({"common_name": "x", "accept_missing_key_usage": True}, "accept_missing_key_usage"),
        ({**IMPORTED, "common_name": "x"}, "common_name"),
        ({**IMPORTED, "lifetime_days": 1}, "lifetime_days"),
        ({"source": "imported", "certificate_pem": "c"}, "private_key_pem"),
        ({"source": "imported", "private_key_pem": "k"}, "certificate_pem"),
        ({**IMPORTED, "certificate_pem": make().certificate_pem}, "private_key_pem"),
        ({**IMPORTED, "certificate_pem": make(Recipe(ca=False)).certificate_pem}, "certificate"),
    ],
)
def test_a_useless_root_is_refused_before_anything_is_registered(
    recorder: Recorder, args: RootCaArgs, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}"):
        RootCa("root", args)
    assert recorder.registered == []


def test_the_root_is_imported_tuned_and_made_the_default_issuer(recorder: Recorder) -> None:
    issuers(recorder, {"id-of-older": make(), "id-of-root": ROOT})

    def program() -> pulumi.Output[Any]:
        args: RootPkiArgs = {
            "certificate_pem": ROOT.certificate_pem,
            "private_key_pem": ROOT.private_key_pem,
            "intermediate_lifetime_days": 90,
        }
        pki = RootPki("root-pki", args)
        return pulumi.Output.all(pki.certificate_pem, pki.mount_path, pki.ca_path, pki.issuer_id)

    assert run(program) == [
        ROOT.certificate_pem,
        "pki",
        "pki/root/sign-intermediate",
        "id-of-root",
    ]
    mount = recorder.of_type(MOUNT)["root-pki-mount"]
    assert (mount["path"], mount["type"]) == ("pki", "pki")
    assert mount["defaultLeaseTtlSeconds"] == mount["maxLeaseTtlSeconds"] == 90 * 86_400
    imported = recorder.of_type(IMPORT)["root-pki-import"]
    assert imported["backend"] == "pki"
    assert imported["pemBundle"] == secret(f"{ROOT.private_key_pem}\n{ROOT.certificate_pem}")
    assert recorder.of_type(DEFAULT_ISSUER)["root-pki-default-issuer"] == {
        "backend": "pki",
        "default": "id-of-root",
        "defaultFollowsLatestIssuer": False,
    }
    assert recorder.of_type(ISSUER) == {}


def test_a_root_for_vault_to_make(recorder: Recorder) -> None:
    made = make(Recipe(key=rsa_key(3072), common_name="mesh root", ends=999))
    recorder.computed[VAULT_ROOT] = {"certificate": made.certificate_pem, "issuerId": "id-of-it"}

    def program() -> pulumi.Output[Any]:
        args: RootPkiArgs = {
            "generate": {
                "common_name": "mesh root",
                "key_algorithm": "RSA-3072",
                "lifetime_days": 1000,
            }
        }
        pki = RootPki("root-pki", args)
        return pulumi.Output.all(pki.certificate_pem, pki.issuer_id)

    assert run(program) == [made.certificate_pem, "id-of-it"]
    assert recorder.of_type(VAULT_ROOT)["root-pki-root"] == {
        "backend": "pki",
        "type": "internal",
        "commonName": "mesh root",
        "excludeCnFromSans": True,
        "keyType": "rsa",
        "keyBits": 3072,
        "ttl": "24000h",
        "maxPathLength": 1,
    }
    # Vault cuts its own root to the mount's maximum, too.
    mount = recorder.of_type(MOUNT)["root-pki-mount"]
    assert mount["defaultLeaseTtlSeconds"] == 365 * 86_400
    assert mount["maxLeaseTtlSeconds"] == 1000 * 86_400
    assert recorder.of_type(DEFAULT_ISSUER)["root-pki-default-issuer"]["default"] == "id-of-it"
    assert recorder.of_type(IMPORT) == {}


def test_further_roots_are_trusted_and_do_not_sign(recorder: Recorder) -> None:
    new, old = make(), make(Recipe(usage=(True, False)))
    issuers(recorder, {"id-of-root": ROOT, "id-of-new": new, "id-of-old": old})
    args: RootPkiArgs = {
        "certificate_pem": ROOT.certificate_pem,
        "private_key_pem": ROOT.private_key_pem,
        "further_roots": {
            "new": {"certificate_pem": new.certificate_pem, "private_key_pem": new.private_key_pem},
            "old": {"certificate_pem": old.certificate_pem},
        },
    }
    recorder.computed[ISSUER] = {"issuerId": "id-of-root"}
    assert run(lambda: RootPki("root-pki", args).issuer_id) == "id-of-root"

    imports = recorder.of_type(IMPORT)
    assert imports["root-pki-new-import"]["pemBundle"] == secret(
        f"{new.private_key_pem}\n{new.certificate_pem}"
    )
    assert imports["root-pki-old-import"]["pemBundle"] == secret(old.certificate_pem)
    used = {name: each["usage"] for name, each in recorder.of_type(ISSUER).items()}
    assert used == {
        "root-pki-issuer": "crl-signing,issuing-certificates,ocsp-signing,read-only",
        "root-pki-new-issuer": "read-only",
        "root-pki-old-issuer": "read-only",
    }


def test_a_further_root_signs_when_it_is_named(recorder: Recorder) -> None:
    new = make(Recipe(usage=(True, False)))
    issuers(recorder, {"id-of-root": ROOT, "id-of-new": new})
    recorder.computed[ISSUER] = {"issuerId": "id-of-new"}

    def program() -> pulumi.Output[Any]:
        args: RootPkiArgs = {
            "certificate_pem": ROOT.certificate_pem,
            "further_roots": {
                "new": {
                    "certificate_pem": new.certificate_pem,
                    "private_key_pem": new.private_key_pem,
                }
            },
            "signing_root": "new",
        }
        pki = RootPki("root-pki", args)
        return pulumi.Output.all(pki.certificate_pem, pki.issuer_id)

    assert run(program) == [new.certificate_pem, "id-of-new"]
    used = {name: each["usage"] for name, each in recorder.of_type(ISSUER).items()}
    assert used == {
        # Its key usage has no revocation lists, and Vault would refuse them.
        "root-pki-new-issuer": "issuing-certificates,ocsp-signing,read-only",
        "root-pki-issuer": "read-only",
    }


KEYED = {"certificate_pem": ROOT.certificate_pem, "private_key_pem": ROOT.private_key_pem}
FURTHER = {"b": {"certificate_pem": ROOT.certificate_pem}}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({**KEYED, "mount_path": "pki/*"}, "^mount_path: "),
        ({**KEYED, "intermediate_lifetime_days": 0}, "^intermediate_lifetime_days: 0 "),
        (
            {**KEYED, "intermediate_lifetime_days": 3651},
            "^intermediate_lifetime_days: 3651 .*asks for 3651 days.*3651 days by default.* "
            "the root has 36(49|50) days left",
        ),
        ({}, "^private_key_pem: None .*give key and certificate"),
        ({"certificate_pem": ROOT.certificate_pem}, "^private_key_pem: None "),
        ({"private_key_pem": ROOT.private_key_pem}, "^certificate_pem: None "),
        ({**KEYED, "generate": {"common_name": "x"}}, "^certificate_pem: '…' .*Vault is to make"),
        ({"generate": {}}, "^common_name: "),
        ({"generate": {"common_name": "x", "organization": "a,b"}}, "^organization: 'a,b' "),
        ({**KEYED, "further_roots": {"B": FURTHER["b"]}}, "^further_roots: 'B' "),
        ({**KEYED, "further_roots": {"first": FURTHER["b"]}}, "^further_roots: 'first' .*first"),
        (
            {**KEYED, "further_generated": {"first": {"common_name": "x"}}},
            "^further_generated: 'first' .*first root's",
        ),
        (
            {
                **KEYED,
                "further_roots": FURTHER,
                "further_generated": {"b": {"common_name": "x"}},
            },
            "^further_generated: 'b' .*one of further_roots has it",
        ),
        ({**KEYED, "further_generated": {"b": {}}}, "^common_name: "),
        ({**KEYED, "signing_root": "b"}, "^signing_root: 'b' .*one of further_roots"),
        (
            {**KEYED, "further_roots": FURTHER, "signing_root": "b"},
            r"^further_roots\.b\.private_key_pem: None .*is to sign",
        ),
        (
            {**KEYED, "further_roots": {"b": {"certificate_pem": "x"}}},
            r"^further_roots\.b\.certificate_pem: '…' ",
        ),
        (
            {**KEYED, "further_roots": {"b": {**KEYED, "private_key_pem": make().private_key_pem}}},
            r"^further_roots\.b\.private_key_pem: '…' .*another's",
        ),
    ],
)
def test_a_useless_root_mount_is_refused_before_anything_is_registered(
    recorder: Recorder, args: RootPkiArgs, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        RootPki("root-pki", args)
    assert recorder.registered == []


def test_a_mount_without_the_root_is_one_line(recorder: Recorder) -> None:
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda args: args
    args: RootPkiArgs = {
        "certificate_pem": ROOT.certificate_pem,
        "private_key_pem": ROOT.private_key_pem,
    }
    with pytest.raises(pulumi.RunError, match="mount 'pki' has no issuers any more"):
        run(lambda: RootPki("root-pki", args).issuer_id)
