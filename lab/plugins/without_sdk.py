"""Importing this first leaves the SDK out around the engine's protocol, which comes in it.

A plugin needs `pulumi.runtime.proto` alone. The packages around it import all of the SDK, a quarter
of a second of a processor for each plugin that the engine starts in each of its runs.
"""

import gc
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def _leave_out() -> None:
    spec = find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the Pulumi SDK is not installed: install requirements.txt")
    folder = Path(spec.origin).parent
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        if name not in sys.modules:
            package = ModuleType(name)
            package.__path__ = [str(path)]
            sys.modules[name] = package


_leave_out()

# What modules are made of stays: to go through it again and again takes a tenth of a start.
gc.set_threshold(100_000)
