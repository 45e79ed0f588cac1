"""The Python interpreter a program runs in, and the environment it runs with."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.options import RuntimeOptions
from lab.plugins.language.processes import Command

_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_CHECKOUT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Interpreter:
    """A Python executable, with the virtual environment it belongs to, if any."""

    executable: Path
    virtualenv: Path | None = None

    def command(
        self, directory: Path, *arguments: str, variables: Mapping[str, str] = _NO_VARIABLES
    ) -> Command:
        """This interpreter with arguments, in a folder.

        It runs in the host's own environment, with the variables added.
        """
        return Command(
            arguments=(str(self.executable), *arguments),
            directory=directory,
            environment=self.environment({**os.environ, **variables}),
        )

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with the virtual environment activated, and free of what is the host's own."""
        environment = {name: value for name, value in base.items() if name != "PYTHONPATH"}
        python_path = _without_checkout(base.get("PYTHONPATH", ""))
        if python_path:
            environment["PYTHONPATH"] = python_path
        if self.virtualenv is not None:
            environment.pop("PYTHONHOME", None)
            environment["VIRTUAL_ENV"] = str(self.virtualenv)
            search_path = (str(self.virtualenv / "bin"), base.get("PATH", ""))
            environment["PATH"] = os.pathsep.join(filter(None, search_path))
        return environment


def find_interpreter(options: RuntimeOptions) -> Interpreter:
    """The interpreter that the options name.

    Raises `LanguageHostError` where there is none.
    """
    if options.virtualenv is None:
        return python_on_path()
    executable = virtualenv_python(options.virtualenv)
    if not executable.is_file():
        state = "is not a virtual environment" if options.virtualenv.exists() else "does not exist"
        raise LanguageHostError(
            f"runtime option 'virtualenv' is {options.virtualenv_option!r}, but "
            f"{options.virtualenv} {state}: run `pulumi install` to make it"
        )
    return Interpreter(executable, options.virtualenv)


def python_on_path() -> Interpreter:
    """The command named by PULUMI_PYTHON_CMD, else `python3`, else `python`, as found on PATH.

    Raises `LanguageHostError` where there is none.
    """
    chosen = os.environ.get("PULUMI_PYTHON_CMD")
    commands = (chosen,) if chosen else ("python3", "python")
    for command in commands:
        if found := shutil.which(command):
            return Interpreter(Path(found))
    raise LanguageHostError(f"no {' or '.join(commands)} on PATH: install Python, or set PATH")


def virtualenv_python(virtualenv: Path) -> Path:
    """Where a virtual environment keeps its interpreter."""
    return virtualenv / "bin" / "python"


def _without_checkout(python_path: str) -> str:
    # The checkout is there so that this host finds its own modules; a program must not import them.
    entries = (entry for entry in python_path.split(os.pathsep) if entry)
    return os.pathsep.join(entry for entry in entries if Path(entry).resolve() != _CHECKOUT)
