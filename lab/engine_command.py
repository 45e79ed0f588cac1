"""A command line of the engine, read as far as the lab has to understand it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

_VALUED = {
    "-C": "--cwd",
    "-s": "--stack",
    "-v": "--verbose",
    **{
        option: option
        for option in (
            "--color",
            "--config-file",
            "--cwd",
            "--memprofilerate",
            "--otel-traces",
            "--profiling",
            "--stack",
            "--tracing",
            "--verbose",
        )
    },
}
"""The options that may stand before a command and take a value, each with its long name."""


@dataclass(frozen=True)
class EngineCommand:
    """What the engine is told to do.

    `command` and `subcommand` are the first two words that are neither an option nor an option's
    value, empty where there are none; `position` is the index of the first. `flags` are the
    options as they are written, `values` those of the options that the lab knows.
    """

    command: str = ""
    subcommand: str = ""
    position: int = 0
    flags: frozenset[str] = frozenset()
    values: dict[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> str | None:
        """The stack that is named, without its organization and project."""
        name = self.values.get("--stack")
        return name.rpartition("/")[2] if name else None

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Self:
        """Read the arguments; what stands behind `--` is no option."""
        words: list[tuple[int, str]] = []
        flags: set[str] = set()
        values: dict[str, str] = {}
        numbered = iter(enumerate(arguments))
        for index, each in numbered:
            if each == "--":
                words += numbered
            elif not each.startswith("-"):
                words.append((index, each))
            else:
                option, value = _split(each)
                flags.add(option)
                if option in _VALUED:
                    given = next(numbered, (0, ""))[1] if value is None else value
                    values[_VALUED[option]] = given
        (position, command), (_, subcommand) = [*words, (0, ""), (0, "")][:2]
        return cls(command, subcommand, position, frozenset(flags), values)


def _split(argument: str) -> tuple[str, str | None]:
    """Split `--stack=dev`, `-s=dev` and `-sdev` into option and value; None where none is there."""
    if not argument.startswith("--"):
        return argument[:2], argument[2:].removeprefix("=") or None
    option, equals, value = argument.partition("=")
    return option, value if equals else None
