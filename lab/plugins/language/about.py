"""What `pulumi about` tells of the language."""

from pathlib import Path

from pulumi.runtime.proto.language_pb2 import AboutResponse

from lab.plugins.language.interpreter import find_interpreter
from lab.plugins.language.options import RuntimeOptions
from lab.plugins.language.processes import Processes

_VERSIONS = """
import importlib.util, platform, sys
print(sys.executable)
print(platform.python_version())
if importlib.util.find_spec("pip"):
    import pip
    print(pip.__version__)
"""


async def about(options: RuntimeOptions, processes: Processes) -> AboutResponse:
    """The interpreter of a program, its version and that of its pip (empty where it has none).

    Raises `LanguageHostError` where there is no interpreter.
    """
    interpreter = find_interpreter(options)
    output = await processes.output_of(interpreter.command(Path.cwd(), "-c", _VERSIONS))
    executable, version, *pip = output.splitlines()
    return AboutResponse(
        executable=executable,
        version=version,
        metadata={
            "toolchain": "Pip",
            "toolchainVersion": "".join(pip),
            "typechecker": options.typechecker.name.capitalize() if options.typechecker else "None",
        },
    )
