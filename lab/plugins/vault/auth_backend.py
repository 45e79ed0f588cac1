"""Mounts of auth methods."""

from collections.abc import Mapping

from typing_extensions import override

from lab.plugins.provider.values import Value
from lab.plugins.vault import refusals
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.mounting import has_identity_tokens, read_mount, remount, tune
from lab.plugins.vault.resource import Operations, Plan, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty

AUTH_BACKEND = Schema(
    "vault:index/authBackend:AuthBackend",
    (
        Field("type", required=True, replaces=True),
        Field(
            "path",
            computed=True,
            refuse=refusals.outer_slashes,
            same=lambda old, new: old.rstrip("/") == new.rstrip("/"),
        ),
        Field("description"),
        Field("disable_remount", Shape.BOOLEAN, default=False),
        Field("local", Shape.BOOLEAN, replaces=True),
        Field("identity_token_key"),
        Field("accessor", output=True),
        Field(
            "tune",
            Shape.OBJECT,
            computed=True,
            fields=(
                Field("default_lease_ttl", refuse=refusals.no_duration),
                Field("max_lease_ttl", refuse=refusals.no_duration),
                Field("audit_non_hmac_request_keys", Shape.LIST),
                Field("audit_non_hmac_response_keys", Shape.LIST),
                Field("listing_visibility", refuse=refusals.none_of("unauth", "hidden")),
                Field("passthrough_request_headers", Shape.LIST),
                Field("allowed_response_headers", Shape.LIST),
                Field(
                    "token_type",
                    refuse=refusals.none_of("default-service", "default-batch", "service", "batch"),
                ),
            ),
        ),
    ),
    state_version=1,
)

_OF_AUTH_MOUNT = ("type", "description", "local", "accessor")


class AuthBackendOperations(Operations):
    """An auth method at a path (without `auth/`), which is its id."""

    written_first = frozenset({"path"})
    written_last = frozenset({"tune"})

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the auth method; it is tuned afterwards."""
        path = str(planned["path"] or planned["type"])
        configuration: dict[str, Json] = {}
        if not is_empty(planned["identity_token_key"]) and has_identity_tokens(vault.connection):
            configuration["identity_token_key"] = planned["identity_token_key"]
        body = {
            "type": planned["type"],
            "description": planned["description"] or "",
            "local": bool(planned["local"]),
            "config": configuration,
        }
        with explaining("error writing to Vault"):
            vault.client.post(f"sys/auth/{path}", body)
        return path

    @override
    def finish_creation(self, vault: Vault, resource_id: str, planned: Values) -> None:
        """Tune the method as asked for."""
        if isinstance(planned["tune"], dict):
            tune(vault.client, f"auth/{resource_id}", requested_tuning(planned["tune"]))

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the method's entry and its tuning, of which known durations stay as written."""
        mount = read_mount(vault.client, f"sys/auth/{resource_id}")
        if mount is None:
            return None
        with explaining("error reading tune information from Vault"):
            tuning = vault.client.read(f"sys/mounts/auth/{resource_id}/tune") or {}
        return {
            **vault_values([AUTH_BACKEND.field(name) for name in _OF_AUTH_MOUNT], mount),
            "path": resource_id,
            "tune": recorded_tuning(tuning, known.get("tune")),
        }

    @override
    def move(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Move the method if its path changed."""
        if "path" not in update.changed:
            return resource_id
        path = str(update.planned["path"])
        with explaining(f'error remounting to "auth/{path}"'):
            remount(vault.client, f"auth/{resource_id}", f"auth/{path}")
        return path

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Tune what changed of the method."""
        planned, changed = update.planned, update.changed
        tuning: dict[str, Json] = {}
        if "tune" in changed and isinstance(planned["tune"], dict):
            tuning |= requested_tuning(planned["tune"])
        if "description" in changed:
            tuning["description"] = planned["description"] or ""
        if "identity_token_key" in changed and has_identity_tokens(vault.connection):
            tuning["identity_token_key"] = planned["identity_token_key"] or ""
        if tuning:
            tune(vault.client, f"auth/{resource_id}", tuning, patient="path" in changed)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Disable the method, and so revoke every token it gave out."""
        with explaining("error disabling auth from Vault"):
            vault.client.delete(f"sys/auth/{resource_id}")

    @override
    def adjust(
        self, connection: VaultConnection, prior: Values, config: Values, plan: Plan
    ) -> Plan:
        """Replace a method at another path where it cannot, or shall not, be moved."""
        old, new = prior.get("path"), plan.values["path"]
        if old == new or is_empty(old):
            return plan
        if connection.supports("1.10") and not plan.values["disable_remount"]:
            return plan
        return Plan(plan.values, plan.replacing | {"path"})


def requested_tuning(tune: Mapping[str, Value]) -> dict[str, Json]:
    """Return the request for a `tune` block; only a list of one empty string empties a list."""
    tuning: dict[str, Json] = {}
    for field in AUTH_BACKEND.field("tune").fields:
        value = tune.get(field.name)
        if field.shape is Shape.LIST:
            tuning[field.name] = value or [""]
        elif not is_empty(value):
            tuning[field.name] = value
    return tuning


def recorded_tuning(tuning: Mapping[str, Json], known: Value) -> Values:
    """Return a `tune` block as the state records it, known durations as they were written."""
    recorded: Values = {}
    for field in AUTH_BACKEND.field("tune").fields:
        found = tuning.get(field.name)
        if field.name.endswith("_ttl"):
            recorded[field.name] = _short_duration(int(found or 0))
        elif field.shape is Shape.LIST:
            recorded[field.name] = found if found and found[0] else []
        else:
            recorded[field.name] = found or ""
    if isinstance(known, dict):
        # Vault writes durations differently, and fills in its own defaults.
        for name in ("default_lease_ttl", "max_lease_ttl"):
            recorded[name] = known.get(name) or ""
        for name in ("listing_visibility", "token_type"):
            recorded[name] = recorded[name] if known.get(name) else ""
    return recorded


def _short_duration(seconds: int) -> str:
    """Return a duration as Go writes it, without the zeros at its end."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    parts = [(hour, "h"), (minute, "m"), (second, "s")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    while len(parts) > 1 and parts[-1][0] == 0:
        parts.pop()
    return "".join(f"{number}{unit}" for number, unit in parts)
