"""Several roots in one mount: one signs, the others are trusted and cannot be made to sign."""

import time
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import hvac
import pytest
from cryptography import x509
from hvac.exceptions import InternalServerError

from mesh_trust.live_certificates import (
    CertificatesUnreadableError,
    LiveCertificate,
    live_certificates,
)
from mesh_trust.root_checks import fingerprint
from tests.background import in_background
from tests.certificates import Made, Recipe, make
from tests.private_vault import PrivateVault

from .project import Project
from .signing import SigningMount

FIRST = make(Recipe(common_name="root of 2026"))
SECOND = make(Recipe(common_name="root of 2036"))
WITHOUT_KEY = make(Recipe(common_name="root of others"))


def keyed(made: Made) -> dict[str, str]:
    return {"certificate_pem": made.certificate_pem, "private_key_pem": made.private_key_pem}


def generations(mount: str, **changes: Any) -> dict[str, Any]:
    return {
        **keyed(FIRST),
        "mount_path": mount,
        "protect": False,
        "further_roots": {
            "second": keyed(SECOND),
            "others": {"certificate_pem": WITHOUT_KEY.certificate_pem},
        },
        **changes,
    }


def signs(outputs: dict[str, Any]) -> dict[str, Any]:
    """What the outputs say of the root that signs."""
    return {name: value for name, value in outputs.items() if name != "root_certificates"}


def test_a_root_is_added_takes_over_and_the_old_one_retires(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    there = SigningMount(vault.client, mount)

    project.give("RootPki", {**keyed(FIRST), "mount_path": mount, "protect": False})
    outputs = project.up()
    first = there.issuers()[fingerprint(FIRST.certificate)]
    assert (outputs["issuer_id"], there.default()) == (first, first)

    # Added: in the mount, trusted, and the first one signs as before.
    project.give("RootPki", generations(mount))
    assert not set(project.steps().values()) & {"replace", "delete", "update"}
    assert signs(project.up()) == signs(outputs)
    project.expect_no_changes()
    ids = there.issuers()
    second = ids[fingerprint(SECOND.certificate)]
    others = ids[fingerprint(WITHOUT_KEY.certificate)]
    assert len(ids) == 3
    assert there.default() == first
    assert there.sign().issuer == FIRST.certificate.subject
    assert there.sign(issuer_ref=first).issuer == FIRST.certificate.subject
    for kept in (second, others):
        with pytest.raises(InternalServerError):
            there.sign(issuer_ref=kept)

    # The second takes over: the first is still there, and kept from signing.
    project.give("RootPki", generations(mount, signing_root="second"))
    outputs = project.up()
    project.expect_no_changes()
    assert (outputs["issuer_id"], there.default()) == (second, second)
    assert outputs["certificate_pem"] == SECOND.certificate_pem
    assert there.sign().issuer == SECOND.certificate.subject
    assert there.issuers() == ids
    with pytest.raises(InternalServerError):
        there.sign(issuer_ref=first)

    # The first is given up. What is in Vault stays, and still cannot sign.
    retired = generations(mount, signing_root="second")
    del retired["certificate_pem"], retired["private_key_pem"], retired["further_roots"]["others"]
    project.give("RootPki", retired)
    assert signs(project.up()) == signs(outputs)
    project.expect_no_changes()
    assert there.issuers() == ids
    assert there.sign().issuer == SECOND.certificate.subject
    with pytest.raises(InternalServerError):
        there.sign(issuer_ref=first)


def test_roots_of_one_key_and_name_do_not_get_into_one_mount(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    """What is refused, and first why: Vault would take them, and not sign."""
    renewed = make(Recipe(key=FIRST.key, common_name="root of 2026", ends=4000))
    there = SigningMount(vault.client, mount)
    vault.client.sys.enable_secrets_engine("pki", path=mount)
    for made in (FIRST, renewed):
        bundle = made.private_key_pem + made.certificate_pem
        vault.client.write_data(f"{mount}/config/ca", data={"pem_bundle": bundle})
    with pytest.raises(InternalServerError, match="trust path is incorrect"):
        there.sign()
    vault.client.sys.disable_secrets_engine(mount)

    for twin in (renewed, FIRST):
        project.give("RootPki", generations(mount, further_roots={"second": keyed(twin)}))
        outcome = project.attempt("up", "--yes", "--skip-preview")
        assert outcome.exit_code != 0
        assert (
            "further_roots.second.certificate_pem: 'CN=root of 2026' is not valid; leave it out"
        ) in outcome.output
        assert f"{mount}/" not in vault.client.sys.list_mounted_secrets_engines()["data"]

    # The key alone, and the name alone, may be the same.
    renamed = make(Recipe(key=FIRST.key, common_name="root of 2046"))
    rekeyed = make(Recipe(common_name="root of 2026"))
    further = {"renamed": keyed(renamed), "rekeyed": keyed(rekeyed)}
    project.give("RootPki", generations(mount, further_roots=further))
    project.up()
    project.expect_no_changes()
    assert there.sign().issuer == FIRST.certificate.subject


@pytest.mark.soak
def test_a_new_mount_with_several_roots_has_the_right_one_sign(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    there = SigningMount(vault.client, mount)
    project.give("RootPki", generations(mount, signing_root="second"))
    project.up()
    project.expect_no_changes()
    assert there.default() == there.issuers()[fingerprint(SECOND.certificate)]

    # A mount that is lost is mended with all of them.
    vault.client.sys.disable_secrets_engine(mount)
    project.run("refresh", "--yes", "--skip-preview")
    project.up()
    project.expect_no_changes()
    assert there.sign().issuer == SECOND.certificate.subject
    assert len(there.issuers()) == 3


def test_a_root_that_signs_no_more_can_do_without_its_key(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    there = SigningMount(vault.client, mount)
    project.give("RootPki", generations(mount, signing_root="second"))
    project.up()
    without = generations(mount, signing_root="second")
    del without["private_key_pem"]
    project.give("RootPki", without)
    project.up()
    project.expect_no_changes()
    assert len(there.issuers()) == 3
    assert there.sign().issuer == SECOND.certificate.subject


@pytest.mark.soak
def test_roots_that_vault_makes_take_turns_as_well(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    there = SigningMount(vault.client, mount)
    first, second = {"common_name": "root"}, {"common_name": "root 2036", "lifetime_days": 4000}
    base: dict[str, Any] = {"mount_path": mount, "protect": False}

    project.give("RootPki", {**base, "generate": first})
    before = project.up()
    project.give("RootPki", {**base, "generate": first, "further_generated": {"second": second}})
    steps = project.steps()
    assert steps.pop("root-mount") == "update"
    assert set(steps.values()) == {"create"}
    after = project.up()
    project.expect_no_changes()
    assert (after["issuer_id"], there.default()) == (before["issuer_id"], before["issuer_id"])
    certificates = after["root_certificates"]
    assert certificates.keys() == {"first", "second"}
    made = x509.load_pem_x509_certificate(certificates["second"].encode())
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 4000
    with pytest.raises(InternalServerError):
        there.sign(issuer_ref=there.issuers()[fingerprint(made)])

    both = {**base, "generate": first, "further_generated": {"second": second}}
    project.give("RootPki", {**both, "signing_root": "second"})
    outputs = project.up()
    project.expect_no_changes()
    assert outputs["certificate_pem"] == certificates["second"]
    assert there.sign().issuer == made.subject
    with pytest.raises(InternalServerError):
        there.sign(issuer_ref=before["issuer_id"])

    # What Vault has made goes from there when it is given up.
    project.give(
        "RootPki", {**base, "further_generated": {"second": second}, "signing_root": "second"}
    )
    project.up()
    project.expect_no_changes()
    assert there.issuers().keys() == {fingerprint(made)}
    assert there.sign().issuer == made.subject


def test_what_lives_below_a_root_is_found_in_vault(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    project.give("RootPki", {**keyed(FIRST), "mount_path": mount, "protect": False})
    project.up()
    there = SigningMount(vault.client, mount)

    def living(root: Made, token: str | None = None) -> list[str]:
        client = vault.client if token is None else hvac.Client(url=vault.address, token=token)
        return [each.serial for each in live_certificates(client, root.certificate, mount)]

    # The root itself is none.
    assert living(FIRST) == []
    late, soon = there.sign(ttl="48h"), there.sign(ttl="24h")
    assert living(FIRST) == [serial(soon), serial(late)]
    assert living(SECOND) == []
    # Another generation signs.
    project.give("RootPki", generations(mount, signing_root="second"))
    project.up()
    new = there.sign()
    assert living(FIRST) == [serial(soon), serial(late)]
    assert living(SECOND) == [serial(new)]

    vault.client.write_data(f"{mount}/revoke", data={"serial_number": serial(soon)})
    ended = there.sign(ttl="1s")
    assert living(FIRST) == [serial(late)]
    while ended.not_valid_after_utc >= datetime.now(UTC):
        time.sleep(0.1)
    assert living(SECOND) == [serial(new)]

    policy = f'path "{mount}/certs" {{ capabilities = ["list"] }}'
    vault.client.sys.create_or_update_policy("lists", policy)
    created = vault.client.auth.token.create
    allowed = created(policies=["lists"])["auth"]["client_token"]
    assert living(FIRST, allowed) == [serial(late)]
    refused = created(policies=["default"])["auth"]["client_token"]
    with pytest.raises(CertificatesUnreadableError) as refusal:
        living(FIRST, refused)
    assert str(refusal.value) == f"Vault refuses the token to list {mount}/certs; give it {policy}"


def test_a_mount_that_is_lost_is_told_from_an_empty_one(vault: PrivateVault, mount: str) -> None:
    def living() -> list[LiveCertificate]:
        return live_certificates(vault.client, FIRST.certificate, mount)

    with pytest.raises(CertificatesUnreadableError) as refusal:
        living()
    assert str(refusal.value).startswith(f"Vault has no mount {mount}, so it has lost what it knew")
    vault.client.sys.enable_secrets_engine("pki", mount)
    assert living() == []


def test_who_answers_and_is_no_vault_is_told(tmp_path: Path) -> None:
    """A proxy with a page of its own, for example."""
    (tmp_path / "v1/pki/ca").mkdir(parents=True)
    (tmp_path / "v1/pki/ca/pem").write_text("well")
    (tmp_path / "v1/pki/certs").write_text("well")
    handler = partial(_Quiet, directory=str(tmp_path))
    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        client = hvac.Client(url=f"http://127.0.0.1:{server.server_port}", token="any")
        with pytest.raises(CertificatesUnreadableError, match=r"certs \(its answer is no JSON"):
            live_certificates(client, FIRST.certificate, "pki")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def serial(certificate: x509.Certificate) -> str:
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
