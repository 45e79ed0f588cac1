"""What the stack's configuration says of how istiod's agents get their permissions."""

from collections.abc import Mapping
from typing import Any, cast

from mesh_trust import AgentPermissions, AgentReleaseArgs, InvalidInputError
from mesh_trust.agent_permissions import MEANS
from mesh_trust.agent_release_args import check_agent_release_args
from mesh_trust.agent_values import CHART_KINDS
from mesh_trust.validation import require_one_of

from .laid import Laid
from .problems import HIDDEN, Problems
from .values import as_configured, mapping_in

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


def load_permissions(entry: Laid, problems: Problems) -> AgentPermissions:
    """Reads those of a cluster; notes what is wrong."""
    means = entry.value(
        problems, None, "by", require_one_of, entry.fields.get("by", MEANS[0]), MEANS
    )
    if means == "release":
        return {"by": means, "release": _release(entry, problems)}
    if means == "resources":
        # What all clusters have in common does not matter to one that needs no release.
        given = entry.own if entry.own else entry.common
        for name in given.keys() - {"by"}:
            fix = "leave it out where by is resources"
            entry.note(problems, name, InvalidInputError(name, HIDDEN, fix))
    return {"by": MEANS[0]}


def _release(entry: Laid, problems: Problems) -> AgentReleaseArgs:
    args: dict[str, Any] = {
        _RELEASE[name]: value for name, value in entry.fields.items() if name in _RELEASE
    }
    if _VALUES_FILE in entry.fields:
        values = entry.value(problems, None, _VALUES_FILE, _values, entry.fields)
        if values is not None:
            args["values"] = values
    part = problems.part()
    kind = args.get("chart_kind")
    sound = {
        "chart_kind": kind if kind in CHART_KINDS else CHART_KINDS[0],
        "chart_version": "1.0.0",
    }
    # Each by itself, so that none hides another.
    for argument, value in args.items():
        if argument != "chart":
            _check({**sound, argument: value}, entry, part)
    if part.none:
        _check(args, entry, part)
    return cast(AgentReleaseArgs, args)


def _check(args: Mapping[str, Any], entry: Laid, problems: Problems) -> None:
    try:
        check_agent_release_args(cast(AgentReleaseArgs, args))
    except InvalidInputError as error:
        problem = as_configured(error, _RELEASE)
        name = problem.field.partition(".")[0]
        stands = _VALUES_FILE if name == "values" and _VALUES_FILE in entry.fields else name
        entry.note(problems, stands, problem)


def _values(field: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "values" in given:
        raise InvalidInputError(field, given[_VALUES_FILE], "leave it out, or values")
    return mapping_in(field, given[_VALUES_FILE], "the values of the chart")
