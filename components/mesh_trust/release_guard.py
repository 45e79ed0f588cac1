"""Keeps the update that takes a Helm release over from losing what the release had."""

import asyncio
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import pulumi

from .agent_release_args import DESCRIPTION
from .agent_values import CHART_NAMES, kind_of_values, lost_values

BEFORE_UPDATE = "mesh-trust:keep-values"


class LostValuesError(pulumi.RunError):
    """The release that is taken over has values that the program does not name."""


def guarding_values() -> pulumi.ResourceHookBinding:
    """The hooks of an agent's release, which refuse to take it over with less than it has.

    A value that is left out later is left out: the preview shows it, as of any resource.
    """
    loop = asyncio.get_running_loop()
    hook = _HOOKS.get(loop)
    if hook is None:
        # Of a name there may be one in each run.
        always = pulumi.ResourceHookOptions(on_dry_run=True)
        hook = _HOOKS[loop] = pulumi.ResourceHook(BEFORE_UPDATE, _before_update, always)
    return pulumi.ResourceHookBinding(before_update=[hook])


async def _before_update(args: pulumi.ResourceHookArgs) -> None:
    old, new = await _plain(args.old_inputs or {}), await _plain(args.new_inputs or {})
    require_all_kept(old, new, await _plain(args.old_outputs or {}))


async def _plain(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    # A field that has a secret somewhere in it comes as an Output.
    return {
        name: await value.future(with_unknowns=True) if isinstance(value, pulumi.Output) else value
        for name, value in fields.items()
    }


def require_all_kept(
    old: Mapping[str, Any], new: Mapping[str, Any], state: Mapping[str, Any]
) -> None:
    """Makes sure that a release that was just imported goes on with all that it has.

    `old` and `new` are the inputs before and after, `state` the outputs before, in plain.

    Raises:
        LostValuesError: a value would go away, the release is of the other kind of chart, or its
            values cannot be compared.
    """
    if old.get("description") == DESCRIPTION:
        return
    release = f"Helm release {new.get('namespace')}/{new.get('name')}"
    before, after = _values(old), _values(new)
    kind, chart = kind_of_values(after), (state.get("status") or {}).get("chart")
    for other, name in CHART_NAMES.items():
        if other != kind and name == chart:
            raise LostValuesError(
                f"{release} is of chart {name}, which ignores the values of another kind: make "
                f"chart_kind {other}"
            )
    lost = lost_values(before, after)
    if lost:
        raise LostValuesError(
            f"{release} has values that would be lost: {', '.join(lost)}; name them in values, as "
            f"`helm get values -n {new.get('namespace')} {new.get('name')}` shows them"
        )


def _values(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    values = inputs.get("values") or {}
    if not isinstance(values, Mapping):
        raise LostValuesError("the values of the Helm release cannot be compared: no map of values")
    return values


_HOOKS: WeakKeyDictionary[asyncio.AbstractEventLoop, pulumi.ResourceHook] = WeakKeyDictionary()
