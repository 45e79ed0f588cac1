"""What the stack's configuration may say of the root, source by source."""

from typing import Any

import pytest

from components.root_checks import fingerprint
from settings import InvalidConfigurationError, Root
from tests.certificates import Recipe, certificate_faults, key_pem, make

from .test_settings import environment, load

__all__ = ["environment"]

MADE = make()
FINGERPRINT = fingerprint(MADE.certificate)
IMPORTED = {
    "rootSource": "imported",
    "rootCertificate": MADE.certificate_pem,
    "rootPrivateKey": MADE.private_key_pem,
}
EXTERNAL = {
    "rootSource": "external",
    "rootCertificate": MADE.certificate_pem,
    "rootSigningMount": "corporate/pki",
}


def root(**config: Any) -> Root:
    return load(secrets=["rootPrivateKey"], **config).root


def test_the_whole_subject_of_a_generated_root() -> None:
    for source in ("generated", "vault"):
        args = root(
            rootSource=source,
            rootCommonName="our root",
            rootOrganization="Example",
            rootOrganizationalUnit="Platform",
            rootCountry="DE",
            rootProvince="Berlin",
            rootLocality="Mitte",
            rootKeyAlgorithm="ECDSA-P384",
            rootLifetimeDays=1000,
            rootPathLength=2,
        ).certificate_args
        assert args == {
            "common_name": "our root",
            "organization": "Example",
            "organizational_unit": "Platform",
            "country": "DE",
            "province": "Berlin",
            "locality": "Mitte",
            "key_algorithm": "ECDSA-P384",
            "lifetime_days": 1000,
            "path_length": 2,
        }


def test_an_imported_root() -> None:
    read = root(**IMPORTED)
    assert (read.source, read.certificate) == ("imported", MADE.certificate_pem)
    assert read.private_key == MADE.private_key_pem
    assert MADE.private_key_pem not in repr(read)
    assert "PRIVATE KEY" not in repr(read)


def test_an_external_root() -> None:
    read = root(**EXTERNAL)
    assert (read.source, read.certificate) == ("external", MADE.certificate_pem)
    assert (read.signing_mount, read.private_key) == ("corporate/pki", None)


def test_a_root_without_key_usage_is_accepted_where_that_is_said() -> None:
    made = certificate_faults()["no key usage"]
    values = {**EXTERNAL, "rootCertificate": made.certificate_pem}
    with pytest.raises(InvalidConfigurationError, match=r"^rootCertificate: .*no keyUsage"):
        root(**values)
    assert root(**values, rootAcceptMissingKeyUsage=True).certificate == made.certificate_pem


def test_a_fingerprint_is_read_in_any_form() -> None:
    for written in (FINGERPRINT, FINGERPRINT.upper(), FINGERPRINT.replace(":", "")):
        assert root(rootReplaces=written).replaces == FINGERPRINT


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"rootSource": "bought"}, "^rootSource: 'bought' .*generated, imported, vault, external"),
        ({"rootKeyAlgorithm": "RSA-2048"}, "^rootKeyAlgorithm: 'RSA-2048' .*RSA-4096, RSA-3072"),
        ({"rootPathLength": 0}, "^rootPathLength: 0 .*whole number of CAs, 1 or more"),
        ({"rootPathLength": "long"}, "^rootPathLength: 'long' .*whole number of CAs"),
        ({"rootCountry": "Germany"}, "^rootCountry: 'Germany' .*two capital letters"),
        ({"rootLocality": "x" * 129}, "^rootLocality: "),
        ({"rootOrganizationalUnit": "x" * 65}, "^rootOrganizationalUnit: "),
        (
            {"rootCertificate": "x"},
            "^rootCertificate: '…' .*leave it out with rootSource generated",
        ),
        ({"rootPrivateKey": "x"}, "^rootPrivateKey: '…' .*leave it out with rootSource generated"),
        ({"rootSigningMount": "pki"}, "^rootSigningMount: '…' .*leave it out"),
        ({"rootAcceptMissingKeyUsage": True}, "^rootAcceptMissingKeyUsage: True .*leave it out"),
        ({"rootReplaces": "all"}, "^rootReplaces: 'all' .*64 hexadecimal digits"),
        (
            {"rootSource": "vault", "rootOrganization": "Example, Inc."},
            "^rootOrganization: 'Example, Inc.' .*leave out the comma",
        ),
        (
            {"rootSource": "vault", "rootLifetimeDays": 365},
            "^intermediateLifetimeDays: 365 .*rootLifetimeDays",
        ),
        ({**IMPORTED, "rootCertificate": ""}, "^rootCertificate: None .*imported needs it"),
        ({**IMPORTED, "rootPrivateKey": ""}, "^rootPrivateKey: None .*imported needs it"),
        ({**IMPORTED, "rootSigningMount": "pki"}, "^rootSigningMount: '…' .*leave it out"),
        ({**IMPORTED, "rootCommonName": "x"}, "^rootCommonName: 'x' .*leave it out"),
        ({**IMPORTED, "rootLifetimeDays": 10}, "^rootLifetimeDays: 10 .*leave it out"),
        ({**IMPORTED, "rootPrivateKey": make().private_key_pem}, "^rootPrivateKey: '…' .*another"),
        ({**IMPORTED, "rootPrivateKey": "key.pem"}, "^rootPrivateKey: '…' .*one private key"),
        (
            {**IMPORTED, "intermediateLifetimeDays": 3651},
            "^intermediateLifetimeDays: 3651 .*asks for 3651 days.* has 36(49|50) days left",
        ),
        ({**EXTERNAL, "rootSigningMount": ""}, "^rootSigningMount: None .*external needs it"),
        ({**EXTERNAL, "rootSigningMount": "/pki"}, "^rootSigningMount: '/pki' "),
        (
            {
                **EXTERNAL,
                "development": True,
                "management": {"context": "west"},
                "vaultInstall": {"mode": "dev"},
            },
            "^rootSource: 'external' .*a Vault yet to be",
        ),
        ({**EXTERNAL, "rootPrivateKey": "x"}, "^rootPrivateKey: '…' .*leave it out"),
    ],
)
def test_a_wrong_value_is_named(config: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        root(**config)


def test_a_root_that_ends_soon_limits_the_intermediates() -> None:
    made = make(Recipe(ends=100))
    values = {
        **IMPORTED,
        "rootCertificate": made.certificate_pem,
        "rootPrivateKey": key_pem(made.key),
    }
    with pytest.raises(
        InvalidConfigurationError, match=r"^intermediateLifetimeDays: 365 .*use 99 or less"
    ):
        root(**values)
    root(**values, intermediateLifetimeDays=99)


def test_a_key_in_clear_is_refused() -> None:
    with pytest.raises(
        InvalidConfigurationError, match=r"^rootPrivateKey: '…' .*in clear.* --secret"
    ):
        load(**IMPORTED)
