import io
import re
import time

import pytest
from rich.console import Console

from lab.toolchain import activity
from lab.toolchain.activity import Activity


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    said = io.StringIO()
    return Console(file=said, force_terminal=terminal, width=100), said


def wait_for(text: str, said: io.StringIO) -> None:
    deadline = time.monotonic() + 10
    while text not in said.getvalue():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_a_terminal_a_line_comes_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "_HEARTBEAT_SECONDS", 0.05)
    plain, said = console(terminal=False)
    with Activity(plain, "tiny") as current:
        current.step("downloading modules")
        wait_for("downloading modules", said)
        current.step("compiling, 3 packages")
        wait_for("compiling", said)
    lines = said.getvalue().splitlines()
    assert all(re.fullmatch(r"tiny: .+ \(\d+ s\)", line) for line in lines)


def test_what_is_ready_at_once_needs_no_line() -> None:
    plain, said = console(terminal=False)
    with Activity(plain, "tiny"):
        pass
    assert said.getvalue() == ""


def test_on_a_terminal_one_line_is_redrawn() -> None:
    live, said = console(terminal=True)
    with Activity(live, "tiny") as current:
        current.step("compiling")
        wait_for("tiny: compiling (", said)
    assert said.getvalue().count("\n") <= 1


def test_it_ends_with_what_it_accompanies() -> None:
    plain, _ = console(terminal=False)
    with pytest.raises(RuntimeError, match="broken"), Activity(plain, "tiny") as current:
        raise RuntimeError("broken")
    assert current.seconds < 5
    assert not current._teller.is_alive()
