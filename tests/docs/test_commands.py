"""Each command that the pages show is one that there is, and is run by a test or said why not."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from lab.directory import CHECKOUT
from mesh_trust.operations.command import main
from tests.command_line import require_known

from .commands import PAGES, Command, all_commands, blocks, commands_in
from .elsewhere import ELSEWHERE
from .told import FORGET, LEAVE, LET_GO, STEPS, TAKE_BACK, NotRun, RunBy

_RUN_HERE = {(step.page, step.command) for step in (*STEPS, FORGET, *TAKE_BACK, *LEAVE, LET_GO)}

_HOLES = {"[--handshake]": "--handshake", "[--json]": "--json"}


def test_every_command_is_run_or_said_why_not() -> None:
    shown = {(each.page, each.text) for each in all_commands()}

    assert shown - _RUN_HERE - set(ELSEWHERE) == set(), "say in tests/docs what runs these"
    assert (_RUN_HERE | set(ELSEWHERE)) - shown == set(), "no page shows these any more"
    assert _RUN_HERE & set(ELSEWHERE) == set()


@pytest.mark.parametrize(("page", "command"), ELSEWHERE, ids=lambda value: str(value)[:60])
def test_the_test_that_runs_it_is_there(page: str, command: str) -> None:
    told = ELSEWHERE[page, command]
    if isinstance(told, NotRun):
        assert len(told.why) > 20
        return
    assert isinstance(told, RunBy)
    file, _, function = told.test.partition("::")
    source = (CHECKOUT / file).read_text()
    assert f"def {function}(" in source
    for word in told.words:
        assert word in command or word.lower() in command.lower(), word
        assert re.search(re.escape(word), source, re.IGNORECASE), (word, file)


def pieces() -> list[Command]:
    """The single commands of those that are joined by `|`, `&&` or `$(…)`."""
    found: list[Command] = []
    for command in all_commands():
        text = re.sub(r"\s*\\\n\s*", " ", command.text.partition("<<")[0])
        for piece in re.split(r"\|\s|&&|<\(", text):
            found.append(Command(command.page, piece.strip()))
    return found


def starting(*programs: str) -> list[Command]:
    """Those of one of the programs, in all places where it may be."""
    return [
        each for each in pieces() if re.match(rf"(\.venv/bin/)?({'|'.join(programs)}) ", each.text)
    ]


@pytest.mark.parametrize("command", starting("mesh-trust"), ids=lambda each: each.text[:60])
def test_the_commands_line_takes_it(command: Command) -> None:
    require_known(main, arguments(command.text))


def arguments(text: str) -> list[str]:
    """What the program is given, with what may be left out in it."""
    _, *words = shlex.split(text.partition(" < ")[0].partition(" > ")[0])
    return [_HOLES.get(word, word) for word in words]


@pytest.mark.parametrize(
    "words",
    [
        ["vault", "initialise"],
        ["verify", "--nosuch"],
        ["vault"],
        ["verify", "too", "many"],
        ["--stack"],
    ],
    ids=" ".join,
)
def test_what_the_command_line_does_not_take_is_noticed(words: list[str]) -> None:
    with pytest.raises(AssertionError):
        require_known(main, words)


def test_make_targets_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    used = {each.text.split()[1] for each in starting("make")}
    in_prose = {
        target
        for page in PAGES
        for target in re.findall(r"`(?:[A-Z]+=\S+ )?make ([a-z-]+)", page.read_text())
    }
    assert len(used) > 10
    assert used | in_prose <= targets
    assert "nosuch" not in targets


def pages_with_links() -> list[tuple[str, str]]:
    """Links to files, with the page of each."""
    return [
        (page.relative_to(CHECKOUT).as_posix(), link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)#\s:]*(?:#[^)\s]*)?)\)", page.read_text())
    ]


def test_links_lead_somewhere() -> None:
    broken = []
    for page, link in pages_with_links():
        path, _, heading = link.partition("#")
        target = (CHECKOUT / page).parent / path if path else CHECKOUT / page
        if not target.exists() or (heading and heading not in headings(target)):
            broken.append((page, link))
    assert len(pages_with_links()) > 100
    assert broken == []


def headings(page: Path) -> set[str]:
    """What links to parts of a page are called."""
    found = set()
    for line in page.read_text().splitlines():
        if line.startswith("#"):
            text = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def test_every_page_is_led_to() -> None:
    led_to = {Path(link.partition("#")[0]).name for _, link in pages_with_links()}
    assert {page.name for page in PAGES if page.parent.name == "docs"} <= led_to


def test_blocks_of_yaml_are_yaml() -> None:
    read = [
        (page.name, yaml.safe_load("\n".join(lines)))
        for page in PAGES
        for language, lines in blocks(page)
        if language == "yaml" and "…" not in "".join(lines)
    ]
    assert len(read) > 10
    assert all(content for _, content in read)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["    make up      # three clusters", "    ok       vault"], ["make up"]),
        (["$ pulumi stack output"], ["pulumi stack output"]),
        (["vault write x - <<'END'", "{}", "END", "done"], ["vault write x - <<'END'\n{}\nEND"]),
        (["kubectl get \\", "  pods", "pod/x"], ["kubectl get \\\npods"]),
        (["cat x |", "  jq ."], ["cat x |\njq ."]),
        (["vault-0 is unsealed", "make"], []),
    ],
)
def test_commands_are_found_among_what_they_print(lines: list[str], expected: list[str]) -> None:
    assert list(commands_in(lines)) == expected
