"""A lab with real servers, a stack that the previous release has made in it, and the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.stack import configuration_file
from lab.toolchain import Toolchain
from tests.commands import run_command
from tests.labs import started_lab
from tests.previous_release import NoHistoryError, extract, previous_release
from tests.program.inventory import await_own_objects
from tests.program.program import Program

CLUSTERS = ("mgmt", "east", "west")


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the previous release."""
    try:
        commit = previous_release(CHECKOUT)
    except NoHistoryError as error:
        pytest.fail(str(error), pytrace=False)
    folder = tmp_path_factory.mktemp("release")
    extract(CHECKOUT, commit, folder)
    # Its packages are those of this checkout: all that changes from one to the other is the code.
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    return folder


@pytest.fixture(scope="session")
def lab(
    release: Path, toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A started lab with the committed stack's clusters."""
    assert release.is_dir()
    with started_lab(tmp_path_factory.mktemp("upgrade"), toolchain, CLUSTERS[1:]) as lab:
        await_own_objects(lab, CLUSTERS)
        yield lab


@pytest.fixture(scope="session")
def made_by_the_release(
    lab: Lab, release: Path, tmp_path_factory: pytest.TempPathFactory
) -> Program:
    """Today's program, with a stack that the previous release has made."""
    program = Program(lab, tmp_path_factory.mktemp("configuration"))
    program.run("config")  # any command makes the stack
    program.deployed = True
    command: list[str | Path] = [lab.directory.engine / "pulumi", "up", "--yes", "--skip-preview"]
    configured: list[str | Path] = [
        "--stack",
        "dev",
        "--config-file",
        configuration_file(lab.directory),
    ]
    done = run_command([*command, *configured, "--non-interactive"], release, lab.environment())
    assert done.returncode == 0, done.stdout
    return program
