import asyncio
import threading
import time
from collections.abc import Iterator

import pulumi
import pytest

from mesh_trust import readiness
from mesh_trust.readiness import Obstacle, Ready, in_thread, on_one_line, until_ready
from tests.own_loop import run_alone

PENDING = Obstacle("unscheduled", "the pod is pending", "add a node")
READY = Ready("http://192.0.2.7:8200")


def wait(
    looks: Iterator[Ready | Obstacle], timeout_seconds: float = 5
) -> tuple[Ready, list[tuple[str, bool]]]:
    """What came of the waiting, and the lines that were reported."""
    said: list[tuple[str, bool]] = []
    ready = run_alone(
        until_ready(
            "Vault",
            lambda: next(looks),
            timeout_seconds,
            lambda line, passing: said.append((line, passing)),
            look_every_seconds=0.02,
        )
    )
    return ready, said


def for_ever(*obstacles: Obstacle) -> Iterator[Ready | Obstacle]:
    while True:
        yield from obstacles


def test_what_is_ready_at_once_is_not_worth_a_word() -> None:
    assert wait(iter([READY])) == (READY, [])


def test_each_sort_of_reason_is_said_once_and_the_end_stays() -> None:
    other = Obstacle("image", "the image is missing", "name another")
    again = Obstacle("image", "the image is missing still", "name another")

    ready, said = wait(iter([PENDING, PENDING, other, again, PENDING, READY]))

    assert ready == READY
    assert said == [
        ("the pod is pending (0 s)", True),
        ("the image is missing (0 s)", True),
        ("the pod is pending (0 s)", True),
        ("Vault is ready after 0 s: http://192.0.2.7:8200", False),
    ]


def test_a_reason_that_stays_is_said_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "REPORT_EVERY_SECONDS", 0.1)

    _, said = wait(iter([*[PENDING] * 12, READY]))

    assert 2 <= sum(line.startswith("the pod is pending") for line, _ in said) <= 4


def test_when_the_time_is_over_the_last_reason_is_told() -> None:
    started = time.monotonic()

    with pytest.raises(
        pulumi.RunError,
        match=r"^Vault is not ready after 1 s: the pod is pending; add a node$",
    ):
        wait(for_ever(PENDING), timeout_seconds=0.6)
    assert 0.6 <= time.monotonic() - started < 3


def test_what_waiting_does_not_mend_is_waited_for_no_longer() -> None:
    hopeless = Obstacle("image", "the image has no name", "name it", patience_seconds=0)

    with pytest.raises(pulumi.RunError, match="the image has no name"):
        wait(iter([PENDING, hopeless]))


def test_patience_is_that_with_one_sort_of_obstacle() -> None:
    first = Obstacle("image", "ErrImagePull", "…", patience_seconds=0.15)
    second = Obstacle("image", "ImagePullBackOff", "…", patience_seconds=0.15)

    with pytest.raises(pulumi.RunError, match=r"not ready after 0 s: (ErrImage|ImagePull)"):
        wait(for_ever(first, second))
    # Another sort in between, and it begins anew.
    ready, _ = wait(iter([*[first, PENDING] * 15, READY]))
    assert ready == READY


def test_looking_holds_up_nothing_else() -> None:
    asked = threading.Event()

    async def program() -> bool:
        async def other() -> None:
            asked.set()

        found, _ = await asyncio.gather(in_thread(lambda: asked.wait(5)), other())
        return found

    assert run_alone(program()) is True


def test_what_looking_raises_is_raised() -> None:
    def broken() -> Ready:
        raise pulumi.RunError("may not")

    with pytest.raises(pulumi.RunError, match=r"^may not$"):
        run_alone(until_ready("Vault", broken, 5, lambda *_: None))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n  b\tc.", "a b c"),
        ("a" * 10 + "z" * 10, "aaa … zzz"),
        ("tried this and that, refused", "tri … sed"),
        ("a" * 10, "a" * 10),
        ("", ""),
    ],
)
def test_texts_of_others_fit_into_a_line(text: str, line: str) -> None:
    assert on_one_line(text, 10) == line
