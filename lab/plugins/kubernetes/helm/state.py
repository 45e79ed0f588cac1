"""What a stack's state holds of a release, and what of it the program said."""

from lab.plugins.kubernetes.helm.values import mark_unknowns, merged
from lab.plugins.kubernetes.objects import without
from lab.plugins.kubernetes.state import mark_secrets
from lab.plugins.provider.values import (
    UNKNOWN,
    Properties,
    Secret,
    Value,
    reveal,
    reveal_properties,
)

_INPUTS_KEY = "__inputs"
# Former versions of the official plugin had these among the inputs.
_FORMER_INPUTS = ("checksum", "resourceNames")


def compose(
    release: Properties,
    inputs: Properties,
    *,
    before: Properties | None = None,
    preview: bool = False,
) -> Properties:
    """Return the state of a release, secret and unknown where the inputs are.

    What the inputs do not speak of, such as values reused from the revision before, is as secret
    as in the state `before`. In a preview nothing is known of what helm will answer.
    """
    given = merged(_spread(recorded_fields(before or {})), inputs)
    state = mark_secrets(mark_unknowns(release, inputs), given)
    state[_INPUTS_KEY] = _secret(inputs)
    if preview:
        state["resourceNames"] = UNKNOWN
        state["status"] = UNKNOWN
    return state


def recorded_inputs(state: Properties) -> Properties | None:
    """Return the inputs that made a state, with nothing secret in them; None where it has none."""
    inputs = reveal(state.get(_INPUTS_KEY))
    if not isinstance(inputs, dict):
        return None
    for name in _FORMER_INPUTS:
        inputs = without(inputs, (name,))
    return inputs


def recorded_fields(state: Properties) -> Properties:
    """Return a state's fields of the release, those secret that hold a secret."""
    return without(state, (_INPUTS_KEY,))


def recorded_release(state: Properties) -> Properties:
    """Return a state's fields of the release, with nothing secret in them."""
    return reveal_properties(recorded_fields(state))


def _secret(inputs: Properties) -> Value:
    return Secret(reveal_properties(inputs))


def _spread(values: Properties) -> Properties:
    """Return the values with each part of a secret object secret by itself."""
    return {key: _spread_value(value) for key, value in values.items()}


def _spread_value(value: Value) -> Value:
    if isinstance(value, Secret) and isinstance(value.value, dict):
        return _spread({key: Secret(item) for key, item in value.value.items()})
    return _spread(value) if isinstance(value, dict) else value
