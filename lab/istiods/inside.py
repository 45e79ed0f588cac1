"""`python -m lab.istiods.inside ROOT EXECUTABLE …`: runs a program that sees nothing but a folder.

The executable, which has to be linked statically, need not be in there.
"""

import os
import sys


def main(root: str, executable: str, *arguments: str) -> None:
    """Become the program."""
    descriptor = os.open(executable, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    os.chroot(root)
    os.chdir("/")
    os.execve(descriptor, [executable, *arguments], os.environ)


if __name__ == "__main__":
    main(*sys.argv[1:])
