"""A declared function, served."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties, reveal_properties
from lab.plugins.vault import inputs
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.resource import NAMESPACE, Vault
from lab.plugins.vault.schema import Schema, Values, to_properties, to_values


class Function(ABC):
    """What a function does in Vault."""

    @abstractmethod
    def call(self, vault: Vault, arguments: Values) -> tuple[str, Values] | None:
        """Return the id and values of what was found, or None; raises `ProviderError`."""


def invoke(
    schema: Schema,
    function: Function,
    connection: Callable[[], VaultConnection],
    arguments: Properties,
) -> Properties:
    """Check the arguments, call the function and return its result.

    Nothing found is an empty result. Raises `ProviderError`.
    """
    schema = replace(schema, fields=(*schema.fields, NAMESPACE))
    checked = inputs.check_arguments(schema, arguments)
    if checked.failures:
        raise ProviderError("; ".join(failure.reason for failure in checked.failures))
    given = to_values(schema.fields, reveal_properties(checked.inputs))
    namespace = given.get(NAMESPACE.name)
    current = connection()
    vault = Vault(current.client(namespace if isinstance(namespace, str) else None), current)
    found = function.call(vault, given)
    if found is None:
        return {}
    identifier, values = found
    return {**to_properties(schema.fields, given | values), "id": identifier}
