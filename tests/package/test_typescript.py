"""The SDK that Pulumi makes of the schema for TypeScript, and the example that uses it."""

import re
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from lab.directory import CHECKOUT, LabDirectory
from lab.toolchain import NODEJS_HOST, prepare
from tests.commands import run_command

pytestmark = pytest.mark.soak  # its packages come from their registry

EXAMPLE = CHECKOUT / "examples" / "typescript"


@pytest.fixture(scope="module")
def example(
    engine: LabDirectory, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of the example, with its packages and with the SDK, whose build checks it, too."""
    assert shutil.which("npm"), "npm is needed: install Node.js 20 or newer"
    root = tmp_path_factory.mktemp("typescript")
    (root / "package").symlink_to(CHECKOUT / "package")
    folder = root / "examples" / "typescript"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "sdks", "bin"))
    host = prepare(Console(stderr=True), [NODEJS_HOST])[NODEJS_HOST].path
    schema = CHECKOUT / "package" / "schema.json"
    made = run_command(
        [
            *(engine.engine / "pulumi", "package", "gen-sdk", schema),
            *("--language", "nodejs", "--local", "--out", folder / "made"),
        ],
        folder,
        {**environment, "PATH": f"{host.parent}:{environment['PATH']}"},
    )
    assert made.returncode == 0, made.stdout
    (folder / "sdks").mkdir()
    (folder / "made" / "nodejs").rename(folder / "sdks" / "mesh-trust")
    installed = run_command(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
    assert installed.returncode == 0, installed.stdout
    built = run_command([folder / "node_modules/.bin/tsc"], folder / "sdks" / "mesh-trust")
    assert built.returncode == 0, built.stdout
    return folder


def checked(example: Path) -> tuple[int, str]:
    """How TypeScript's own check of the example ends, and what it says."""
    done = run_command([example / "node_modules/.bin/tsc", "--noEmit"], example)
    return done.returncode, done.stdout


def test_the_example_is_well_typed(example: Path) -> None:
    assert checked(example) == (0, "")


@pytest.mark.timeout(900)
def test_what_is_wrongly_typed_is_not(example: Path) -> None:
    """One line of a program for each mistake, all told in one check."""
    program = example / "index.ts"
    right = program.read_text()
    mistakes = {
        'new trust.RootCa("a", { commonName: 1 });': "Type 'number' is not assignable",
        'new trust.RootCa("b", { comonName: "x" });': "'comonName' does not exist",
        'new trust.IntermediatePki("c", { cluster: "east" });': "'caPath' is missing",
        'new trust.IntermediatePki("d", { cluster: root.certificatePem, caPath: "x" });': (
            "Type 'Output<string>' is not assignable to type 'string'"
        ),
        "rootPki.noSuchOutput;": "Property 'noSuchOutput' does not exist",
    }
    first = len(right.splitlines()) + 1
    program.write_text(right + "".join(f"{line}\n" for line in mistakes))
    try:
        code, told = checked(example)
    finally:
        program.write_text(right)
    assert code != 0
    for number, complaint in enumerate(mistakes.values(), first):
        # With the lines that follow, which say why.
        [why] = re.findall(rf"^index\.ts\({number},.*\n(?: .*\n)*", told, re.MULTILINE)
        assert complaint in why
