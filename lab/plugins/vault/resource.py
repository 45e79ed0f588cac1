"""A declared resource type, served."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from lab.plugins.provider.provider import (
    NO_DIFFERENCE,
    Checked,
    Created,
    Difference,
    PartialFailure,
    ProviderError,
    Reading,
    ResourceType,
)
from lab.plugins.provider.values import UNKNOWN, Properties, Unknown, Value
from lab.plugins.vault import inputs as program_inputs
from lab.plugins.vault.client import VaultClient
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.plan import (
    changed_fields,
    detail,
    is_equivalent,
    plan_create,
    plan_replacement,
    plan_update,
    settle_read,
    settle_written,
)
from lab.plugins.vault.schema import Field, Schema, Shape, Values, to_properties, to_values

NAMESPACE = Field("namespace", replaces=True)


@dataclass(frozen=True)
class Vault:
    """What an operation works with: a client in the resource's namespace, and the connection."""

    client: VaultClient
    connection: VaultConnection


@dataclass(frozen=True)
class Plan:
    """The values a resource will have; `replacing` names the fields that make it a new one."""

    values: Values
    replacing: frozenset[str]


@dataclass(frozen=True)
class Update:
    """A change to make: the values before and after, and the program's own for what it omits."""

    prior: Values
    planned: Values
    config: Values
    changed: frozenset[str]


@dataclass(frozen=True)
class Made:
    """A resource that was just made: its id, and what Vault tells of it only then."""

    id: str
    answered: Values


class Operations(ABC):
    """What a resource type does in Vault. All may raise `ProviderError`."""

    written_first: frozenset[str] = frozenset()
    """The fields that `move` writes."""
    written_last: frozenset[str] = frozenset()
    """The fields that `finish_creation` writes."""

    @abstractmethod
    def create(self, vault: Vault, planned: Values, config: Values) -> str | Made:
        """Write the resource and return its id, or that and what is told only now."""

    def finish_creation(  # noqa: B027 - for most types nothing is left
        self, vault: Vault, resource_id: str, planned: Values
    ) -> None:
        """Do what is left once the resource exists; a failure here leaves it in the state."""

    @abstractmethod
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Return what Vault says of the resource, or None where it does not exist.

        `known` is what was planned or last recorded. Fields left out keep their value.
        """

    def move(
        self,
        vault: Vault,  # noqa: ARG002 - most types are never moved
        resource_id: str,
        update: Update,  # noqa: ARG002
    ) -> str:
        """Move the resource if the update asks for that, and return the id it then has."""
        return resource_id

    @abstractmethod
    def update(self, vault: Vault, resource_id: str, update: Update) -> str | Made:
        """Change the resource in place and return its id, which may be a new one."""

    def keeps(self, known: Values) -> bool:  # noqa: ARG002 - most types keep nothing
        """Tell whether the resource is to stay in Vault when it leaves the state."""
        return False

    @abstractmethod
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the resource."""

    def adjust(
        self,
        connection: VaultConnection,  # noqa: ARG002 - for most types the fields say it all
        prior: Values,  # noqa: ARG002
        config: Values,  # noqa: ARG002
        plan: Plan,
    ) -> Plan:
        """Return the plan as it is for this type, where the fields alone do not say it all."""
        return plan


class VaultResource(ResourceType):
    """A resource type made of its schema and its operations."""

    def __init__(
        self, schema: Schema, operations: Operations, connection: Callable[[], VaultConnection]
    ) -> None:
        self._schema = replace(schema, fields=(*schema.fields, NAMESPACE))
        self._operations = operations
        self._connection = connection

    @property
    def _fields(self) -> Sequence[Field]:
        return self._schema.fields

    def _vault(self, values: Mapping[str, Value]) -> Vault:
        connection = self._connection()
        namespace = values.get(NAMESPACE.name)
        return Vault(
            connection.client(namespace if isinstance(namespace, str) else None), connection
        )

    @override
    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Validate the program's inputs and fill in defaults."""
        return program_inputs.check(self._schema, urn, olds, news)

    @override
    def diff(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the recorded resource with new inputs."""
        prior, config = to_values(self._fields, old_state), to_values(self._fields, news)
        plan = self._plan(prior, config, ignore_changes)
        changed = changed_fields(self._fields, prior, plan.values)
        if not changed:
            return replace(NO_DIFFERENCE, stables=self._stables(()))
        replaces = sorted(self._schema.field(name).property_name for name in plan.replacing)
        return Difference(
            changes=True,
            replaces=replaces,
            detailed=detail(self._fields, prior, plan.values, config, plan.replacing),
            stables=self._stables(plan.replacing),
            delete_before_replace=bool(replaces) and self._name_is_taken(news),
        )

    def _stables(self, replacing: Collection[str]) -> list[str]:
        return sorted(
            field.property_name
            for field in self._fields
            if field.replaces and field.name not in replacing
        )

    def _name_is_taken(self, news: Properties) -> bool:
        """Tell whether old and new resource would have the same name at the same time."""
        defaults = news.get(program_inputs.DEFAULTS)
        return isinstance(defaults, list) and any(
            field.named_after_resource
            and field.property_name in news
            and field.property_name not in defaults
            for field in self._fields
        )

    def _plan(self, prior: Values, config: Values, ignored: Sequence[str]) -> Plan:
        values = plan_update(self._fields, prior, config)
        kept = {
            field.name: prior.get(field.name)
            for field in self._fields
            if field.property_name in ignored
        }
        values |= kept
        changed = changed_fields(self._fields, prior, values)
        replacing = frozenset(name for name in changed if self._schema.field(name).replaces)
        plan = self._operations.adjust(self._connection(), prior, config, Plan(values, replacing))
        if not plan.replacing:
            # Only together with a real change are false and 0 told from none.
            if not is_equivalent(self._fields, prior, plan.values):
                return plan
            return Plan({field.name: prior.get(field.name) for field in self._fields}, frozenset())
        # What Vault decides, it decides anew for the new resource.
        return Plan(plan_replacement(self._fields, prior, config) | kept, plan.replacing)

    @override
    def create(self, urn: str, news: Properties, *, preview: bool, timeout: float) -> Created:
        """Create the resource, and read back what Vault made of it."""
        config = to_values(self._fields, news)
        planned = plan_create(self._fields, config)
        if preview:
            return Created("", self._state(UNKNOWN, planned))
        settled = _without_unknown(planned)
        vault = self._vault(settled)
        resource_id, told = _id_and_told(self._operations.create(vault, settled, config))
        planned, settled = planned | told, settled | told
        try:
            self._operations.finish_creation(vault, resource_id, settled)
            state = self._read_back(vault, resource_id, planned)
        except ProviderError as error:
            # Recorded as not there yet, so that the next update writes them.
            unwritten: Values = dict.fromkeys(self._operations.written_last)
            raise PartialFailure(
                resource_id,
                self._state(resource_id, settled | unwritten),
                program_inputs.mark_secrets(self._fields, news),
                [f"creating {urn}: {error}"],
            ) from None
        return Created(resource_id, state)

    @override
    def update(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,
        ignore_changes: Sequence[str],
    ) -> Properties:
        """Change the resource in place, and read back what Vault made of it."""
        prior, config = to_values(self._fields, old_state), to_values(self._fields, news)
        plan = self._plan(prior, config, ignore_changes)
        current_id = _current_id(resource_id, old_state)
        if plan.replacing:
            raise ProviderError(f"{urn} cannot be changed in place: it must be replaced")
        if preview:
            return self._state(current_id, plan.values)
        settled = _without_unknown(plan.values)
        vault = self._vault(settled)
        update = Update(prior, settled, config, changed_fields(self._fields, prior, settled))
        # What was not written must go on to differ from what is asked for, or no later update
        # would send it.
        written = prior
        try:
            current_id = self._operations.move(vault, current_id, update)
            written = prior | {name: settled[name] for name in self._operations.written_first}
            new_id, told = _id_and_told(self._operations.update(vault, current_id, update))
            return self._read_back(vault, new_id, settled | told)
        except ProviderError as error:
            raise PartialFailure(
                resource_id,
                self._state(current_id, written),
                program_inputs.mark_secrets(self._fields, news),
                [f"updating {urn}: {error}"],
            ) from None

    def _read_back(self, vault: Vault, resource_id: str, planned: Values) -> Properties:
        settled = _without_unknown(planned)
        found = self._operations.read(vault, resource_id, settled)
        if found is None:
            raise ProviderError(f"{resource_id} is not there although it was just written")
        values = {
            name: settle_written(self._schema.field(name), planned.get(name), value)
            for name, value in found.items()
        }
        return self._state(resource_id, settled | values)

    @override
    def read(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties
    ) -> Reading | None:
        """Read the resource, for a refresh or an import."""
        prior = to_values(self._fields, state)
        current_id = _current_id(resource_id, state)
        try:
            found = self._operations.read(self._vault(prior), current_id, prior)
        except ProviderError as error:
            raise ProviderError(f"refreshing {urn}: {error}") from None
        if found is None:
            return None
        values = {
            name: settle_read(self._schema.field(name), prior.get(name), value)
            for name, value in found.items()
        }
        properties = self._state(current_id, prior | values)
        new_inputs = (
            program_inputs.refreshed(self._schema, inputs, properties)
            if state
            else program_inputs.imported(self._schema, properties)
        )
        return Reading(current_id, new_inputs, properties)

    @override
    def delete(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties, *, timeout: float
    ) -> None:
        """Delete the resource."""
        known = to_values(self._fields, state)
        if self._operations.keeps(known):
            return
        try:
            self._operations.delete(self._vault(known), _current_id(resource_id, state))
        except ProviderError as error:
            raise ProviderError(f"deleting {urn}: {error}") from None

    def _state(self, resource_id: Value, values: Values) -> Properties:
        properties = to_properties(self._fields, values)
        properties["id"] = resource_id
        if self._schema.state_version:
            properties["__meta"] = json.dumps(
                {"schema_version": str(self._schema.state_version)}, separators=(",", ":")
            )
        return properties


def _current_id(resource_id: str, state: Properties) -> str:
    """Return the id by the state, which an update may have changed without the engine knowing."""
    recorded = state.get("id")
    return recorded if isinstance(recorded, str) and recorded else resource_id


def _id_and_told(made: str | Made) -> tuple[str, Values]:
    return (made.id, made.answered) if isinstance(made, Made) else (made, {})


def _without_unknown(planned: Values) -> Values:
    return {name: None if isinstance(value, Unknown) else value for name, value in planned.items()}


def vault_values(fields: Sequence[Field], data: Mapping[str, Value]) -> Values:
    """Return a value for each field from Vault's answer, the field's zero where it has none."""
    values: Values = {}
    for field in fields:
        value = data.get(field.name)
        if isinstance(value, list) and field.shape is Shape.SET:
            value = [*sorted(str(item) for item in value)]
        values[field.name] = field.zero if value is None else value
    return values
