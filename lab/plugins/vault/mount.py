"""Mounts of secret engines."""

from collections.abc import Mapping

from typing_extensions import override

from lab.plugins.provider.values import Value
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.mounting import has_identity_tokens, read_mount, remount, tune
from lab.plugins.vault.resource import Operations, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty

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

    written_first = frozenset({"path"})

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the engine."""
        path = str(planned["path"])
        configuration: dict[str, Json] = {
            **_lease_ttls(planned),
            "force_no_cache": bool(planned["force_no_cache"]),
            **{name: planned[name] for name in _TUNABLE if not is_empty(planned[name])},
        }
        if not is_empty(planned["identity_token_key"]) and has_identity_tokens(vault.connection):
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
        mount = read_mount(vault.client, f"sys/mounts/{resource_id}")
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
    def move(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Move the mount if its path changed."""
        if "path" not in update.changed:
            return resource_id
        path = str(update.planned["path"])
        with explaining("error remounting in Vault"):
            remount(vault.client, resource_id, path)
        return path

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Tune the mount."""
        planned, changed = update.planned, update.changed
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
        if "identity_token_key" in changed and has_identity_tokens(vault.connection):
            tuning["identity_token_key"] = planned["identity_token_key"] or ""
        with explaining("error updating Vault"):
            tune(vault.client, resource_id, tuning, patient="path" in changed)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Disable the engine, and so delete all it holds."""
        with explaining("error deleting from Vault"):
            vault.client.delete(f"sys/mounts/{resource_id}")


def _lease_ttls(planned: Mapping[str, Value]) -> dict[str, Json]:
    return {
        "default_lease_ttl": f"{planned['default_lease_ttl_seconds'] or 0}s",
        "max_lease_ttl": f"{planned['max_lease_ttl_seconds'] or 0}s",
    }


def _keep_alias(mount: dict[str, Json], known: Values) -> None:
    """Say `kv-v2` where the program did: Vault makes it `kv` with an option."""
    options = mount.get("options") or {}
    if known.get("type") != "kv-v2" or mount["type"] != "kv" or options.get("version") != "2":
        return
    mount["type"] = "kv-v2"
    known_options = known.get("options")
    if not isinstance(known_options, dict) or not known_options.get("version"):
        mount["options"] = {key: value for key, value in options.items() if key != "version"}
