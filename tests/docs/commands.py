"""The commands that the pages show, each as it stands there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.directory import CHECKOUT

PAGES = (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")))

_PROGRAMS = (
    *("age", "apt", "apt-get", "aws", "brew", "cat", "cd", "cp", "curl", "diff", "docker", "echo"),
    *(
        "eval",
        "export",
        "git",
        "gpg",
        "helm",
        "jq",
        "kubectl",
        "make",
        "mesh-trust",
        "mkdir",
        "npm",
    ),
    *("openssl", "pip", "pulumi", "python", "python3", "rm", "source", "sudo", "umask", "unset"),
    *("vault", "xargs"),
)

_COMMAND = re.compile(rf"(?:\$ )?(?:\.venv/bin/)?(?:{'|'.join(_PROGRAMS)}) \S")

_COMMENT = re.compile(r"\s{2,}# .*$")

_FENCE = re.compile(r"\s*```(\w*)$")

_SHELL_FENCES = ("", "bash", "console", "sh", "shell")


@dataclass(frozen=True)
class Command:
    """A command of a page."""

    page: str
    text: str
    """Without what is said beside it; lines that it goes on over are as they are."""


def blocks(page: Path) -> Iterator[tuple[str, list[str]]]:
    """The blocks of code in a page: the language of each, empty where it is indented, its lines."""
    lines = iter([*page.read_text().splitlines(), ""])
    indented: list[str] = []
    for line in lines:
        fence = _FENCE.match(line)
        if fence is not None:
            content: list[str] = []
            while not _FENCE.match(inside := next(lines)):
                content.append(inside)
            yield fence[1], content
        elif line.startswith("    ") or (indented and not line):
            indented.append(line)
        elif indented:
            yield "", indented
            indented = []
    if indented:
        yield "", indented


def commands_of(page: Path) -> list[Command]:
    """The commands in the blocks of a page."""
    found: list[Command] = []
    for language, lines in blocks(page):
        if language in _SHELL_FENCES:
            found += [Command(page.name, text) for text in commands_in(lines)]
    return found


def commands_in(lines: list[str]) -> Iterator[str]:
    """The commands among `lines`: what begins with a program that is known."""
    rest = iter(lines)
    for line in rest:
        if not _COMMAND.match(line.strip()):
            continue
        text = [_COMMENT.sub("", line.strip()).removeprefix("$ ")]
        here = re.search(r"<<'?(\w+)'?$", text[0])
        if here is not None:
            while text[-1] != here[1]:
                text.append(next(rest).strip())
        while text[-1].endswith(("\\", "|")):
            text.append(_COMMENT.sub("", next(rest).strip()))
        yield "\n".join(text)


def all_commands() -> list[Command]:
    """Those of all pages, each page's once."""
    found = [command for page in PAGES for command in commands_of(page)]
    return list(dict.fromkeys(found))
