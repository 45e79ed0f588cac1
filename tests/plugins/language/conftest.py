"""A running language host, and projects that the real engine runs with it."""

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto.language_pb2_grpc import LanguageRuntimeStub

from lab.toolchain import Toolchain
from tests.plugins.language.projects import CHECKOUT, Project


@pytest.fixture(scope="module")
def host() -> Iterator[LanguageRuntimeStub]:
    """A language host that no engine has started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lab.plugins.language"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield LanguageRuntimeStub(channel)
    process.terminate()
    _, stderr = process.communicate(timeout=10)
    assert (process.returncode, stderr) == (0, "")


@pytest.fixture(scope="session")
def engine_environment(
    toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """An environment in which `pulumi` finds this checkout's language host and nothing else."""
    home = tmp_path_factory.mktemp("engine")
    launcher = home / "bin" / "pulumi-language-python"
    launcher.parent.mkdir()
    launcher.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(CHECKOUT))} "
        f'exec {shlex.quote(sys.executable)} -m lab.plugins.language "$@"\n'
    )
    launcher.chmod(launcher.stat().st_mode | stat.S_IXUSR)
    (home / "state").mkdir()
    pulumi = toolchain["pulumi"].path
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    return {
        **kept,
        "PATH": os.pathsep.join((str(launcher.parent), str(pulumi.parent), os.environ["PATH"])),
        "PULUMI_HOME": str(home / "home"),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


@pytest.fixture
def project(engine_environment: dict[str, str], tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path / "project", engine_environment)
