"""The generations of the root that a stack tells, changed in its outputs."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lab.directory import CHECKOUT
from tests.program.program import Program


@contextmanager
def told_roots(program: Program, *roots: tuple[str, str, bool]) -> Iterator[None]:
    """Has the stack tell these roots, each with name, certificate (PEM), and whether it signs.

    As if updates had led to them; the engine's own state is what says so.
    """
    before = program.state(show_secrets=True)
    changed = json.loads(json.dumps(before))
    [stack] = [
        each for each in changed["deployment"]["resources"] if each["type"] == "pulumi:pulumi:Stack"
    ]
    stack["outputs"]["roots"] = [
        {"name": name, "certificate": certificate, "signing": signing}
        for name, certificate, signing in roots
    ]
    _import(program, changed)
    try:
        yield
    finally:
        _import(program, before)


def _import(program: Program, state: dict[str, Any]) -> None:
    subprocess.run(
        [program.lab.directory.engine / "pulumi", "stack", "import", "--stack", "dev"],
        cwd=CHECKOUT,
        env=program.lab.environment(),
        input=json.dumps(state),
        capture_output=True,
        text=True,
        check=True,
    )
