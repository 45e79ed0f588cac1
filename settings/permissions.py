"""What the stack's configuration says of how istiod's agents get their permissions."""

from collections.abc import Mapping
from typing import Any, cast

from components import AgentPermissions, AgentReleaseArgs, InvalidInputError
from components.agent_permissions import MEANS
from components.agent_release_args import check_agent_release_args
from components.validation import require_one_of

from .problems import Problems
from .values import HIDDEN, mapping_in

KEY = "agentPermissions"

# The fields of the configuration, and those of the component.
_RELEASE = {
    "chartKind": "chart_kind",
    "chartVersion": "chart_version",
    "chart": "chart",
    "repository": "repository",
    "releaseName": "release_name",
    "namespace": "namespace",
    "values": "values",
    "timeoutSeconds": "timeout_seconds",
}
_VALUES_FILE = "valuesFile"
FIELDS = ("by", *_RELEASE, _VALUES_FILE)


def load_permissions(
    common: Mapping[str, Any],
    own: Mapping[str, Any] | None,
    place: str,
    problems: Problems,
) -> AgentPermissions:
    """Reads those of a cluster: its `own` fields, at `place`, are laid over the `common` ones.

    Without `own` fields they are those of every such cluster. Notes what is wrong.
    """
    entry, field = dict(common), KEY
    if own is not None:
        field = f"{place}.{KEY}"
        entry |= own
    means = problems.value(None, require_one_of, f"{field}.by", entry.get("by", MEANS[0]), MEANS)
    given = {name: value for name, value in entry.items() if name in FIELDS and name != "by"}
    if means == "resources":
        # What all clusters have in common does not matter to one that needs no release.
        for name in given if own is None else given.keys() & dict(own).keys():
            fix = "leave it out where by is resources"
            problems.note(InvalidInputError(f"{field}.{name}", HIDDEN, fix))
        return {"by": means}
    if means is None:
        return {"by": MEANS[0]}
    return {"by": means, "release": _release(given, field, problems)}


def _release(given: Mapping[str, Any], field: str, problems: Problems) -> AgentReleaseArgs:
    args = {_RELEASE[name]: value for name, value in given.items() if name in _RELEASE}
    if _VALUES_FILE in given:
        values = problems.value(None, _values, f"{field}.{_VALUES_FILE}", given)
        if values is not None:
            args["values"] = values
    checked = cast(AgentReleaseArgs, args)
    try:
        check_agent_release_args(checked)
    except InvalidInputError as error:
        configured = {argument: name for name, argument in _RELEASE.items()}
        argument, dot, below = error.field.partition(".")
        name = f"{field}.{configured.get(argument, argument)}{dot}{below}"
        problems.note(InvalidInputError(name, error.value, error.fix))
    return checked


def _values(field: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "values" in given:
        raise InvalidInputError(field, given[_VALUES_FILE], "leave it out, or values")
    return mapping_in(field, given[_VALUES_FILE], "the values of the chart")
