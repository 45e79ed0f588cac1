"""Whether the stack is as its configuration says, and how long its root has left."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mesh_trust.root_checks import named

from ..certificates import Thresholds
from ..expected import Expected, ExpectedTrust
from ..finding import Finding, State

STACK = "stack"

_NAMES = {"authMount": "auth_mount", "intermediateMount": "intermediate_mount"}
_NAMES |= {"role": "role", "policy": "policy"}
_ROOT_FIX = "bring in another root in steps, as docs/root-ca.md has it"


def stack_outputs(expected: Expected) -> Iterator[Finding]:
    """Whether the last update was made with the clusters and names of the configuration."""
    deployed = expected.stack.outputs.get("clusters") or {}
    faults = [
        f"cluster {trust.name} is configured, and has nothing in the stack yet"
        for trust in expected.trusts
        if trust.name not in deployed
    ]
    configured = {trust.name: trust for trust in expected.trusts}
    for name, outputs in deployed.items():
        if name in configured:
            faults += _renamed(configured[name], outputs)
        else:
            faults.append(f"cluster {name} is in the stack, and not configured")
    if faults:
        fix = "see what an update would change, and run it: `pulumi preview`"
        yield Finding("stack-outputs", STACK, State.FAILED, "; ".join(faults), fix)
        return
    seen = f"the last update had the {len(deployed)} clusters that are configured"
    yield Finding("stack-outputs", STACK, State.OK, seen)


def root_lifetime(expected: Expected, thresholds: Thresholds) -> Iterator[Finding]:
    """How long the root has left, and whether what it signs now would outlive it."""
    root, check = expected.root, "root-lifetime"
    finding = thresholds.judge(check, STACK, f"the root {named(root)}", root, _ROOT_FIX)
    days = expected.settings.root_signs_for_days
    left = (root.not_valid_after_utc - datetime.now(UTC)).days
    if finding.state is State.OK and left < days:
        seen = f"{finding.seen}, less than the {days} days of what it signs"
        yield Finding(check, STACK, State.WARNING, seen, _ROOT_FIX)
        return
    yield finding


def _renamed(trust: ExpectedTrust, deployed: dict[str, str]) -> Iterator[str]:
    for output, name in _NAMES.items():
        wanted = getattr(trust.cluster.names, name)
        if deployed.get(output) != wanted:
            yield f"{output} of cluster {trust.name} is {deployed.get(output)!r}, not {wanted!r}"
