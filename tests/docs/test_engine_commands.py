"""The engine knows each of its commands that the pages show, and the options of each."""

import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest

from lab.toolchain import Toolchain

from .test_commands import starting

_WITH_SUB_COMMANDS = ("config", "package", "policy", "stack", "state")


@cache
def help_of(engine: Path, *command: str) -> str:
    """What the engine says of one of its commands."""
    done = subprocess.run(
        [engine, *command, "--help"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def require_known(engine: Path, text: str) -> None:
    """Fails unless the engine has the command and its options."""
    text = (
        text.partition(" < ")[0].partition(" > ")[0].replace("<git repository of this project>", "")
    )
    _, *words = shlex.split(text)
    length = 2 if words[0] in _WITH_SUB_COMMANDS and not words[1].startswith("-") else 1
    command, rest = words[:length], words[length:]
    # Of a command that there is not, the engine describes what it would be a part of.
    said = help_of(engine, *command)
    usage = re.search(r"^  pulumi (.*)$", said, re.MULTILINE)
    aliases = re.search(r"^Aliases:\n  (.*)$", said, re.MULTILINE)
    assert usage is not None
    named = usage[1].split()[:length]
    also = aliases[1].split(", ") if aliases else ()
    assert named == command or (named[:-1] == command[:-1] and command[-1] in also), text
    options = {word.strip(",") for word in said.split() if word.startswith("-")}
    for word in rest:
        if word.startswith("-"):
            assert word.partition("=")[0] in options, (text, word)


def test_the_engine_has_them(toolchain: Toolchain) -> None:
    shown = {each.text for each in starting("pulumi")}
    assert len(shown) > 20
    for text in shown:
        require_known(toolchain["pulumi"].path, text)


@pytest.mark.parametrize("text", ["pulumi stack forget", "pulumi up --nosuch", "pulumi upp --yes"])
def test_what_it_has_not_is_noticed(toolchain: Toolchain, text: str) -> None:
    with pytest.raises((AssertionError, subprocess.CalledProcessError)):
        require_known(toolchain["pulumi"].path, text)
