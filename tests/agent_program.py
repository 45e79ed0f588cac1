"""The program that puts the agent beside an istiod, with a stack and an engine of its own."""

from pathlib import Path

from lab.toolchain import Toolchain
from tests.engine import own_program_environment, prepare_engine
from tests.existing.conftest import OwnProgram

_PROGRAM = Path(__file__).with_name("istiod_program")


def agent_program(kubeconfig: Path, context: str, toolchain: Toolchain, folder: Path) -> OwnProgram:
    """The program with an empty stack, in an empty folder, for that cluster."""
    (folder / "engine").mkdir()
    engine = prepare_engine(folder / "engine", toolchain)
    environment = own_program_environment(engine)
    environment |= {"KUBECONFIG": str(kubeconfig), "CONTEXT": context}
    return OwnProgram.of(_PROGRAM, folder / "program", environment)
