"""Vault takes roots that it should not. They are refused before anything of them is written."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hvac.exceptions import VaultError

from mesh_trust import InvalidInputError, RootPki, RootPkiArgs
from tests.certificates import certificate_faults, encrypted_key_pem, key_pem, make, rsa_key
from tests.private_vault import AuditLog, PrivateVault

from .project import Project
from .signing import SigningMount

GOOD = make()
OTHER = make()


@dataclass(frozen=True)
class Pair:
    """What is given for a root, and what Vault does with it unless it is checked."""

    certificate_pem: str
    private_key_pem: str
    outcome: str


SIGNS = "imports it, and signs with it"
IDLE = "imports it, and cannot sign"
ERROR = "imports it, and answers with an error"
REFUSES = "refuses it"

# Of Vault 1.13.1, which the lab runs.
OUTCOMES: Mapping[str, str] = {
    "not a CA": REFUSES,
    "no constraints": REFUSES,
    "constraints not critical": SIGNS,
    "no room for an intermediate": IDLE,
    "no key usage": SIGNS,
    "may not sign certificates": SIGNS,
    "key usage not critical": SIGNS,
    "no key identifier": ERROR,
    "short RSA key": SIGNS,
    "weak curve": SIGNS,
    "Ed25519": SIGNS,
    "SHA-1": SIGNS,
    "an intermediate": SIGNS,
    "another's signature": SIGNS,
    "expired": SIGNS,
    "yet to come": SIGNS,
}


def pairs() -> dict[str, Pair]:
    """All that is refused."""
    faults = {
        fault: Pair(made.certificate_pem, made.private_key_pem, OUTCOMES[fault])
        for fault, made in certificate_faults().items()
    }
    certificate, key = GOOD.certificate_pem, GOOD.private_key_pem
    old_form = encrypted_key_pem(GOOD.key, PrivateFormat.TraditionalOpenSSL)
    return faults | {
        "another's key": Pair(certificate, OTHER.private_key_pem, IDLE),
        "key of another kind": Pair(certificate, key_pem(rsa_key()), IDLE),
        "no key": Pair(certificate, "", IDLE),
        "certificate for a key": Pair(certificate, certificate, IDLE),
        "two certificates": Pair(certificate + OTHER.certificate_pem, key, SIGNS),
        "two keys": Pair(certificate, key + OTHER.private_key_pem, SIGNS),
        "encrypted key": Pair(certificate, encrypted_key_pem(GOOD.key), REFUSES),
        "key encrypted the old way": Pair(certificate, old_form, REFUSES),
    }


PAIRS = pairs()


def outcome_in_vault(vault: PrivateVault, path: str, pair: Pair) -> str:
    """What Vault does with a pair that nobody checks."""
    mount = SigningMount(vault.client, path)
    vault.client.sys.enable_secrets_engine("pki", path=path)
    bundle = f"{pair.private_key_pem}\n{pair.certificate_pem}"
    try:
        vault.client.write_data(f"{path}/config/ca", data={"pem_bundle": bundle})
    except VaultError:
        return ERROR if mount.issuers() else REFUSES
    try:
        mount.sign()
    except VaultError:
        return IDLE
    return SIGNS


@pytest.mark.parametrize("fault", PAIRS)
def test_what_vault_does_with_it(vault: PrivateVault, mount: str, fault: str) -> None:
    """Why each of the checks is there; this fails where a Vault has become stricter."""
    assert outcome_in_vault(vault, mount, PAIRS[fault]) == PAIRS[fault].outcome


def test_a_good_root_signs(vault: PrivateVault, mount: str) -> None:
    """The control for the test above."""
    good = Pair(GOOD.certificate_pem, GOOD.private_key_pem, SIGNS)
    assert outcome_in_vault(vault, mount, good) == SIGNS


def arguments(path: str, pair: Pair) -> RootPkiArgs:
    return {
        "certificate_pem": pair.certificate_pem,
        "private_key_pem": pair.private_key_pem,
        "mount_path": path,
        "protect": False,
    }


def refusal(pair: Pair) -> str:
    """The line with which a pair is refused that is known at once."""
    with pytest.raises(InvalidInputError) as refused:
        RootPki("root", arguments("pki", pair))
    return str(refused.value)


@pytest.mark.parametrize("fault", PAIRS)
def test_it_is_refused_at_once(fault: str) -> None:
    """There is no engine here: nothing is registered."""
    line = refusal(PAIRS[fault])
    assert line.startswith(("certificate_pem: ", "private_key_pem: "))
    assert "\n" not in line


LATE = ("not a CA", "expired", "another's key")


def test_what_becomes_known_late_is_refused_before_the_first_write(
    vault: PrivateVault, audit: AuditLog, mount: str, project: Project
) -> None:
    late = ("certificate_pem", "private_key_pem")
    there = SigningMount(vault.client, mount)
    for fault in LATE:
        project.give("RootPki", arguments(mount, PAIRS[fault]), late)
        if fault == LATE[0]:
            project.run("preview")
        outcome = project.attempt("up", "--yes", "--skip-preview")
        assert outcome.exit_code != 0
        assert outcome.errors == [refusal(PAIRS[fault])]
        assert "Traceback" not in outcome.output
        assert audit.writes(mount) == [], fault
        assert not there.exists()

    good = Pair(GOOD.certificate_pem, GOOD.private_key_pem, SIGNS)
    project.give("RootPki", arguments(mount, good), late)
    project.up()
    assert there.sign().issuer == GOOD.certificate.subject
    assert f"sys/mounts/{mount}" in audit.writes(mount)
