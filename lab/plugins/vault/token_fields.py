"""What the roles of every auth method say of the tokens that they give out."""

import ipaddress
from collections.abc import Collection, Mapping

from lab.plugins.provider.values import Value
from lab.plugins.vault.client import Json
from lab.plugins.vault.plan import as_set
from lab.plugins.vault.resource import vault_values
from lab.plugins.vault.schema import Field, Shape, Values

TOKEN_FIELDS = (
    Field("token_bound_cidrs", Shape.SET),
    Field("token_policies", Shape.SET),
    Field("token_explicit_max_ttl", Shape.INTEGER),
    Field("token_max_ttl", Shape.INTEGER),
    Field("token_no_default_policy", Shape.BOOLEAN),
    Field("token_period", Shape.INTEGER),
    Field("token_type", default="default"),
    Field("token_ttl", Shape.INTEGER),
    Field("token_num_uses", Shape.INTEGER),
    Field("alias_metadata", Shape.MAP),
)


def new_token_data(planned: Mapping[str, Value]) -> dict[str, Json]:
    """Return what is sent of these fields with a new role."""
    data: dict[str, Json] = {
        field.name: planned[field.name] for field in TOKEN_FIELDS if planned[field.name]
    }
    if planned["token_no_default_policy"] is not None:
        data["token_no_default_policy"] = planned["token_no_default_policy"]
    return data


def changed_token_data(planned: Mapping[str, Value], changed: Collection[str]) -> dict[str, Json]:
    """Return what is sent of these fields for a change of a role."""
    return {
        field.name: planned[field.name] or field.zero
        for field in TOKEN_FIELDS
        if field.name in changed
    }


def token_values(data: Mapping[str, Value], known: Mapping[str, Value]) -> Values:
    """Return the fields' values from Vault's answer about a role."""
    values = vault_values(TOKEN_FIELDS, data)
    values["token_bound_cidrs"] = _networks(
        values["token_bound_cidrs"], known.get("token_bound_cidrs")
    )
    return values


def _networks(found: Value, known: Value) -> Value:
    """Return addresses as networks: Vault leaves out the length where it is a single address."""
    if not isinstance(found, list):
        return found
    kept = known if isinstance(known, list) else []
    return as_set(
        [
            item if item in kept else str(ipaddress.ip_interface(str(item)).with_prefixlen)
            for item in found
        ]
    )
