"""Where the rotation of a stack's root stands, and whether the next step is safe yet."""

import json
import time
from typing import NoReturn

import click
from rich.console import Console

from ..finding import Finding
from ..generations import generations_of
from ..report import as_json, exit_code, print_table
from ..runner import Check, run_checks
from ..stack import Stack
from .cluster_checks import ClusterChecks
from .leftovers import Leftovers
from .next_step import NextStep, Step, next_step


def tell_plan(stack: Stack, *, as_document: bool) -> NoReturn:
    """Looks, prints what was found and what comes next, and ends with the exit code that says it.

    Raises:
        OperationError: the stack has no root yet.
    """
    generations = generations_of(stack.outputs)
    step = next_step(generations)
    checks: dict[str, list[Check]] = {
        f"cluster {cluster.name}": ClusterChecks(
            cluster, stack.settings, generations, step
        ).checks()
        for cluster in stack.settings.clusters
    }
    if step.step is Step.RETIRE:
        checks["Vault"] = Leftovers(stack, step).checks()
    started = time.monotonic()
    with Console(stderr=True).status(f"Asking {', '.join(checks)} ..."):
        findings = run_checks(checks)
    if as_document:
        click.echo(_document(step, findings))
    else:
        print_table(findings, time.monotonic() - started, Console())
        click.echo(_sentence(step, findings))
    raise SystemExit(exit_code(findings))


def _sentence(step: NextStep, findings: list[Finding]) -> str:
    if exit_code(findings):
        return f"\nThe next step is to {step}. It is not safe yet: see what failed."
    return f"\nThe next step is to {step}. It is safe: {step.how}."


def _document(step: NextStep, findings: list[Finding]) -> str:
    generation = step.generation
    return json.dumps(
        {
            "step": step.step.value,
            "generation": None if generation is None else generation.name,
            "safe": exit_code(findings) == 0,
            "how": step.how,
            **json.loads(as_json(findings)),
        },
        indent=2,
    )
