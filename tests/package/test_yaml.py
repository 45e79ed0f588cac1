"""A program in YAML uses the components, as any language could."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from rich.console import Console

from lab.directory import CHECKOUT, LabDirectory
from lab.toolchain import YAML_HOST, prepare
from tests.commands import run_command
from tests.private_vault import PrivateVault

pytestmark = pytest.mark.soak  # the language host of YAML is built for these tests alone

EXAMPLE = CHECKOUT / "examples" / "yaml"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example, which lies to the package as the example does."""
    (tmp_path / "package").symlink_to(CHECKOUT / "package")
    (tmp_path / ".venv").symlink_to(CHECKOUT / ".venv")
    return shutil.copytree(EXAMPLE, tmp_path / "examples" / "yaml")


@pytest.fixture
def run(
    engine: LabDirectory, environment: dict[str, str], vault: PrivateVault, example: Path
) -> Iterator[Run]:
    """Runs the engine in the example; gives the exit code, and all that it printed."""
    host = prepare(Console(stderr=True), [YAML_HOST])[YAML_HOST].path
    leads_there = {
        "PATH": f"{host.parent}:{environment['PATH']}",
        "VAULT_ADDR": vault.address,
        "VAULT_TOKEN": vault.token,
    }

    def run(*arguments: str) -> tuple[int, str]:
        command: list[str | Path] = [engine.engine / "pulumi", *arguments]
        done = run_command(
            [*command, "--stack", "test", "--non-interactive"],
            example,
            {**environment, **leads_there},
        )
        return done.returncode, done.stdout

    assert run("stack", "init") == (0, "Created stack 'test'\n")
    yield run
    code, printed = run("destroy", "--yes", "--skip-preview", "--remove")
    assert code == 0, printed


def done(outcome: tuple[int, str]) -> str:
    code, printed = outcome
    assert code == 0, printed
    return printed


def change(example: Path, resource: str, **properties: Any) -> None:
    program: Any = yaml.safe_load((example / "Pulumi.yaml").read_text())
    program["resources"][resource]["properties"] |= properties
    (example / "Pulumi.yaml").write_text(yaml.safe_dump(program))


def test_the_example_sets_the_trust_up(run: Run, vault: PrivateVault) -> None:
    assert "11 to create" in done(run("preview"))
    done(run("up", "--yes", "--skip-preview"))
    done(run("preview", "--expect-no-changes"))

    root = x509.load_pem_x509_certificate(done(run("stack", "output", "rootCertificate")).encode())
    [issuer] = vault.client.list("pki/issuers")["data"]["keys"]
    issuing = vault.client.read(f"pki/issuer/{issuer}")["data"]["certificate"]
    assert x509.load_pem_x509_certificate(issuing.encode()) == root
    assert (
        "pki/root/sign-intermediate"
        in vault.client.sys.read_policy("gen-int-ca-istio-east-mesh")["data"]["rules"]
    )


def test_a_wrong_value_is_told_in_a_line_and_nothing_written(
    run: Run, vault: PrivateVault, example: Path
) -> None:
    change(example, "east-intermediate", cluster="east_1")
    before = vault.client.sys.list_mounted_secrets_engines()["data"]

    code, printed = run("preview")

    assert code != 0
    assert "cluster: 'east_1' is not valid; " in printed
    assert "Traceback" not in printed
    assert vault.client.sys.list_mounted_secrets_engines()["data"] == before


def test_what_is_there_is_not_overwritten(run: Run, vault: PrivateVault) -> None:
    vault.client.sys.enable_secrets_engine("pki", "pki_int_east")
    try:
        code, printed = run("preview")
    finally:
        vault.client.sys.disable_secrets_engine("pki_int_east")

    assert code != 0
    assert "pki_int_east" in printed
    assert "Traceback" not in printed
