import os
import pwd
from pathlib import Path

import pytest

from lab.toolchain import ToolchainError
from lab.toolchain.cache import cache_root
from lab.toolchain.places import executables, home_directory, path_folders
from tests.lab.toolchain.conftest import Machine

USERS_HOME = Path(pwd.getpwuid(os.getuid()).pw_dir)


def test_the_home_is_what_the_environment_says() -> None:
    assert home_directory({"HOME": "/h"}) == Path("/h")


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}, {"HOME": "relative"}])
def test_or_else_what_the_system_has_for_the_user(environment: dict[str, str]) -> None:
    assert home_directory(environment) == USERS_HOME


def test_without_any_home_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(user: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for ask in (home_directory, cache_root):
        with pytest.raises(ToolchainError, match="has no home folder; set HOME"):
            ask({})
    assert cache_root({"XDG_CACHE_HOME": "/c"}) == Path("/c/mesh-trust/tools")


def test_every_executable_of_the_name_is_found_once_and_in_order(machine: Machine) -> None:
    first = machine.install("tiny", "")
    second = machine.install("tiny", "", machine.root / "second")
    machine.install("tiny", "", machine.root / "third").chmod(0o644)
    path = ":".join(str(machine.root / name) for name in ("bin", "", "third", "second", "bin"))
    folders = path_folders({"PATH": f":{path}:"})
    assert list(executables("tiny", folders)) == [first, second]
