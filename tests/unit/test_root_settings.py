"""What the stack's configuration may say of the root, source by source."""

from typing import Any

import pytest

from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import InvalidConfigurationError, Root
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


OTHER = make(Recipe(common_name="other"))
BROUGHT = {
    "name": "2027",
    "certificate": OTHER.certificate_pem,
    "privateKey": OTHER.private_key_pem,
}


def generations(*entries: Any, **config: Any) -> Root:
    return load(
        secrets=["rootPrivateKey", "rootGenerations"], rootGenerations=[*entries], **config
    ).root


def test_a_root_without_generations_is_the_first_of_them() -> None:
    read = root()
    assert [each.name for each in read.generations] == ["first"]
    assert (read.signing_name, read.retires) == ("first", None)
    # Named, it is the same.
    assert generations() == read
    assert generations({"name": "first"}) == read


def test_a_further_generation_lays_its_own_over_the_keys_of_the_root() -> None:
    for source in ("generated", "vault"):
        read = generations(
            {"name": "first"},
            {"name": 2027, "keyAlgorithm": "ECDSA-P256", "lifetimeDays": 1000},
            {"name": "2028", "commonName": "by name", "country": "DE"},
            rootSource=source,
            rootCommonName="mesh root",
            rootOrganization="Example",
            rootSigning="2027",
            rootRetires=FINGERPRINT.upper(),
        )
        first, second, third = read.generations
        assert first.certificate_args["common_name"] == "mesh root"
        assert second.name == "2027"
        assert second.certificate_args == {
            **first.certificate_args,
            "common_name": "mesh root 2027",
            "key_algorithm": "ECDSA-P256",
            "lifetime_days": 1000,
        }
        assert third.certificate_args["common_name"] == "by name"
        assert third.certificate_args["country"] == "DE"
        assert read.signing is second
        assert read.retires == FINGERPRINT


def test_further_generations_that_are_brought_along() -> None:
    read = generations({"name": "first"}, BROUGHT, **IMPORTED, rootSigning="2027")
    assert read.certificate == OTHER.certificate_pem
    assert read.private_key == OTHER.private_key_pem
    assert "PRIVATE KEY" not in repr(read)
    # One that does not sign needs no key, and without the first its keys are gone.
    trusted = {key: value for key, value in BROUGHT.items() if key != "privateKey"}
    read = generations({"name": "first"}, trusted, **IMPORTED, rootSigning="first")
    assert read.generations[1].private_key is None
    former = {key: value for key, value in IMPORTED.items() if key != "rootPrivateKey"}
    read = generations({"name": "first"}, BROUGHT, **former, rootSigning="2027")
    assert read.generations[0].private_key is None
    with pytest.raises(InvalidConfigurationError, match=r"^rootPrivateKey: None .*needs it"):
        generations({"name": "first"}, BROUGHT, **former, rootSigning="first")
    read = generations(BROUGHT, rootSource="imported")
    assert [each.name for each in read.generations] == ["2027"]
    assert read.private_key == OTHER.private_key_pem


FIRST = {"name": "first"}


@pytest.mark.parametrize(
    ("entries", "config", "message"),
    [
        (["first"], {}, r"^rootGenerations\[0\]: '…' .*give it the fields name, commonName"),
        ([{}], {}, r"^rootGenerations\[0\]\.name: None .*give it a text"),
        ([{"name": "A"}], {}, r"^rootGenerations\[0\]\.name: '…' .*1 to 63 lower-case"),
        ([FIRST, FIRST], {}, r"^rootGenerations\[1\]\.name: '…' .*each generation has its own"),
        (
            [{"name": "first", "country": "DE"}],
            {},
            r"^rootGenerations\[0\]\.country: '…' .*leave it out: the keys root… say",
        ),
        ([{"name": "a", "countri": "DE"}], {}, r"^rootGenerations\[0\]\.countri: .*use country"),
        ([{"name": "a", "country": "Germany"}], {}, r"^rootGenerations\[0\]\.country: '…' .*two"),
        ([{"name": "a", "lifetimeDays": 36501}], {}, r"\[0\]\.lifetimeDays: '…' .*1 to 36500"),
        ([{"name": "a", "lifetimeDays": "x"}], {}, r"\[0\]\.lifetimeDays: '…' .*whole number"),
        (
            [{"name": "a"}],
            {"rootCommonName": "x" * 63},
            r"^rootGenerations\[0\]\.commonName: '…' .*1 to 64 characters",
        ),
        (
            [BROUGHT],
            {},
            r"rootGenerations\[0\]\.privateKey: '…' .*leave it out: the source is generated",
        ),
        ([FIRST, {"name": "a"}], {}, "^rootSigning: None .*generation that signs: first or a"),
        ([FIRST], {"rootSigning": "a"}, "^rootSigning: 'a' .*generation that signs: first"),
        ([FIRST], {"rootRetires": "first"}, "^rootRetires: 'first' .*64 hexadecimal digits"),
        ([FIRST], EXTERNAL, "^rootGenerations: '…' .*leave it out with rootSource external: who"),
        (
            [BROUGHT],
            IMPORTED,
            "rootCertificate: '…' .*leave it out: rootGenerations has no generation first",
        ),
        (
            [FIRST, {**BROUGHT, "keyAlgorithm": "RSA-4096"}],
            {**IMPORTED, "rootSigning": "first"},
            r"^rootGenerations\[1\]\.keyAlgorithm: .*its certificate says what it is",
        ),
        (
            [FIRST, {"name": "a"}],
            {**IMPORTED, "rootSigning": "first"},
            r"^rootGenerations\[1\]\.certificate: None .*give it a text",
        ),
        (
            [FIRST, {**BROUGHT, "privateKey": make().private_key_pem}],
            {**IMPORTED, "rootSigning": "first"},
            r"^rootGenerations\[1\]\.privateKey: '…' .*another",
        ),
        (
            [FIRST, {"name": "a", "certificate": OTHER.certificate_pem}],
            {**IMPORTED, "rootSigning": "a"},
            r"^rootGenerations\[1\]\.privateKey: None .*this generation is to sign",
        ),
        (
            [FIRST, {"name": "a", "certificate": MADE.certificate_pem}],
            {**IMPORTED, "rootSigning": "first"},
            r"^rootGenerations\[1\]\.certificate: '…' .*another key or name than rootCertificate",
        ),
        (
            [FIRST, {"name": "a", "lifetimeDays": 365}],
            {"rootSigning": "a"},
            "^intermediateLifetimeDays: 365 .*must not outlive its root",
        ),
    ],
)
def test_a_wrong_generation_is_named(
    entries: list[Any], config: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        generations(*entries, **config)


def test_generations_are_a_list() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"^rootGenerations: '…' .*list the gen"):
        load(rootGenerations={"name": "2027"})


def test_a_generations_key_in_clear_is_refused() -> None:
    with pytest.raises(InvalidConfigurationError, match=r"privateKey: '…' .*in clear.* --path"):
        load(
            secrets=["rootPrivateKey"],
            rootGenerations=[FIRST, BROUGHT],
            rootSigning="first",
            **IMPORTED,
        )


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
