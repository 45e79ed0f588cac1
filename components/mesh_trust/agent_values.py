"""Values of Gloo's agent charts that permit istiod's agent what it needs, as plain data."""

from collections.abc import Mapping
from typing import Any

from .validation import InvalidInputError
from .vault_values import merge_values

# Where the keys are decides whether anything comes of them: Helm ignores a key at another level.
ISTIOD_SIDECAR = "istiodSidecar"
"""Below it are names and switches, among them all that the program sets."""
_PATHS = {
    "platform": ("glooAgent", ISTIOD_SIDECAR),
    "legacy": (ISTIOD_SIDECAR,),
}
CHART_KINDS = tuple(_PATHS)
CHART_NAMES = {"platform": "gloo-platform", "legacy": "gloo-mesh-agent"}


def agent_release_values(
    kind: str, user_values: Mapping[str, Any], account: str, namespace: str
) -> dict[str, Any]:
    """`user_values` of a chart of `kind`, and with them those that permit `account` what it needs.

    The keys are those of Solo's own reference of each chart's values; both take one account.

    Raises:
        InvalidInputError: a value of the user's contradicts one of ours, hides it, or is at the
            level of the other kind of chart.
    """
    if not isinstance(user_values, Mapping):
        raise InvalidInputError("values", "…", "map values of the chart by their names")
    for other, path in _PATHS.items():
        if other != kind and _has(user_values, path):
            raise InvalidInputError(
                f"values.{'.'.join(path)}",
                "…",
                f"move it to {'.'.join(_PATHS[kind])}: a chart of kind {kind} ignores it there",
            )
    ours: dict[str, Any] = {
        "createRoleBinding": True,
        "istiodServiceAccount": {"name": account, "namespace": namespace},
    }
    for key in reversed(_PATHS[kind]):
        ours = {key: ours}
    _require_agreement(user_values, ours, "values")
    return merge_values(user_values, ours)


def kind_of_values(values: Mapping[str, Any]) -> str | None:
    """The kind of chart for which `values` permit istiod's agent something; None: for none."""
    return next((kind for kind, path in _PATHS.items() if _has(values, path)), None)


def lost_values(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> list[str]:
    """The dotted names of the values in `before` for which `after` has nothing."""
    lost: list[str] = []
    for key, value in before.items():
        if key not in after:
            lost.append(f"{at}{key}")
        elif isinstance(value, Mapping) and isinstance(after[key], Mapping):
            lost += lost_values(value, after[key], f"{at}{key}.")
    return sorted(lost)


def _has(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True


def _require_agreement(theirs: Mapping[str, Any], ours: Mapping[str, Any], field: str) -> None:
    for key, value in ours.items():
        if key not in theirs:
            continue
        found, name = theirs[key], f"{field}.{key}"
        if isinstance(value, Mapping):
            if not isinstance(found, Mapping):
                raise InvalidInputError(name, "…", "give it a map of values")
            _require_agreement(found, value, name)
        elif type(found) is not type(value) or found != value:
            shown = found if isinstance(found, bool) else "…"
            raise InvalidInputError(name, shown, f"leave it out, or make it {value!r}")
