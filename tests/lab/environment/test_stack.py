"""The stack's configuration in the lab: whose commands get it, and how it is kept up to date."""

from pathlib import Path

import pytest
import yaml

from lab import stack
from lab.directory import LabDirectory
from lab.errors import LabError
from lab.lab import Lab
from lab.stack import configuration_file, engine_arguments, prepare_stack

DIRECTORY = LabDirectory(Path("/lab"))
OURS = ["--config-file", str(configuration_file(DIRECTORY))]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["up", "--yes"], ["up", *OURS, "--yes"]),
        (["preview"], ["preview", *OURS]),
        (["up", "--stack", "dev"], ["up", *OURS, "--stack", "dev"]),
        (["up", "--stack=dev"], ["up", *OURS, "--stack=dev"]),
        (["config", "get", "clusters"], ["config", *OURS, "get", "clusters"]),
        (["config", "get", "set"], ["config", *OURS, "get", "set"]),
        (["dn"], ["dn", *OURS]),
        (["--non-interactive", "up"], ["--non-interactive", "up", *OURS]),
        (["--color", "never", "-v", "3", "up"], ["--color", "never", "-v", "3", "up", *OURS]),
        (["-C", ".", "up"], ["-C", ".", "up", *OURS]),
        (["-Clab", "up"], ["-Clab", "up", *OURS]),
        (["-s", "dev", "up"], ["-s", "dev", "up", *OURS]),
        (["up", "-s=dev"], ["up", *OURS, "-s=dev"]),
        (
            ["up", "--stack", "organization/mesh-trust/dev"],
            ["up", *OURS, "--stack", "organization/mesh-trust/dev"],
        ),
        (["import", "--", "--stack", "prod"], ["import", *OURS, "--", "--stack", "prod"]),
    ],
)
def test_it_is_named_for_the_labs_stack(arguments: list[str], expected: list[str]) -> None:
    assert engine_arguments(DIRECTORY, arguments) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["version"],
        ["stack", "output"],
        ["up", "--stack", "prod"],
        ["up", "-s", "prod"],
        ["up", "--stack=prod"],
        ["up", "-sprod"],
        ["-s", "prod", "up"],
        ["up", "--stack", "organization/mesh-trust/prod"],
        ["-C", "/elsewhere", "up"],
        ["--cwd=..", "stack", "init", "foo"],
        ["--color", "up"],
        ["stack", "select", "dev"],
        ["stack", "export", "--file", "rm"],
        ["up", "--config-file", "mine.yaml"],
        ["up", "--config-file=mine.yaml"],
    ],
)
def test_it_is_not_named_elsewhere(arguments: list[str]) -> None:
    assert engine_arguments(DIRECTORY, arguments) == arguments


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["config", "set", "colour", "red"], r"Pulumi\.dev\.yaml in the checkout: edit that"),
        (["-v3", "config", "--json", "rm", "x"], r"Pulumi\.dev\.yaml in the checkout: edit that"),
        (["stack", "init", "foo"], "`stack init` writes into the checkout"),
        (["stack", "-s", "dev", "rm"], "`stack rm` writes into the checkout"),
        (["-e", "stack", "change-secrets-provider", "passphrase"], "writes into the checkout"),
        (["stack", "select", "--create", "foo"], "`stack select` writes into the checkout"),
    ],
)
def test_what_would_write_configuration_is_refused(arguments: list[str], reason: str) -> None:
    with pytest.raises(LabError, match=reason):
        engine_arguments(DIRECTORY, arguments)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a project of its own, which the lab takes for its own."""
    (tmp_path / "Pulumi.yaml").write_text("name: stack-test\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  stack-test:colour: red\n")
    monkeypatch.setattr(stack, "CHECKOUT", tmp_path)
    return tmp_path


def test_the_stack_is_made_and_its_salt_stays_out_of_the_checkout(lab: Lab, checkout: Path) -> None:
    committed = checkout / "Pulumi.dev.yaml"
    before = committed.read_text()
    configuration = configuration_file(lab.directory)
    configuration.unlink(missing_ok=True)

    prepare_stack(lab.directory, lab.environment())
    first = yaml.safe_load(configuration.read_text())
    assert first["config"] == {"stack-test:colour": "red"}
    assert first["encryptionsalt"]
    assert committed.read_text() == before

    committed.write_text(before.replace("red", "blue"))
    prepare_stack(lab.directory, lab.environment())
    second = yaml.safe_load(configuration.read_text())
    assert second == {**first, "config": {"stack-test:colour": "blue"}}


def test_a_checkout_without_the_stack_is_told(lab: Lab, checkout: Path) -> None:
    (checkout / "Pulumi.dev.yaml").unlink()
    with pytest.raises(LabError, match=r"Pulumi\.dev\.yaml is missing"):
        prepare_stack(lab.directory, lab.environment())


def test_what_the_engine_refuses_is_told(lab: Lab, checkout: Path) -> None:
    (checkout / "Pulumi.yaml").write_text("name: other-test\nruntime: python\n")
    environment = {**lab.environment(), "PULUMI_BACKEND_URL": "file:///nowhere/at/all"}
    with pytest.raises(LabError, match=r"stack dev cannot be made: .*nowhere"):
        prepare_stack(lab.directory, environment)
