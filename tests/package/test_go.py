"""A program in Go uses the components, with the SDK that Pulumi makes of the schema for it."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from lab.directory import CHECKOUT, LabDirectory
from lab.toolchain import GO_HOST
from tests.commands import run_command
from tests.private_vault import PrivateVault

from .language_example import LanguageExample, language_example

# The language host of Go is built for these tests alone, and modules come from their proxy.
pytestmark = [pytest.mark.soak, pytest.mark.timeout(1500)]

INTERMEDIATE = "Cluster: cluster,"


@pytest.fixture
def example(
    engine: LabDirectory, environment: dict[str, str], vault: PrivateVault, tmp_path: Path
) -> Iterator[LanguageExample]:
    """A copy of the example, with its SDK as its reader makes it."""
    assert shutil.which("go"), "go is needed: install Go 1.26 or newer"
    # Go keeps what it has fetched and compiled below the user's home folder.
    own = {**environment, "HOME": os.environ["HOME"]}
    with language_example("go", GO_HOST, tmp_path, engine, own, vault) as example:
        example.run("package", "add", "../../package")
        yield example


def compiled(example: LanguageExample) -> tuple[int, str]:
    """How the compiler ends, and what it says."""
    done = run_command(["go", "build", "-o", os.devnull, "."], example.folder, example.environment)
    return done.returncode, done.stdout


def change(example: LanguageExample, right: str, instead: str) -> None:
    program = example.folder / "main.go"
    text = program.read_text()
    assert right in text
    program.write_text(text.replace(right, instead))


def test_the_example_sets_the_trust_up(example: LanguageExample, vault: PrivateVault) -> None:
    # All that it imports is pinned already.
    for pins in ("go.mod", "go.sum"):
        committed = CHECKOUT / "examples" / "go" / pins
        assert (example.folder / pins).read_text() == committed.read_text()
    assert "14 to create" in example.run("preview")
    assert "pki/" not in vault.client.sys.list_mounted_secrets_engines()["data"]
    example.run("up", "--yes", "--skip-preview")
    example.run("preview", "--expect-no-changes")

    outputs: dict[str, Any] = json.loads(example.run("stack", "output", "--json"))
    assert outputs["csrPaths"] == [
        f"pki_int_{cluster}/intermediate/generate/exported" for cluster in ("east", "west")
    ]
    [issuer] = vault.client.list("pki/issuers")["data"]["keys"]
    issuing = vault.client.read(f"pki/issuer/{issuer}")["data"]["certificate"]
    assert x509.load_pem_x509_certificate(issuing.encode()) == x509.load_pem_x509_certificate(
        outputs["rootCertificate"].encode()
    )
    for cluster in ("east", "west"):
        policy = vault.client.sys.read_policy(f"gen-int-ca-istio-{cluster}-mesh")["data"]["rules"]
        assert "pki/root/sign-intermediate" in policy


def test_a_wrong_value_is_told_in_a_line_and_nothing_written(
    example: LanguageExample, vault: PrivateVault
) -> None:
    before = vault.client.sys.list_mounted_secrets_engines()["data"]
    change(example, INTERMEDIATE, 'Cluster: cluster + "_1",')

    code, printed = example.attempt("preview")

    assert code != 0
    assert "cluster: 'east_1' is not valid; " in printed
    assert "Traceback" not in printed
    assert vault.client.sys.list_mounted_secrets_engines()["data"] == before


def test_what_is_wrongly_typed_does_not_compile(example: LanguageExample) -> None:
    """One line of a program for each mistake, all told in one check."""
    assert compiled(example) == (0, "")
    vetted = run_command(["go", "vet", "."], example.folder, example.environment)
    assert (vetted.returncode, vetted.stdout) == (0, "")
    mistakes = {
        'meshtrust.NewRootCa(ctx, "a", &meshtrust.RootCaArgs{CommonName: 1})': "cannot use 1",
        'meshtrust.NewRootCa(ctx, "b", &meshtrust.RootCaArgs{ComonName: nil})': (
            "unknown field ComonName"
        ),
        'meshtrust.NewRootCa("c", &meshtrust.RootCaArgs{})': "not enough arguments",
        "_ = meshtrust.IntermediatePkiArgs{Cluster: root.CertificatePem}": (
            "cannot use root.CertificatePem"
        ),
        "_ = rootPki.NoSuchOutput": "rootPki.NoSuchOutput undefined",
    }
    first_lines = "\tcsrPaths := pulumi.StringArray{}\n"
    change(example, first_lines, "".join(f"\t{line}\n" for line in mistakes) + first_lines)
    lines = (example.folder / "main.go").read_text().splitlines()

    code, told = compiled(example)

    assert code != 0
    for line, complaint in mistakes.items():
        number = lines.index(f"\t{line}") + 1
        [why] = re.findall(rf"main\.go:{number}:\d+: (.*)", told)
        assert complaint in why
