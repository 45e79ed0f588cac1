"""What the README begins with: the lab by make, here without nodes."""

import os
from pathlib import Path

import pytest

from lab.directory import CHECKOUT
from lab.lab import UNWANTED
from tests.commands import run_command

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]


def test_what_the_readme_begins_with(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= {"LAB_DIR": str(tmp_path / "lab"), "NODES": "0"}

    def make(target: str, exit_codes: tuple[int, ...] = (0,)) -> str:
        done = run_command(["make", target], CHECKOUT, environment)
        assert done.returncode in exit_codes, f"make {target}\n{done.stdout}"
        return done.stdout

    try:
        assert "came from" in make("tools")
        assert " created" in make("up")
        assert "etcd" in make("status")
        assert "unchanged" in make("preview")
        # The key that istiod made for itself before is named.
        assert "ca-keys" in make("verify", (0, 2, 1))
        assert " deleted" in make("down")
    finally:
        make("clean-lab")
    assert not (tmp_path / "lab" / "vault").exists()
