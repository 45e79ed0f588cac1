"""The `runtime.options` of a Pulumi.yaml or PulumiPlugin.yaml."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.language_pb2 import ProgramInfo

from lab.plugins.language.errors import LanguageHostError

_FOREIGN_LOCK_FILES = {"uv.lock": "uv", "poetry.lock": "poetry"}


class Typechecker(enum.Enum):
    """A type checker to run over the program before the program itself."""

    MYPY = "mypy"
    PYRIGHT = "pyright"


@dataclass(frozen=True)
class RuntimeOptions:
    """Checked runtime options.

    `virtualenv` is absolute, or None for the Python found on PATH; `virtualenv_option` is what the
    project file says.
    """

    virtualenv: Path | None
    virtualenv_option: str
    typechecker: Typechecker | None


def read_options(info: ProgramInfo, *, default_virtualenv: str = "") -> RuntimeOptions:
    """Check the options of a program or plugin.

    Raises `LanguageHostError` for an option of the wrong type, and for a tool chain or a type
    checker that is not supported.
    """
    values: Mapping[str, object] = MessageToDict(info.options)
    _check_toolchain(_text(values, "toolchain"), Path(info.program_directory))
    virtualenv = _text(values, "virtualenv") or default_virtualenv
    return RuntimeOptions(
        virtualenv=Path(info.root_directory, virtualenv) if virtualenv else None,
        virtualenv_option=virtualenv,
        typechecker=_typechecker(_text(values, "typechecker")),
    )


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise LanguageHostError(f"runtime option {name!r} must be a string, not {value!r}")
    return value


def _check_toolchain(toolchain: str, program_directory: Path) -> None:
    if toolchain not in ("", "pip"):
        raise LanguageHostError(
            f"runtime option 'toolchain' is {toolchain!r}: only 'pip' is supported here"
        )
    if toolchain:
        return
    for directory in (program_directory, *program_directory.parents):
        for file_name, owner in _FOREIGN_LOCK_FILES.items():
            if (directory / file_name).exists():
                raise LanguageHostError(
                    f"{directory / file_name} asks for the tool chain {owner!r}, which is not "
                    "supported here: set the runtime option 'toolchain' to 'pip'"
                )


def _typechecker(name: str) -> Typechecker | None:
    if not name:
        return None
    try:
        return Typechecker(name)
    except ValueError:
        known = " or ".join(repr(typechecker.value) for typechecker in Typechecker)
        raise LanguageHostError(
            f"runtime option 'typechecker' is {name!r}: it must be {known}"
        ) from None
