"""What is refused as a root, in which words, and what passes beside it."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat

from mesh_trust import InvalidInputError
from mesh_trust.root_checks import fingerprint, require_root, require_root_key
from tests.certificates import (
    Made,
    Recipe,
    certificate_faults,
    ec_key,
    encrypted_key_pem,
    key_pem,
    make,
    rsa_key,
)

FAULTS = certificate_faults()
GOOD = make()

MESSAGES = {
    "not a CA": r"not marked for CA use .*LibreSSL.*: make it with OpenSSL 1\.1\.1 or newer",
    "no constraints": "not marked for CA use .*LibreSSL",
    "constraints not critical": "basicConstraints are not critical: make it anew",
    "no room for an intermediate": "path length is 0, .* 1 more .*: make it anew with pathlen:1",
    "no key usage": "no keyUsage: make it anew with .*keyCertSign",
    "may not sign certificates": "keyUsage lacks keyCertSign: make it anew",
    "key usage not critical": "keyUsage is not critical: make it anew",
    "no key identifier": "no subjectKeyIdentifier, .*: make it anew",
    "short RSA key": "its RSA key has 1024 bits: use RSA of 2048",
    "weak curve": "on the curve secp224r1: use RSA of 2048 bits or more, or ECDSA on P-256",
    "Ed25519": "neither RSA nor ECDSA: use RSA of 2048 bits",
    "SHA-1": "signed with SHA1: make it anew with SHA-256",
    "an intermediate": "not self-signed but issued by 'CN=above': use the root at the top",
    "another's signature": "not self-signed: its signature is another key's",
    "expired": r"expired on 20\d\d-\d\d-\d\d \d\d:\d\d UTC: use a valid one",
    "yet to come": r"not valid before 20\d\d-\d\d-\d\d .*: use one that is valid now",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_root_is_refused(fault: str) -> None:
    made = FAULTS[fault]
    with pytest.raises(InvalidInputError, match=MESSAGES[fault]) as refusal:
        require_root("rootCertificate", made.certificate_pem)
    line = str(refusal.value)
    shown = f"rootCertificate: 'SHA-256 {fingerprint(made.certificate)}' is not valid; "
    assert line.startswith(shown)
    assert "\n" not in line


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(path_length=None),
        Recipe(path_length=3),
        Recipe(usage=(True, False)),
        Recipe(key=rsa_key(2048)),
        Recipe(key=ec_key(ec.SECP384R1)),
        Recipe(key=ec_key(ec.SECP521R1)),
        Recipe(starts=-0.001, ends=0.01),
    ],
)
def test_its_good_neighbours_pass(recipe: Recipe) -> None:
    made = make(recipe)
    assert require_root("rootCertificate", made.certificate_pem) == made.certificate
    require_root_key("rootPrivateKey", made.private_key_pem, made.certificate)


def test_a_missing_key_usage_can_be_accepted_and_nothing_else() -> None:
    for fault, made in FAULTS.items():
        accepted = fault == "no key usage"
        try:
            require_root("field", made.certificate_pem, accept_missing_key_usage=True)
        except InvalidInputError:
            assert not accepted, fault
        else:
            assert accepted, fault


def test_the_path_length_leaves_room_for_as_many_as_are_asked_for() -> None:
    pem = make(Recipe(path_length=1)).certificate_pem
    with pytest.raises(InvalidInputError, match=r"path length is 1, .* 2 more"):
        require_root("field", pem, further_cas=2)
    require_root("field", make(Recipe(path_length=2)).certificate_pem, further_cas=2)


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        ("", "use the content of a PEM file with one certificate"),
        ("root-cert.pem", "'…' is not valid; use the content of a PEM file"),
        (GOOD.certificate_pem.replace("MII", "MXX"), "use the content of a PEM file"),
        (GOOD.certificate_pem + make().certificate_pem, "'2 certificates' .* root alone"),
        (GOOD.certificate_pem + GOOD.private_key_pem, "leave the private key out"),
    ],
)
def test_what_is_not_one_certificate_is_refused(pem: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^rootCertificate: .*{message}") as refusal:
        require_root("rootCertificate", pem)
    assert gives_nothing_away(str(refusal.value), GOOD)


def test_text_around_a_certificate_does_not_matter() -> None:
    require_root("field", f"Certificate:\n  Data: …\n{GOOD.certificate_pem}\n")


KEY_FAULTS: dict[str, tuple[Callable[[], str], str]] = {
    "another's": (lambda: key_pem(ec_key()), "use the key of the certificate SHA-256 ..:"),
    "another kind": (lambda: key_pem(rsa_key()), "this is another's"),
    "encrypted": (lambda: encrypted_key_pem(GOOD.key), "is encrypted: decrypt it with `openssl"),
    "encrypted the old way": (
        lambda: encrypted_key_pem(GOOD.key, PrivateFormat.TraditionalOpenSSL),
        "it is encrypted: decrypt it",
    ),
    "none": (lambda: "", "use one private key in PEM"),
    "a path": (lambda: "root-key.pem", "use one private key in PEM"),
    "a certificate": (lambda: GOOD.certificate_pem, "use one private key in PEM"),
    "two": (lambda: GOOD.private_key_pem + key_pem(ec_key()), "use one private key in PEM"),
    "with its certificate": (
        lambda: GOOD.private_key_pem + GOOD.certificate_pem,
        "use one private key in PEM and nothing else",
    ),
    "broken": (lambda: GOOD.private_key_pem.replace("MIG", "MXX"), "it cannot be read"),
}


@pytest.mark.parametrize("fault", KEY_FAULTS)
def test_a_faulty_key_is_refused_and_not_shown(fault: str) -> None:
    make_key, message = KEY_FAULTS[fault]
    key = make_key()
    with pytest.raises(InvalidInputError, match=message) as refusal:
        require_root_key("rootPrivateKey", key, GOOD.certificate)
    line = str(refusal.value)
    assert line.startswith("rootPrivateKey: '…' is not valid; ")
    assert "\n" not in line
    assert gives_nothing_away(line, GOOD)
    for part in key.splitlines():
        assert not part or part not in line


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_a_key_in_any_of_its_forms_passes(form: PrivateFormat) -> None:
    for made in (GOOD, make(Recipe(key=rsa_key()))):
        require_root_key("field", key_pem(made.key, form), made.certificate)


def test_a_key_with_the_name_of_its_curve_passes() -> None:
    """As `openssl ecparam -genkey` writes it."""
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    sec1 = key_pem(GOOD.key, PrivateFormat.TraditionalOpenSSL)
    require_root_key("field", parameters + sec1, GOOD.certificate)


def gives_nothing_away(line: str, made: Made) -> bool:
    lines = made.private_key_pem.splitlines()[1:-1]
    return not any(part[:16] in line for part in lines)
