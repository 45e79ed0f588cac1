import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from lab.toolchain import Toolchain

DEADLINE_SECONDS = 20
# Has the children of children that end become its own, as they become the first process's in a pod
# (PR_SET_CHILD_SUBREAPER of prctl(2)); leaves some of them, and becomes what it is told to be.
AS_FIRST_PROCESS = """
import ctypes, os, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
subprocess.run(["sh", "-c", "for each in 1 2 3; do sleep 0.$each & done"], check=True)
subprocess.run(["sh", "-c", "sleep 60 &"], check=True)
os.execv(sys.argv[1], sys.argv[1:])
"""


def children(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_it_reaps_what_containers_leave_until_it_is_told_to_end(
    toolchain: Toolchain, told: signal.Signals
) -> None:
    script = [sys.executable, "-c", AS_FIRST_PROCESS, str(toolchain["pause"].path)]
    with subprocess.Popen(script) as pause:
        try:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while psutil.Process(pause.pid).name() != "pause" or len(children(pause)) > 1:
                assert time.monotonic() < deadline, children(pause)
                time.sleep(0.02)
            (living,) = children(pause)
            assert living.name() == "sleep"
            os.kill(living.pid, signal.SIGKILL)
            while children(pause):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert pause.poll() is None
            pause.send_signal(told)
            assert pause.wait(DEADLINE_SECONDS) == 0
        finally:
            pause.kill()


def test_it_says_its_version(toolchain: Toolchain) -> None:
    pause = toolchain["pause"]
    said = subprocess.run([pause.path, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"pause {pause.version}\n"
