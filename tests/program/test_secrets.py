"""Root key, reviewer tokens and Vault tokens appear nowhere in clear."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from lab.lab import Lab

from .inventory import kubernetes_client
from .program import Program

# Of 48 bytes each: in PKCS#1 and PKCS#8 the modulus of an RSA-4096 key ends before byte 556.
_MODULUS_LINES = 12


def spellings(secret: str) -> set[str]:
    """The forms in which `secret` could be printed or stored, in pieces that survive wrapping."""
    encoded = base64.b64encode(secret.encode()).decode()
    lines = secret.splitlines()
    if len(lines) > 1:
        # A PEM is known by its lines, in whatever way their ends are written. The first hold the
        # modulus, which stands in the certificate too, and the last ones may be short.
        lines = [line for line in lines[1 + _MODULUS_LINES :] if len(line) == 64]
    return {*lines, encoded[: len(encoded) // 4 * 3 // 4 * 4], json.dumps(secret)[1:-1]}


def found_in(text: str, secrets: dict[str, str]) -> set[str]:
    """Names of the `secrets` that `text` gives away."""
    return {
        name
        for name, secret in secrets.items()
        if any(spelling in text for spelling in spellings(secret))
    }


@pytest.fixture
def secrets(lab: Lab, deployed: Program) -> dict[str, str]:
    """The real secrets of this very stack, by name."""
    return secrets_of(lab, deployed)


def secrets_of(lab: Lab, program: Program) -> dict[str, str]:
    resources = program.state(show_secrets=True)["deployment"]["resources"]
    (key,) = [each for each in resources if each["type"] == "tls:index/privateKey:PrivateKey"]
    found = {
        "root key": _plain(key["outputs"]["privateKeyPem"]),
        "root key, PKCS#8": _plain(key["outputs"]["privateKeyPemPkcs8"]),
        "Vault's root token": lab.environment()["VAULT_TOKEN"],
        "administrator's password": program.secret_outputs()["administrator"]["password"],
    }
    for cluster in ("east", "west"):
        core: Any = client.CoreV1Api(kubernetes_client(lab, cluster))
        secret = core.read_namespaced_secret("vault-token-reviewer", "istio-system")
        found[f"reviewer JWT of {cluster}"] = base64.b64decode(secret.data["token"]).decode()
    return found


def _plain(value: Any) -> str:
    """A secret of an exported state, which holds secrets as JSON in an envelope."""
    plain: str = json.loads(value["plaintext"])
    return plain


def test_nothing_that_was_printed_gives_a_secret_away(
    deployed: Program, secrets: dict[str, str]
) -> None:
    deployed.run("preview", "--diff", "--show-sames")
    deployed.run("preview", "--json")
    deployed.run("up", "--yes", "--skip-preview", "--diff", "--show-sames")
    deployed.run("up", "--yes", "--skip-preview", "--json")

    for outcome in deployed.transcript:
        assert found_in(outcome.output, secrets) == set(), outcome.arguments


def test_nothing_that_is_made_replaced_or_deleted_is_printed_in_clear(
    lab: Lab, undeployed: Program
) -> None:
    """These print most, so each is done with all its details."""
    program = undeployed
    program.run("preview", "--diff")
    program.run("preview", "--json")
    program.up("--diff")
    secrets = secrets_of(lab, program)
    program.configure(rootCommonName="another root")
    try:
        program.run("preview", "--diff")
        assert "root-certificate" in program.up("--diff")
    finally:
        program.configure_as_committed()
    program.destroy("--diff")

    for outcome in program.transcript:
        assert found_in(outcome.output, secrets) == set(), outcome.arguments


def test_the_state_holds_no_secret_in_clear(
    lab: Lab, deployed: Program, secrets: dict[str, str]
) -> None:
    assert found_in(json.dumps(deployed.state()), secrets) == set()
    files = list(_files(lab.directory.pulumi_state))
    assert files
    for path in files:
        assert found_in(path.read_text(errors="replace"), secrets) == set(), path


def test_no_log_holds_a_secret(lab: Lab, secrets: dict[str, str]) -> None:
    logs = [path for path in _files(lab.directory.root) if path.suffix == ".log"]
    assert logs
    for path in logs:
        assert found_in(path.read_text(errors="replace"), secrets) == set(), path


def test_the_outputs_are_public(deployed: Program, secrets: dict[str, str]) -> None:
    assert found_in(json.dumps(deployed.outputs()), secrets) == set()


def test_the_scan_finds_what_it_looks_for(secrets: dict[str, str]) -> None:
    """The control: each secret, in each way it could be written, is found."""
    for name, secret in secrets.items():
        for written in (
            secret,
            json.dumps({"value": secret}),
            base64.b64encode(secret.encode()).decode(),
            secret.replace("\n", "\\n"),
            "".join(f"  | {line}\n" for line in secret.splitlines()),
        ):
            assert name in found_in(f"before {written} after", secrets), written[:20]
    assert found_in("nothing of the kind", secrets) == set()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
