"""The command lists its sub-commands without the SDKs that they take."""

import subprocess
import sys

import click
import pytest

from mesh_trust.operations.command import main

_HEAVY = ("grpc", "hvac", "kubernetes", "mesh_trust.settings", "pulumi", "requests")


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_what_is_listed_is_what_the_sub_command_says(name: str) -> None:
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name
    if name in main.elsewhere:
        assert main.elsewhere[name].summary == command.get_short_help_str(1000)


def loaded_by(*arguments: str) -> set[str]:
    """Which of the heavy packages a run has loaded."""
    script = (
        "import sys\n"
        "from mesh_trust.operations.command import main\n"
        "try:\n"
        f"    main({list(arguments)!r})\n"
        "finally:\n"
        f"    print(*(each for each in {_HEAVY!r} if each in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "Usage:" in done.stdout
    return set(done.stderr.split())


def test_help_takes_none_of_the_sdks() -> None:
    assert loaded_by("--help") == set()
    # The control: what is asked for is loaded.
    assert {"hvac", "pulumi"} <= loaded_by("vault", "--help")


def test_a_command_that_is_not_there() -> None:
    assert main.get_command(click.Context(main), "nothing") is None
