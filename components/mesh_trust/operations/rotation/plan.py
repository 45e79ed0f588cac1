"""Where the rotation of a stack's root stands, and whether the next step is safe yet."""

import json
from collections.abc import Sequence
from typing import NoReturn

import click
from rich.console import Console

from mesh_trust.live_certificates import LiveCertificate

from ..cli import asked
from ..errors import OperationError
from ..finding import Finding, State
from ..generations import generations_of
from ..report import as_json, exit_code, print_table
from ..runner import Check
from ..stack import Stack
from .cluster_checks import ClusterChecks
from .leftovers import LEFTOVERS, Leftovers
from .next_step import NextStep, Step, next_step


def tell_plan(stack: Stack, *, as_document: bool) -> NoReturn:
    """Looks, prints what was found and what comes next, and ends with the exit code that says it.

    Raises:
        OperationError: the stack has no root yet, or none that has generations.
    """
    if stack.settings.root.source == "external":
        raise OperationError(
            "rootSource external has no generations here: who keeps that root replaces it"
        )
    generations = generations_of(stack.outputs)
    step = next_step(generations, [each.name for each in stack.settings.root.generations])
    checks: dict[str, list[Check]] = {
        f"cluster {cluster.name}": ClusterChecks(
            cluster, stack.settings, generations, step
        ).checks()
        for cluster in stack.settings.clusters
    }
    leftovers = Leftovers(stack, step)
    if step.step is Step.RETIRE:
        checks["Vault"] = leftovers.checks()
    findings, seconds = asked(checks)
    if as_document:
        click.echo(_document(step, findings, leftovers.found))
    else:
        print_table(findings, seconds, Console())
        click.echo(_sentence(step, findings))
    raise SystemExit(exit_code(findings))


def _sentence(step: NextStep, findings: list[Finding]) -> str:
    if exit_code(findings):
        return f"\nThe next step is to {step}. It is not safe yet: see what failed."
    return f"\nThe next step is to {step}. It is safe: {how_it_is_done(step, findings)}."


def how_it_is_done(step: NextStep, findings: Sequence[Finding]) -> str:
    """What to do for `step` after what was found, a sentence on a single line."""
    left = any(each.check == LEFTOVERS and each.state is State.WARNING for each in findings)
    return f"{f'revoke what Vault has left (see {LEFTOVERS}), then ' if left else ''}{step.how}"


def _document(
    step: NextStep, findings: Sequence[Finding], leftovers: Sequence[LiveCertificate]
) -> str:
    generation = step.generation
    return json.dumps(
        {
            "step": step.step.value,
            "generation": None if generation is None else generation.name,
            "safe": exit_code(findings) == 0,
            "how": how_it_is_done(step, findings),
            "leftovers": [
                {
                    "serial": each.serial,
                    "mount": each.mount_path,
                    "notAfter": f"{each.certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
                }
                for each in leftovers
            ],
            **json.loads(as_json(findings)),
        },
        indent=2,
    )
