"""Roots that Pulumi or Vault make are what was asked for, whatever they would leave out."""

import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from mesh_trust.root_checks import require_root, require_root_key
from tests.private_vault import PrivateVault

from .project import Project
from .signing import SigningMount

SUBJECT = {
    "common_name": "mesh root, of 2026",
    "organization": "Example Ltd",
    "organizational_unit": "Platform",
    "country": "DE",
    "province": "Berlin",
    "locality": "Mitte",
}
PLAIN = {"common_name": "mesh root", "key_algorithm": "ECDSA-P256", "lifetime_days": 400}


def key_of(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        return f"RSA-{key.key_size}"
    assert isinstance(key, EllipticCurvePublicKey)
    return f"ECDSA-P{key.curve.key_size}"


def check(pem: str, algorithm: str) -> x509.Certificate:
    """The certificate, if it says all that `asked_for` asks for."""
    certificate = require_root("made", pem, further_cas=2)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.path_length == 2
    assert key_of(certificate) == algorithm
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 1000
    subject = {
        attribute.rfc4514_attribute_name: attribute.value for attribute in certificate.subject
    }
    assert subject == {
        "CN": "mesh root, of 2026",
        "O": "Example Ltd",
        "OU": "Platform",
        "C": "DE",
        "ST": "Berlin",
        "L": "Mitte",
    }
    return certificate


def asked_for(algorithm: str) -> dict[str, Any]:
    return {**SUBJECT, "key_algorithm": algorithm, "lifetime_days": 1000, "path_length": 2}


ALGORITHMS = ("RSA-4096", "RSA-3072", "ECDSA-P256", "ECDSA-P384")


def test_pulumi_makes_every_kind(project: Project) -> None:
    project.give_all(
        {each.lower(): ("RootCa", {**asked_for(each), "protect": False}) for each in ALGORITHMS}
    )
    made = project.up_all()
    project.expect_no_changes()
    for algorithm in ALGORITHMS:
        root = made[algorithm.lower()]
        certificate = check(root["certificate_pem"], algorithm)
        require_root_key("made", root["private_key_pem"], certificate)


def test_vault_makes_every_kind(vault: PrivateVault, mount: str, project: Project) -> None:
    paths = {algorithm: f"{mount}/{algorithm.lower()}" for algorithm in ALGORITHMS}
    project.give_all(
        {
            each.lower(): (
                "RootPki",
                {"generate": asked_for(each), "mount_path": paths[each], "protect": False},
            )
            for each in ALGORITHMS
        }
    )
    made = project.up_all()
    project.expect_no_changes()
    for algorithm in ALGORITHMS:
        root, there = made[algorithm.lower()], SigningMount(vault.client, paths[algorithm])
        certificate = check(root["certificate_pem"], algorithm)
        assert there.default() == root["issuer_id"]
        signed = there.sign(ttl="8760h")
        signed.verify_directly_issued_by(certificate)
        assert (signed.not_valid_after_utc - signed.not_valid_before_utc).days == 365


def test_the_key_of_a_root_of_vault_is_nowhere_else(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    project.give("RootPki", {"generate": PLAIN, "mount_path": mount, "protect": False})
    project.up()
    project.expect_no_changes()

    assert "PRIVATE KEY" not in project.state()
    issuer = SigningMount(vault.client, mount).issuer("default")
    key = vault.client.read(f"{mount}/key/{issuer['key_id']}")["data"]
    assert "PRIVATE KEY" not in json.dumps([issuer, key])


@pytest.mark.soak
def test_another_lifetime_and_a_lost_mount_are_another_root(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    """The provider alone would note the new lifetime, and leave the root as it is."""
    there = SigningMount(vault.client, mount)
    project.give("RootPki", {"generate": PLAIN, "mount_path": mount, "protect": False})
    first = project.up()
    longer = {**PLAIN, "lifetime_days": 500}
    project.give("RootPki", {"generate": longer, "mount_path": mount, "protect": False})
    second = project.up()
    assert first["certificate_pem"] != second["certificate_pem"]
    tuned = vault.client.sys.read_mount_configuration(mount)["data"]
    assert (tuned["default_lease_ttl"], tuned["max_lease_ttl"]) == (365 * 86_400, 500 * 86_400)
    # The one before went with its resource; what stays is its key.
    assert list(there.issuers().values()) == [second["issuer_id"]]

    vault.client.sys.disable_secrets_engine(mount)
    project.run("refresh", "--yes", "--skip-preview")
    third = project.up()
    project.expect_no_changes()
    assert third["certificate_pem"] != second["certificate_pem"]
    assert there.default() == third["issuer_id"]


@pytest.mark.parametrize(
    ("component", "name"), [("RootCa", "root-certificate"), ("RootPki", "root-root")]
)
def test_a_protected_root_is_not_replaced(
    mount: str, project: Project, component: str, name: str
) -> None:
    def args(common_name: str) -> dict[str, Any]:
        root = {**PLAIN, "common_name": common_name}
        return root if component == "RootCa" else {"generate": root, "mount_path": mount}

    project.give(component, args("mesh root"))
    project.up()
    project.give(component, args("other root"))
    outcome = project.attempt("preview")
    assert outcome.exit_code != 0
    assert name in outcome.output
    assert "marked for protection" in outcome.output
    project.run("state", "unprotect", "--all", "--yes")
