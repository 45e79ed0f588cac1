import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.plugins.provider.values import Properties
from tests.conformance.harness import running_plugin

MODULE = "lab.plugins.kubernetes"
CHECKOUT = Path(__file__).parents[3]
KEY = b"a client's private key"

KILLED_AT_WORK = """
import os, signal
from lab.plugins.kubernetes.credential_files import credentials_folder
(credentials_folder() / "key").write_text("secret")
os.kill(os.getpid(), signal.SIGKILL)
"""


def kubeconfig() -> Properties:
    data = base64.b64encode(KEY).decode()
    return {
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        # Nobody listens there, which a plugin finds out after it has read the file.
        "clusters": [{"name": "test", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [
            {"name": "test", "user": {"client-certificate-data": data, "client-key-data": data}}
        ],
    }


@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "PULUMI_HOME", "TMPDIR"])
def test_keys_are_private_and_go_with_the_plugin(variable: str, tmp_path: Path) -> None:
    with running_plugin(MODULE, {variable: str(tmp_path)}) as plugin:
        plugin.configure({"kubeconfig": kubeconfig()})
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.read_bytes() for file in folder.iterdir()} == {KEY}
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_plugin_left_the_next_one_removes(tmp_path: Path) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AT_WORK],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (left_over,) = tmp_path.iterdir()
    assert (left_over / "key").read_text() == "secret"
    with running_plugin(MODULE, environment) as plugin:
        plugin.configure({"kubeconfig": kubeconfig()})
        assert not left_over.exists()


def test_what_a_living_plugin_uses_and_what_is_not_a_plugin_s_is_left_alone(
    tmp_path: Path,
) -> None:
    environment = {"XDG_RUNTIME_DIR": str(tmp_path)}
    foreign = tmp_path / "pulumi-resource-kubernetes-notes-1"
    foreign.mkdir()
    with running_plugin(MODULE, environment) as first:
        first.configure({"kubeconfig": kubeconfig()})
        used = set(tmp_path.iterdir())
        with running_plugin(MODULE, environment) as second:
            second.configure({"kubeconfig": kubeconfig()})
            assert used < set(tmp_path.iterdir())
        assert set(tmp_path.iterdir()) == used
    assert list(tmp_path.iterdir()) == [foreign]
