"""Roots of every source, through the whole program."""

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from lab.lab import Lab
from tests.certificates import Made, Recipe, make, rsa_key

from .chain import verify, workload_certificate
from .handshake import handshake
from .inventory import take_inventory, vault_client
from .program import Program
from .token_policy import limited_token, rules

MOUNT = "corporate/pki"


@pytest.fixture(scope="module")
def brought() -> Made:
    """A root that was made elsewhere."""
    return make(Recipe(key=rsa_key(3072), common_name="brought along"))


@pytest.fixture
def external(lab: Lab, brought: Made) -> Iterator[dict[str, Any]]:
    """Configuration for a mount that others set up with that root."""
    vault = vault_client(lab)
    config = {"default_lease_ttl": "8760h", "max_lease_ttl": "8760h"}
    vault.sys.enable_secrets_engine("pki", path=MOUNT, config=config)
    bundle = brought.private_key_pem + brought.certificate_pem
    vault.write_data(f"{MOUNT}/config/ca", data={"pem_bundle": bundle})
    yield {
        "rootSource": "external",
        "rootOrganization": None,
        "rootCertificate": brought.certificate_pem,
        "rootSigningMount": MOUNT,
    }
    vault.sys.disable_secrets_engine(MOUNT)


@pytest.fixture
def configured(program: Program) -> Iterator[Program]:
    """The program, which is configured as committed again after the test."""
    yield program
    program.configure_as_committed()


def use_imported(program: Program, brought: Made, **changes: Any) -> None:
    program.configure(
        rootSource="imported",
        rootOrganization=None,
        rootCertificate=brought.certificate_pem,
        **changes,
    )
    program.configure_secret("rootPrivateKey", brought.private_key_pem)


def check_trust(lab: Lab, program: Program) -> x509.Certificate:
    """The exported root, once a cluster's intermediate is found to chain to it."""
    program.run("preview", "--expect-no-changes")
    root = x509.load_pem_x509_certificate(program.outputs()["rootCertificate"].encode())
    for cluster in ("east", "west"):
        intermediate = handshake(lab, cluster)
        verify(workload_certificate(intermediate), intermediate.certificate, root)
    return root


def test_a_root_of_every_source_serves_the_same_clusters(
    lab: Lab, undeployed: Program, configured: Program, external: dict[str, Any], brought: Made
) -> None:
    program = configured
    assert program is undeployed
    untouched = take_inventory(lab)

    program.configure(rootSource="vault", rootKeyAlgorithm="ECDSA-P384", rootLocality="Berlin")
    program.up()
    made = check_trust(lab, program)
    assert made.subject.rfc4514_string() == ("CN=mesh-trust root,O=mesh-trust development,L=Berlin")
    assert "PRIVATE KEY" not in program.run("stack", "export", "--show-secrets")

    use_imported(program, brought)
    assert "warning: this plan replaces the root (by 'CN=brought along'" in program.up()
    assert check_trust(lab, program) == brought.certificate

    # The same root, in the mount of others: nothing is replaced for the workloads.
    program.configure(**external)
    assert "this plan replaces" not in program.up()
    assert check_trust(lab, program) == brought.certificate

    program.destroy()
    assert take_inventory(lab).names() == untouched.names()
    for outcome in program.transcript:
        for line in brought.private_key_pem.splitlines()[1:-1]:
            assert line not in outcome.output


def use_generations(program: Program, signing: str, first: Made, following: Made) -> None:
    use_imported(
        program,
        first,
        rootSigning=signing,
        rootGenerations=[
            {"name": "first"},
            {"name": "2027", "certificate": following.certificate_pem},
        ],
    )
    program.configure_secret("rootGenerations[1].privateKey", following.private_key_pem, path=True)


@pytest.mark.soak
def test_generations_that_are_brought_along(
    lab: Lab, undeployed: Program, configured: Program, brought: Made
) -> None:
    program = configured
    assert program is undeployed
    following = make(Recipe(key=rsa_key(3072), common_name="brought along next"))
    use_generations(program, "2027", brought, following)
    program.up()
    assert check_trust(lab, program) == following.certificate
    assert [
        (each["name"], each["signing"], each["certificate"]) for each in program.outputs()["roots"]
    ] == [
        ("2027", True, following.certificate_pem),
        ("first", False, brought.certificate_pem),
    ]

    use_generations(program, "first", brought, following)
    assert "this plan replaces" not in program.up()
    assert check_trust(lab, program) == brought.certificate

    # What the other one has signed is in use, and its root is not to be given up.
    use_imported(program, brought)
    refused = program.attempt("preview")
    assert refused.exit_code != 0
    assert "error: root generation 2027 is still in use: 2 certificates below it" in refused.output
    for outcome in program.transcript:
        for line in following.private_key_pem.splitlines()[1:-1]:
            assert line not in outcome.output
    program.destroy()


def protected(program: Program) -> set[str]:
    return {name for name, step in program.plan().items() if step["newState"].get("protect")}


def test_roots_of_every_source_are_protected_outside_development(
    undeployed: Program, configured: Program, external: dict[str, Any], brought: Made
) -> None:
    """A generated one is: tests/program/test_up.py. An external one is not ours."""
    assert configured is undeployed
    of_external = [
        f'path "{MOUNT}/issuer/default" {{ capabilities = ["read"] }}',
        f'path "sys/mounts/{MOUNT}/tune" {{ capabilities = ["read"] }}',
    ]
    with limited_token(undeployed, [*rules(), *of_external]):
        undeployed.configure(rootSource="vault", development=False)
        assert protected(undeployed) == {"root-pki-root", "root-pki-mount"}
        use_imported(undeployed, brought, development=False)
        assert protected(undeployed) == {"root-pki-mount"}
        undeployed.configure(**external, development=False)
        assert protected(undeployed) == set()


@pytest.mark.soak
def test_what_replacing_the_root_means_is_said_in_time(
    lab: Lab, deployed: Program, configured: Program
) -> None:
    program = configured
    assert program is deployed
    present = x509.load_pem_x509_certificate(program.outputs()["rootCertificate"].encode())
    consequence = (
        "this plan replaces the root (it has common name 'mesh-trust root' instead of "
        f"'another root'): '{present.subject.rfc4514_string()}' (SHA-256 "
    )

    # In development it is said, and done.
    program.configure(rootCommonName="another root")
    assert f"warning: {consequence}" in program.run("preview")

    with limited_token(program, rules()):
        _replace_outside_development(lab, program, consequence)
    program.run("state", "unprotect", "--all", "--yes")
    with limited_token(program, rules()):
        assert f"warning: {consequence}" in program.run("preview")


def _replace_outside_development(lab: Lab, program: Program, consequence: str) -> None:
    """It has to be meant."""
    before = take_inventory(lab)
    program.configure(rootCommonName="another root", development=False)
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        outcome = program.attempt(*command)
        assert outcome.exit_code != 0
        assert f"error: {consequence}" in outcome.output
        assert "put back what was changed, or set rootReplaces to" in outcome.output
    program.configure(rootSource="vault", development=False)
    outcome = program.attempt("preview")
    assert outcome.exit_code != 0
    assert "error: this plan replaces the root (it would be made anew)" in outcome.output
    assert take_inventory(lab).changes_since(before) == set()

    # Meant, it still needs the engine's protection taken off, which the engine says.
    program.configure(development=False)
    program.up()
    named = outcome.output.split("set rootReplaces to ")[1].split()[0]
    program.configure(rootCommonName="another root", development=False, rootReplaces=named)
    outcome = program.attempt("preview")
    assert outcome.exit_code != 0
    assert f"warning: {consequence}" in outcome.output
    assert "root-certificate" in outcome.output
    assert "marked for protection" in outcome.output
    assert take_inventory(lab).changes_since(before) == set()


@pytest.mark.soak
def test_a_root_that_is_made_anew_has_a_new_key(
    lab: Lab, deployed: Program, configured: Program
) -> None:
    """Vault signs with neither of two roots of one key and name, and the old one stays there."""
    before = check_trust(lab, deployed)
    assert configured is deployed
    configured.configure(rootLifetimeDays=3000)
    configured.up()
    after = check_trust(lab, configured)
    assert after.subject == before.subject
    assert after.public_key() != before.public_key()


@pytest.mark.soak
def test_a_renewed_certificate_for_the_same_key_is_refused(
    lab: Lab, undeployed: Program, configured: Program, brought: Made
) -> None:
    program = configured
    assert program is undeployed
    use_imported(program, brought)
    program.up()
    before = take_inventory(lab)
    renewed = make(Recipe(key=brought.key, common_name="brought along", ends=4000))
    use_imported(program, renewed)
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        outcome = program.attempt(*command)
        assert outcome.exit_code != 0
        assert "error: rootCertificate: 'CN=brought along' is not valid; " in outcome.output
        assert "Traceback" not in outcome.output
    assert take_inventory(lab).changes_since(before) == set()

    # What it must not refuse: the same certificate, and the key under another name.
    use_imported(program, brought)
    assert check_trust(lab, program) == brought.certificate
    renamed = make(Recipe(key=brought.key, common_name="brought along, 2", ends=4000))
    use_imported(program, renamed)
    program.up()
    assert check_trust(lab, program) == renamed.certificate
    program.destroy()


@pytest.mark.soak
def test_the_mesh_asks_for_what_the_mount_gives(deployed: Program, configured: Program) -> None:
    assert configured is deployed
    configured.configure(intermediateLifetimeDays=30)
    plan = configured.plan()
    mount = plan["root-pki-mount"]["newState"]["inputs"]
    assert mount["defaultLeaseTtlSeconds"] == mount["maxLeaseTtlSeconds"] == 30 * 86_400
    for cluster in ("east", "west"):
        config = plan[f"{cluster}-trust-policy"]["newState"]["inputs"]["spec"]["config"]
        assert config["intermediateCertOptions"] == {"ttlDays": 30}
