import os
import stat
import sys
from pathlib import Path

import pytest
from pulumi.runtime.proto.language_pb2 import ProgramInfo, RunRequest

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.interpreter import Interpreter, find_interpreter, python_on_path
from lab.plugins.language.options import RuntimeOptions
from lab.plugins.language.program import program_command
from tests.plugins.language.projects import CHECKOUT


def test_virtual_environment_is_activated() -> None:
    interpreter = Interpreter(Path("/v/bin/python"), Path("/v"))
    environment = interpreter.environment({"PATH": "/usr/bin", "PYTHONHOME": "/x", "HOME": "/h"})
    assert environment == {"PATH": "/v/bin:/usr/bin", "VIRTUAL_ENV": "/v", "HOME": "/h"}


def test_python_on_path_keeps_the_environment() -> None:
    base = {"PATH": "/usr/bin", "PYTHONHOME": "/x"}
    assert Interpreter(Path("/usr/bin/python3")).environment(base) == base


def test_checkout_is_not_importable_for_programs() -> None:
    interpreter = Interpreter(Path("/usr/bin/python3"))
    only = interpreter.environment({"PYTHONPATH": str(CHECKOUT)})
    assert "PYTHONPATH" not in only
    among = interpreter.environment({"PYTHONPATH": os.pathsep.join((str(CHECKOUT), "/theirs"))})
    assert among["PYTHONPATH"] == "/theirs"


def test_missing_virtual_environment(tmp_path: Path) -> None:
    options = RuntimeOptions(tmp_path / "venv", "venv", None)
    with pytest.raises(LanguageHostError, match=f"'venv', but {tmp_path}/venv does not exist"):
        find_interpreter(options)


def test_folder_that_is_no_virtual_environment(tmp_path: Path) -> None:
    with pytest.raises(LanguageHostError, match="is not a virtual environment"):
        find_interpreter(RuntimeOptions(tmp_path, "venv", None))


def test_virtual_environment_is_found() -> None:
    options = RuntimeOptions(Path(sys.prefix), "venv", None)
    assert find_interpreter(options).executable == Path(sys.prefix, "bin", "python")


def test_command_of_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3", "python9"):
        executable = tmp_path / name
        executable.touch(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PULUMI_PYTHON_CMD", raising=False)
    assert python_on_path().executable == tmp_path / "python3"
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python9")
    assert python_on_path().executable == tmp_path / "python9"
    monkeypatch.setenv("PULUMI_PYTHON_CMD", "python8")
    with pytest.raises(LanguageHostError, match="no python8 on PATH"):
        python_on_path()


def test_configuration_is_no_argument(tmp_path: Path) -> None:
    request = RunRequest(
        pwd=str(tmp_path),
        info=ProgramInfo(entry_point=".", root_directory=str(tmp_path)),
        config={"project:token": "hunter2"},
        configSecretKeys=["project:token"],
    )
    command = program_command(request, "127.0.0.1:1", Interpreter(Path("python3")))
    assert "hunter2" not in " ".join(command.arguments)
    assert command.environment.items() >= {
        ("PULUMI_CONFIG", '{"project:token": "hunter2"}'),
        ("PULUMI_CONFIG_SECRET_KEYS", '["project:token"]'),
    }
