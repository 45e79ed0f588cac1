"""The program that puts the agent beside an istiod, with a stack and an engine of its own."""

import os
import shutil
import sys
from pathlib import Path

from lab.directory import CHECKOUT
from lab.toolchain import Toolchain
from tests.engine import engine_environment, prepare_engine
from tests.existing.conftest import OwnProgram

_PROGRAM = Path(__file__).with_name("istiod_program")


def agent_program(kubeconfig: Path, context: str, toolchain: Toolchain, folder: Path) -> OwnProgram:
    """The program with an empty stack, in an empty folder, for that cluster."""
    (folder / "engine").mkdir()
    engine = prepare_engine(folder / "engine", toolchain)
    program = folder / "program"
    shutil.copytree(_PROGRAM, program, ignore=shutil.ignore_patterns("__pycache__"))
    environment = engine_environment(engine)
    path = os.pathsep.join((str(Path(sys.executable).parent), environment["PATH"]))
    environment |= {
        "PATH": path,
        "CHECKOUT": str(CHECKOUT),
        "KUBECONFIG": str(kubeconfig),
        "CONTEXT": context,
    }
    own = OwnProgram(program, environment)
    own.run("stack", "init")
    return own
