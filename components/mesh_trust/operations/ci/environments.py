"""Which environments a change is about."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mesh_trust.readiness import on_one_line

from ..errors import OperationError
from .configuration import configuration_in, makes_servers

_CONFIGURATION = re.compile(r"Pulumi\.(?P<environment>[A-Za-z0-9_.-]+)\.ya?ml")
_NOT_THE_PROGRAM = ("docs", "tests", "bench")
"""Folders of the project that no environment is made of."""


@dataclass(frozen=True)
class Affected:
    """The environments that a change is about."""

    environments: tuple[str, ...]
    gone: tuple[str, ...] = ()
    """Those whose configuration the change deletes: there is nothing to preview them with."""


@dataclass(frozen=True)
class Environments:
    """Those of a project, each kind by name: each has a `Pulumi.<environment>.yaml`."""

    vaults: tuple[str, ...]
    """Stacks that make a Vault for others and nothing else. A pipeline cannot log in to it before
    they have made it."""
    others: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """In the order to update them: others stand upon the Vaults."""
        return (*self.vaults, *self.others)


def environments_of(folder: Path) -> Environments:
    """Those of the project in `folder`.

    Raises:
        OperationError: a configuration cannot be read.
    """
    vaults: list[str] = []
    others: list[str] = []
    for path in folder.iterdir():
        match = _CONFIGURATION.fullmatch(path.name)
        if match:
            (vaults if makes_servers(configuration_in(path)) else others).append(
                match["environment"]
            )
    return Environments(tuple(sorted(vaults)), tuple(sorted(others)))


def affected_environments(every: Sequence[str], changed: Iterable[str]) -> Affected:
    """Those of `every` that the `changed` files are about, paths within the project's folder.

    A configuration is about its own environment, documentation and tests are about none, and
    anything else, as it may be a part of the program, is about all.
    """
    named = set()
    for each in changed:
        path = PurePosixPath(each)
        found = _CONFIGURATION.fullmatch(each)
        if found:
            named.add(found["environment"])
        elif path.suffix != ".md" and path.parts[0] not in _NOT_THE_PROGRAM:
            named |= set(every)
    return Affected(
        tuple(each for each in every if each in named), tuple(sorted(named - set(every)))
    )


def changed_files(folder: Path, reference: str) -> Sequence[str]:
    """The files of `folder` that differ between HEAD and where it left `reference`.

    Raises:
        OperationError: git does not know the reference, or there is no git, or no repository.
    """
    # Both sides of a file that was moved; a reference is never an option.
    arguments = ("diff", "--name-only", "--no-renames", "--relative", "-z", "--end-of-options")
    try:
        done = subprocess.run(
            ["git", *arguments, f"{reference}...HEAD", "--"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise OperationError(
            "git is not on PATH: install it, or leave out --changed-since"
        ) from None
    if done.returncode != 0:
        raise OperationError(
            f"--changed-since: {reference!r} cannot be compared with "
            f"({on_one_line(done.stderr, 200)}); fetch it, with the history between "
            "(actions/checkout: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
        )
    return [each for each in done.stdout.split("\0") if each]
