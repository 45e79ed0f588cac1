"""Checking a program's types before it runs."""

import os
import subprocess
from pathlib import Path

from lab.plugins.language.errors import LanguageHostError
from lab.plugins.language.interpreter import Interpreter
from lab.plugins.language.options import Typechecker
from lab.plugins.language.processes import Processes


async def check_types(
    typechecker: Typechecker, interpreter: Interpreter, directory: Path, processes: Processes
) -> str:
    """Run a type checker over the program's folder and return what it says.

    Raises `LanguageHostError` with the findings, or when the checker is not installed for the
    program's interpreter.
    """
    name = typechecker.value
    await _check_installed(name, interpreter, directory, processes)
    excluded: tuple[str, ...] = ()
    if typechecker is Typechecker.MYPY and interpreter.virtualenv is not None:
        excluded = ("--exclude", os.path.relpath(interpreter.virtualenv, directory))
    command = interpreter.command(directory, "-m", name, *excluded, str(directory))
    async with processes.started(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        stdout, _ = await process.communicate()
    report = stdout.decode(errors="replace")
    if process.returncode != 0:
        raise LanguageHostError(f"{name} failed with exit code {process.returncode}\n{report}")
    return report


async def _check_installed(
    name: str, interpreter: Interpreter, directory: Path, processes: Processes
) -> None:
    find = f"import importlib.util as util; print(util.find_spec({name!r}) is not None)"
    found = await processes.output_of(interpreter.command(directory, "-c", find))
    if found.strip() != "True":
        raise LanguageHostError(
            f"runtime option 'typechecker' is {name!r}, but {interpreter.executable} has no "
            f"{name}: add it to requirements.txt and run `pulumi install`"
        )
