from pathlib import Path

import pytest
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto.language_pb2 import ProgramInfo

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.options import RuntimeOptions, Typechecker, read_options


def program_info(root: Path, **options: str | int) -> ProgramInfo:
    struct = Struct()
    struct.update(options)
    return ProgramInfo(root_directory=str(root), program_directory=str(root), options=struct)


def test_without_options_the_python_on_path_is_taken(tmp_path: Path) -> None:
    assert read_options(program_info(tmp_path)) == RuntimeOptions(None, "", None)


def test_virtualenv_is_relative_to_the_project(tmp_path: Path) -> None:
    options = read_options(program_info(tmp_path, virtualenv=".venv", toolchain="pip"))
    assert options.virtualenv == tmp_path / ".venv"


def test_absolute_virtualenv_is_kept(tmp_path: Path) -> None:
    options = read_options(program_info(tmp_path, virtualenv="/somewhere/venv"))
    assert options.virtualenv == Path("/somewhere/venv")


def test_default_virtualenv_yields_to_the_option(tmp_path: Path) -> None:
    named = program_info(tmp_path, virtualenv="other")
    assert read_options(named, default_virtualenv="venv").virtualenv == tmp_path / "other"
    unnamed = program_info(tmp_path)
    assert read_options(unnamed, default_virtualenv="venv").virtualenv == tmp_path / "venv"


@pytest.mark.parametrize("typechecker", Typechecker)
def test_typecheckers(tmp_path: Path, typechecker: Typechecker) -> None:
    options = read_options(program_info(tmp_path, typechecker=typechecker.value))
    assert options.typechecker is typechecker


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"toolchain": "poetry"}, "'toolchain' is 'poetry'"),
        ({"typechecker": "pytype"}, "'typechecker' is 'pytype': it must be 'mypy' or 'pyright'"),
        ({"virtualenv": 3}, "'virtualenv' must be a string, not 3"),
    ],
)
def test_refused_options(tmp_path: Path, options: dict[str, str | int], said: str) -> None:
    with pytest.raises(LanguageHostError, match=said):
        read_options(program_info(tmp_path, **options))


def test_lock_file_of_another_tool_chain_is_refused_unless_pip_is_named(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    program = tmp_path / "program"
    program.mkdir()
    with pytest.raises(LanguageHostError, match=r"uv\.lock asks for the tool chain 'uv'"):
        read_options(program_info(program))
    assert read_options(program_info(program, toolchain="pip")).virtualenv is None
