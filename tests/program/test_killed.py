"""An engine that is killed hard."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.directory import CHECKOUT
from lab.lab import Lab

from .program import Program


def test_after_a_killed_up_the_next_one_works(lab: Lab, deployed: Program) -> None:
    arguments = ["up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    folder = ["--directory", str(lab.directory.root)]
    with subprocess.Popen(
        [sys.executable, "-m", "lab", *folder, "pulumi", "--", *arguments],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as engine:
        await_lock(lab)
        engine.send_signal(signal.SIGKILL)
    assert locks(lab)

    assert "its lock" in deployed.up("--expect-no-changes")
    assert not locks(lab)


def locks(lab: Lab) -> list[Path]:
    return list((lab.directory.pulumi_state / ".pulumi" / "locks").rglob("*.json"))


def await_lock(lab: Lab) -> None:
    deadline = time.monotonic() + 60
    while not locks(lab):
        assert time.monotonic() < deadline, "the engine took no lock"
        time.sleep(0.02)
