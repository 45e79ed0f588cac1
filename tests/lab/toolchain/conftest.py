"""A machine of its own for each test: nothing installed, an empty cache, and a Go that is told."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

from lab.toolchain import ToolchainError
from lab.toolchain.catalog import GoBuild, Tool
from lab.toolchain.go_build import find_go
from tests.lab.toolchain.releases import Publisher, publishing

BUILT_PROGRAM = "#!/bin/sh\necho built\n"

_FAKE_GO = """#!{python}
import sys, time
from pathlib import Path

if sys.argv[1] == "version":
    print("go version {version} linux/amd64")
    sys.exit()
with Path({calls!r}).open("a") as calls:
    calls.write("build\\n")
executable = Path(sys.argv[sys.argv.index("-o") + 1])
{behaviour}
"""

_BUILDS = f"""
executable.write_text({BUILT_PROGRAM!r})
executable.chmod(0o755)
"""


@dataclass(frozen=True)
class Machine:
    """What of a machine the tool chain looks at."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def path(self) -> Path:
        """The only folder on PATH."""
        return self.root / "bin"

    @property
    def cache(self) -> Path:
        return self.root / "cache" / "mesh-trust" / "tools"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": str(self.path),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            # Against a proxy between the tests and their own server.
            "NO_PROXY": "127.0.0.1",
        }

    @property
    def builds(self) -> int:
        """How often Go was asked to build."""
        calls = self.root / "go-calls"
        return len(calls.read_text().splitlines()) if calls.exists() else 0

    def install(self, name: str, says: str, folder: Path | None = None) -> Path:
        """Installs an executable that prints `says`, whatever it is asked."""
        executable = (folder or self.path) / name
        executable.parent.mkdir(parents=True, exist_ok=True)
        executable.write_text(f"#!/bin/sh\necho '{says}'\n")
        executable.chmod(0o755)
        return executable

    def install_go(self, behaviour: str = _BUILDS, version: str = "go1.26.0") -> None:
        """Installs a stand-in for Go, whose `build` does `behaviour` with the Path `executable`."""
        go = self.install("go", "")
        calls = str(self.root / "go-calls")
        go.write_text(
            _FAKE_GO.format(
                python=sys.executable, version=version, calls=calls, behaviour=behaviour
            )
        )

    def module(self, name: str = "module") -> Path:
        """A Go module of a program that prints its version, made where it is missing."""
        folder = self.root / name
        if not folder.exists():
            folder.mkdir()
            (folder / "go.mod").write_text("module tiny\n\ngo 1.26\n")
            (folder / "go.sum").touch()
            # No imports: nothing but Go's runtime has to be compiled.
            (folder / "main.go").write_text(
                'package main\n\nvar version string\n\nfunc main() { println("tiny", version) }\n'
            )
        return folder

    def built_tool(self, name: str = "tiny", module: str = "module") -> Tool:
        """A tool that can be had in no other way than by building it."""
        return Tool(
            name, "1.2.3", build=GoBuild(self.module(module), ".", {"main.version": "1.2.3"})
        )


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    machine.path.mkdir()
    machine.home.mkdir()
    for variable in ("PULUMI_HOME", "MESH_TRUST_OFFLINE", "MESH_TRUST_LAB_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in machine.environment.items():
        monkeypatch.setenv(variable, value)
    # A Go in its usual place is no part of this machine.
    monkeypatch.setattr("lab.toolchain.go_build._USUAL_FOLDER", tmp_path / "no-go")
    return machine


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the catalog consist of the given tools."""

    def replace_catalog(*tools: Tool) -> None:
        # Its package has a function of the same name, which hides the module.
        monkeypatch.setattr(import_module("lab.toolchain.prepare"), "TOOLS", tools)

    return replace_catalog


def leave_out(error: ToolchainError, environment: Mapping[str, str]) -> NoReturn:
    """Skips the tests that need Go, but not where nobody would see that they are skipped."""
    if environment.get("CI"):
        pytest.fail(str(error))
    pytest.skip(str(error))


@pytest.fixture(scope="session")
def real_go_environment() -> dict[str, str]:
    """Go's own caches, wherever else the tests move the home and the cache to."""
    try:
        go = find_go(os.environ, "a test").executable
    except ToolchainError as error:
        leave_out(error, os.environ)
    answer = subprocess.run(
        [go, "env", "GOCACHE", "GOPATH"], capture_output=True, text=True, check=True
    )
    cache, path = answer.stdout.splitlines()
    return {"PATH": f"{go.parent}:{os.environ['PATH']}", "GOCACHE": cache, "GOPATH": path}


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A publisher that the machine can reach."""
    with publishing() as publisher:
        yield publisher
