"""What the stack's configuration says of the agents beside istiod."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from components import InvalidInputError, IstiodAgentArgs
from components.istiod_agent_args import INSTALLATIONS, check_istiod_agent_args
from components.validation import require_one_of

from .connections import MANAGEMENT
from .problems import Problems
from .values import HIDDEN, mapping_in

KEY = "istiodAgent"
NONE = "none"
"""Installation of a cluster whose istiod others see to, where the others have one."""

# The fields of the configuration, and those of the component.
_ARGUMENTS = {
    "installation": "installation",
    "version": "version",
    "image": "image",
    "imagePullPolicy": "image_pull_policy",
    "resources": "resources",
    "timeoutSeconds": "timeout_seconds",
    "delivery": "delivery",
}
_MANIFEST, _PLACEMENT = "manifest", "placement"
_PLACEMENTS = ("workload", MANAGEMENT)
FIELDS = (*_ARGUMENTS, _MANIFEST, _PLACEMENT)


@dataclass(frozen=True)
class Agent:
    """The agents of one cluster."""

    args: IstiodAgentArgs
    """But for the trust, which is not known yet, and for revision and namespace of istiod."""
    placement: str
    """Where a `resource` is applied: `workload` or `management`."""


def load_agent(
    common: Mapping[str, Any],
    own: Mapping[str, Any] | None,
    place: str,
    problems: Problems,
) -> Agent | None:
    """Reads those of a cluster: its `own` fields, at `place`, are laid over the `common` ones.

    None: others see to them. Without `own` fields they are those of every such cluster. Notes what
    is wrong.
    """
    entry, field = dict(common), KEY
    if own is not None:
        field = f"{place}.{KEY}"
        entry |= own
    installation = problems.value(
        None,
        require_one_of,
        f"{field}.installation",
        entry.get("installation", INSTALLATIONS[0]),
        (*INSTALLATIONS, NONE),
    )
    if not entry or installation in (None, NONE):
        return None
    args = {_ARGUMENTS[name]: value for name, value in entry.items() if name in _ARGUMENTS}
    if _MANIFEST in entry:
        resource = problems.value(
            None, mapping_in, f"{field}.{_MANIFEST}", entry[_MANIFEST], "one resource"
        )
        if resource is None:
            return None
        args["resource"] = resource
    placement = problems.value(
        _PLACEMENTS[0],
        require_one_of,
        f"{field}.{_PLACEMENT}",
        entry.get(_PLACEMENT, _PLACEMENTS[0]),
        _PLACEMENTS,
    )
    checked = cast(IstiodAgentArgs, args)
    try:
        check_istiod_agent_args(checked)
    except InvalidInputError as error:
        problems.note(_as_configured(field, error))
    return Agent(checked, placement)


def _as_configured(field: str, error: InvalidInputError) -> InvalidInputError:
    configured = {argument: name for name, argument in _ARGUMENTS.items()} | {"resource": _MANIFEST}
    argument, dot, below = error.field.partition(".")
    value = HIDDEN if argument == "resource" and not below else error.value
    return InvalidInputError(
        f"{field}.{configured.get(argument, argument)}{dot}{below}", value, error.fix
    )
