"""Mounts of secret engines and of auth methods."""

import time
from collections.abc import Mapping
from http import HTTPStatus

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Value
from lab.plugins.vault import refusals
from lab.plugins.vault.client import Json, VaultClient, VaultError, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.resource import Operations, Plan, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty

_REMOUNT_POLL_SECONDS = 0.2
_REMOUNT_SECONDS = 60
# A mount that was just moved cannot be tuned at once.
_TUNE_TRIES = 10
_TUNE_PAUSE_SECONDS = 1

MOUNT = Schema(
    "vault:index/mount:Mount",
    (
        Field("path", required=True),
        Field("type", required=True, replaces=True),
        Field("description"),
        Field("default_lease_ttl_seconds", Shape.INTEGER, computed=True),
        Field("max_lease_ttl_seconds", Shape.INTEGER, computed=True),
        Field("force_no_cache", Shape.BOOLEAN, computed=True),
        Field("audit_non_hmac_request_keys", Shape.LIST, computed=True),
        Field("audit_non_hmac_response_keys", Shape.LIST, computed=True),
        Field("listing_visibility"),
        Field("passthrough_request_headers", Shape.LIST),
        Field("allowed_response_headers", Shape.LIST),
        Field("plugin_version"),
        Field("allowed_managed_keys", Shape.SET),
        Field("delegated_auth_accessors", Shape.LIST),
        Field("identity_token_key"),
        Field("options", Shape.MAP),
        Field("seal_wrap", Shape.BOOLEAN, computed=True, replaces=True),
        Field("external_entropy_access", Shape.BOOLEAN, default=False, replaces=True),
        Field("local", Shape.BOOLEAN, replaces=True),
        Field("accessor", output=True),
    ),
)

# Both Vault's names for them when tuned and the fields' own.
_TUNABLE = (
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "allowed_managed_keys",
    "passthrough_request_headers",
    "allowed_response_headers",
    "delegated_auth_accessors",
    "listing_visibility",
    "plugin_version",
)
_OF_MOUNT = ("type", "description", "accessor", "local", "options", "seal_wrap")
_OF_MOUNT_CONFIGURATION = (
    "force_no_cache",
    "audit_non_hmac_request_keys",
    "audit_non_hmac_response_keys",
    "allowed_managed_keys",
    "passthrough_request_headers",
    "allowed_response_headers",
    "delegated_auth_accessors",
    "listing_visibility",
    "identity_token_key",
)


class MountOperations(Operations):
    """A secret engine at a path, which is its id."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the engine."""
        path = str(planned["path"])
        configuration: dict[str, Json] = {
            **_lease_ttls(planned),
            "force_no_cache": bool(planned["force_no_cache"]),
            **{name: planned[name] for name in _TUNABLE if not is_empty(planned[name])},
        }
        if not is_empty(planned["identity_token_key"]) and _has_identity_tokens(vault.connection):
            configuration["identity_token_key"] = planned["identity_token_key"]
        body = {
            "type": planned["type"],
            "description": planned["description"] or "",
            "local": bool(planned["local"]),
            "seal_wrap": bool(planned["seal_wrap"]),
            "external_entropy_access": bool(planned["external_entropy_access"]),
            "options": planned["options"] or {},
            "config": configuration,
        }
        with explaining("error writing to Vault"):
            vault.client.post(f"sys/mounts/{path}", body)
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the mount's entry; TTLs are 0 where the system's defaults apply."""
        mount = _read_mount(vault.client, f"sys/mounts/{resource_id}")
        if mount is None:
            return None
        _keep_alias(mount, known)
        configuration = mount["config"]
        return {
            **vault_values([MOUNT.field(name) for name in _OF_MOUNT], mount),
            **vault_values([MOUNT.field(name) for name in _OF_MOUNT_CONFIGURATION], configuration),
            "path": resource_id,
            "external_entropy_access": bool(mount.get("external_entropy_access")),
            "default_lease_ttl_seconds": configuration["default_lease_ttl"],
            "max_lease_ttl_seconds": configuration["max_lease_ttl"],
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Move the mount if its path changed, and tune it."""
        planned, changed = update.planned, update.changed
        path = resource_id
        if "path" in changed:
            path = str(planned["path"])
            with explaining("error remounting in Vault"):
                _remount(vault.client, resource_id, path)
        tuning: dict[str, Json] = {
            **_lease_ttls(planned),
            "options": planned["options"] or {},
            **{
                name: planned[name] or MOUNT.field(name).zero
                for name in _TUNABLE
                if name in changed
            },
        }
        if "description" in changed:
            tuning["description"] = planned["description"] or ""
        if "identity_token_key" in changed and _has_identity_tokens(vault.connection):
            tuning["identity_token_key"] = planned["identity_token_key"] or ""
        with explaining("error updating Vault"):
            _tune(vault.client, path, tuning, patient="path" in changed)
        return path

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Disable the engine, and so delete all it holds."""
        with explaining("error deleting from Vault"):
            vault.client.delete(f"sys/mounts/{resource_id}")


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

    written_last = frozenset({"tune"})

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the auth method; it is tuned afterwards."""
        path = str(planned["path"] or planned["type"])
        configuration: dict[str, Json] = {}
        if not is_empty(planned["identity_token_key"]) and _has_identity_tokens(vault.connection):
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
            _tune(vault.client, f"auth/{resource_id}", _tuning(planned["tune"]))

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the method's entry and its tuning, of which known durations stay as written."""
        mount = _read_mount(vault.client, f"sys/auth/{resource_id}")
        if mount is None:
            return None
        with explaining("error reading tune information from Vault"):
            tuning = vault.client.read(f"sys/mounts/auth/{resource_id}/tune") or {}
        return {
            **vault_values([AUTH_BACKEND.field(name) for name in _OF_AUTH_MOUNT], mount),
            "path": resource_id,
            "tune": _recorded_tuning(tuning, known.get("tune")),
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Move the method if its path changed, and tune what changed."""
        planned, changed = update.planned, update.changed
        path = resource_id
        if "path" in changed:
            path = str(planned["path"])
            with explaining(f'error remounting to "auth/{path}"'):
                _remount(vault.client, f"auth/{resource_id}", f"auth/{path}")
        tuning: dict[str, Json] = {}
        if "tune" in changed and isinstance(planned["tune"], dict):
            tuning |= _tuning(planned["tune"])
        if "description" in changed:
            tuning["description"] = planned["description"] or ""
        if "identity_token_key" in changed and _has_identity_tokens(vault.connection):
            tuning["identity_token_key"] = planned["identity_token_key"] or ""
        if tuning:
            _tune(vault.client, f"auth/{path}", tuning, patient="path" in changed)
        return path

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


def _lease_ttls(planned: Mapping[str, Value]) -> dict[str, Json]:
    return {
        "default_lease_ttl": f"{planned['default_lease_ttl_seconds'] or 0}s",
        "max_lease_ttl": f"{planned['max_lease_ttl_seconds'] or 0}s",
    }


def _has_identity_tokens(connection: VaultConnection) -> bool:
    return connection.is_enterprise() and connection.supports("1.16")


def _read_mount(client: VaultClient, path: str) -> dict[str, Json] | None:
    try:
        return client.read(path)
    except VaultError as error:
        # This, and not 404, is how Vault says that nothing is mounted there.
        missing = any(
            f"No {kind} engine" in reason for kind in ("secret", "auth") for reason in error.errors
        )
        if error.status == HTTPStatus.BAD_REQUEST and missing:
            return None
        raise


def _keep_alias(mount: dict[str, Json], known: Values) -> None:
    """Say `kv-v2` where the program did: Vault makes it `kv` with an option."""
    options = mount.get("options") or {}
    if known.get("type") != "kv-v2" or mount["type"] != "kv" or options.get("version") != "2":
        return
    mount["type"] = "kv-v2"
    known_options = known.get("options")
    if not isinstance(known_options, dict) or not known_options.get("version"):
        mount["options"] = {key: value for key, value in options.items() if key != "version"}


def _remount(client: VaultClient, source: str, target: str) -> None:
    answer = client.post("sys/remount", {"from": source, "to": target})
    migration = answer["migration_id"]
    deadline = time.monotonic() + _REMOUNT_SECONDS
    while time.monotonic() < deadline:
        status = client.read(f"sys/remount/status/{migration}") or {}
        state = status.get("migration_info", {}).get("status")
        if state == "success":
            return
        if state == "failure":
            raise ProviderError(f"Failure! Error encountered moving mount {source} to {target}")
        time.sleep(_REMOUNT_POLL_SECONDS)
    raise ProviderError(f"{source} was not moved to {target} within {_REMOUNT_SECONDS} s")


def _tune(
    client: VaultClient, path: str, tuning: Mapping[str, Json], *, patient: bool = False
) -> None:
    for _ in range(_TUNE_TRIES if patient else 0):
        try:
            client.post(f"sys/mounts/{path}/tune", tuning)
        except VaultError:
            time.sleep(_TUNE_PAUSE_SECONDS)
        else:
            return
    client.post(f"sys/mounts/{path}/tune", tuning)


def _tuning(tune: Mapping[str, Value]) -> dict[str, Json]:
    """Return the request for a `tune` block; only a list of one empty string empties a list."""
    tuning: dict[str, Json] = {}
    for field in AUTH_BACKEND.field("tune").fields:
        value = tune.get(field.name)
        if field.shape is Shape.LIST:
            tuning[field.name] = value or [""]
        elif not is_empty(value):
            tuning[field.name] = value
    return tuning


def _recorded_tuning(tuning: Mapping[str, Json], known: Value) -> Values:
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
