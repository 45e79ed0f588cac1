"""What a stack's state holds of an object: as the server has it, and the inputs that made it."""

from dataclasses import dataclass

from lab.plugins.kubernetes.naming import FIELD_MANAGER_KEY
from lab.plugins.kubernetes.objects import text
from lab.plugins.provider.values import (
    Properties,
    Secret,
    Value,
    as_secret,
    contains_secret,
    reveal,
    reveal_properties,
)

_INPUTS_KEY = "__inputs"
_INITIAL_API_VERSION_KEY = "__initialApiVersion"


@dataclass(frozen=True)
class Recorded:
    """A state taken apart, with nothing secret in it any more."""

    inputs: Properties
    live: Properties
    initial_api_version: str


def recorded(state: Properties) -> Recorded:
    """Take a state apart."""
    live = reveal_properties(state)
    inputs = live.pop(_INPUTS_KEY, {})
    inputs = inputs if isinstance(inputs, dict) else {}
    initial = text(live, _INITIAL_API_VERSION_KEY) or text(inputs, "apiVersion")
    return Recorded(inputs, live, initial)


def compose(
    inputs: Properties,
    live: Properties,
    *,
    given: Properties,
    initial_api_version: str,
    field_manager: str,
) -> Properties:
    """Return the state of an object.

    What is secret in the `given` inputs is secret in the state, both among the inputs and in what
    the server answered, and so is all content of a Secret.
    """
    return {
        **mark_secrets(live, given),
        _INPUTS_KEY: mark_secrets(inputs, given),
        _INITIAL_API_VERSION_KEY: initial_api_version,
        FIELD_MANAGER_KEY: field_manager,
    }


def mark_secrets(values: Properties, given: Properties) -> Properties:
    """Return the values with those secret that are secret in what was given.

    Objects are gone through; anything else is secret as a whole as soon as one part of it is, since
    the server may have moved the elements of a list.
    """
    if reveal(values.get("kind")) == "Secret":
        return {
            key: as_secret(value) if key in ("data", "stringData") else value
            for key, value in values.items()
        }
    return {
        key: _marked(value, given[key]) if key in given else value for key, value in values.items()
    }


def _marked(value: Value, given: Value) -> Value:
    if isinstance(value, dict) and isinstance(given, dict):
        return mark_secrets(value, given)
    if not isinstance(value, Secret) and contains_secret(given):
        return as_secret(value)
    return value


def pruned(live: Properties, inputs: Properties) -> Properties:
    """Return of the server's object only what the inputs speak of."""
    return {key: _pruned_value(value, inputs[key]) for key, value in live.items() if key in inputs}


def _pruned_value(live: Value, given: Value) -> Value:
    if isinstance(live, dict) and isinstance(given, dict):
        return pruned(live, given)
    if isinstance(live, list) and isinstance(given, list):
        return _pruned_list(live, given)
    return live


def _pruned_list(live: list[Value], given: list[Value]) -> list[Value]:
    if not live or not given:
        return []
    if type(live[0]) is not type(given[0]):
        return live
    return [_pruned_value(*pair) for pair in zip(live, given, strict=False)]
