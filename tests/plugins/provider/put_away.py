"""The tiny plugin with a thing to put away, and one that goes with the interpreter alone."""

import atexit
import os
import sys
from collections.abc import Callable

from typing_extensions import override

from lab.plugins.provider.serve import serve

from .tiny import TinyProvider


class Remaining:
    """Tells when the interpreter takes it down, and modules with it."""

    def __del__(self, write: Callable[[int, bytes], int] = os.write) -> None:
        write(1, b"taken down\n")


class TidyProvider(TinyProvider):
    """Registers what is to be done in the end while it serves."""

    @override
    def cancel(self) -> None:
        super().cancel()
        atexit.register(print, "put away", flush=True)


remaining = Remaining()

if __name__ == "__main__":
    serve(TidyProvider(), sys.argv[1:])
