"""JWT auth: whose tokens Vault believes, and which of them get which policies.

Signing in through a browser (OIDC) is left out: its fields are refused as unknown.
"""

from collections.abc import Collection, Mapping

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Unknown, Value
from lab.plugins.vault import refusals
from lab.plugins.vault.auth_backend import (
    AUTH_BACKEND,
    AuthBackendOperations,
    recorded_tuning,
    requested_tuning,
)
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.login_role import LoginRoleOperations
from lab.plugins.vault.mounting import read_mount, tune
from lab.plugins.vault.resource import Plan, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty
from lab.plugins.vault.token_fields import (
    TOKEN_FIELDS,
    changed_token_data,
    new_token_data,
    token_values,
)

_KEY_SOURCES = ("oidc_discovery_url", "jwks_url", "jwt_validation_pubkeys")


def _other_sources(name: str) -> tuple[str, ...]:
    return tuple(source for source in _KEY_SOURCES if source != name)


_CONFIGURATION = (
    Field("oidc_discovery_url", conflicts_with=_other_sources("oidc_discovery_url")),
    Field("oidc_discovery_ca_pem"),
    Field("jwks_url", conflicts_with=_other_sources("jwks_url")),
    Field("jwks_ca_pem"),
    Field(
        "jwt_validation_pubkeys",
        Shape.LIST,
        conflicts_with=_other_sources("jwt_validation_pubkeys"),
    ),
    Field("bound_issuer"),
    Field("jwt_supported_algs", Shape.LIST),
    Field("default_role"),
    Field("namespace_in_state", Shape.BOOLEAN, default=True),
)

JWT_BACKEND = Schema(
    "vault:jwt/authBackend:AuthBackend",
    (
        Field("path", default="jwt", refuse=refusals.trailing_slash),
        Field("type", default="jwt", replaces=True, refuse=refusals.none_of("jwt", "oidc")),
        Field("description"),
        Field("disable_remount", Shape.BOOLEAN, default=False),
        Field("local", Shape.BOOLEAN, default=False, replaces=True),
        *_CONFIGURATION,
        Field("accessor", output=True),
        AUTH_BACKEND.field("tune"),
    ),
)


class JwtBackendOperations(AuthBackendOperations):
    """A mount of JWT auth with its configuration, at a path (without `auth/`), which is its id."""

    written_last = frozenset({"tune", *(field.name for field in _CONFIGURATION)})

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the auth method; it is configured and tuned afterwards."""
        _require_keys(config)
        path = str(planned["path"])
        body = {
            "type": planned["type"],
            "description": planned["description"] or "",
            "local": bool(planned["local"]),
        }
        with explaining("error writing to Vault"):
            vault.client.post(f"sys/auth/{path}", body)
        return path

    @override
    def finish_creation(self, vault: Vault, resource_id: str, planned: Values) -> None:
        """Configure the method, and tune it as asked for."""
        given = {
            field.name: planned[field.name]
            for field in _CONFIGURATION
            if planned[field.name] is not None
        }
        _configure(vault, resource_id, given)
        super().finish_creation(vault, resource_id, planned)

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read all but the description, which the official plugin does not read either."""
        mount = read_mount(vault.client, f"sys/auth/{resource_id}")
        if mount is None:
            return None
        with explaining("error reading from Vault"):
            configuration = vault.client.read(f"auth/{resource_id}/config")
        if configuration is None:
            return None
        with explaining("error reading tune information from Vault"):
            tuning = vault.client.read(f"sys/mounts/auth/{resource_id}/tune") or {}
        of_mount = [JWT_BACKEND.field(name) for name in ("type", "local", "accessor")]
        return {
            **vault_values(of_mount, mount),
            **vault_values(_CONFIGURATION, configuration),
            "path": resource_id,
            "tune": recorded_tuning(tuning, known.get("tune")),
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Configure the method again, as a whole, and tune it if that changed.

        A new description goes no further than the state, as with the official plugin.
        """
        planned = update.planned
        _configure(
            vault,
            resource_id,
            {field.name: planned[field.name] or field.zero for field in _CONFIGURATION},
        )
        if "tune" in update.changed and isinstance(planned["tune"], dict):
            tune(
                vault.client,
                f"auth/{resource_id}",
                requested_tuning(planned["tune"]),
                patient="path" in update.changed,
            )
        return resource_id

    @override
    def adjust(
        self, connection: VaultConnection, prior: Values, config: Values, plan: Plan
    ) -> Plan:
        """Refuse a method without keys; moving is as with every auth method."""
        _require_keys(config)
        return super().adjust(connection, prior, config, plan)


def _require_keys(config: Mapping[str, Value]) -> None:
    if all(is_empty(config.get(name)) for name in _KEY_SOURCES):
        raise ProviderError(
            "exactly one of oidc_discovery_url, jwks_url, jwks_pairs, or jwt_validation_pubkeys "
            "should be provided"
        )


def _configure(vault: Vault, path: str, configuration: Mapping[str, Json]) -> None:
    with explaining(f"error updating configuration to Vault for path {path}"):
        vault.client.write(f"auth/{path}/config", configuration)


_BOUND_CLAIMS = Field("bound_claims", Shape.MAP)
_TEXTS = (
    Field("bound_subject"),
    Field("groups_claim"),
)
_LISTS = (Field("bound_audiences", Shape.SET),)
_LISTS_IF_ANY = (
    Field("allowed_redirect_uris", Shape.SET),
    Field("oidc_scopes", Shape.SET),
)
_DECIDED_BY_VAULT = (
    Field("role_type", computed=True, replaces=True),
    Field("bound_claims_type", computed=True),
)
_ALWAYS_SENT = (
    Field("user_claim", required=True),
    Field("user_claim_json_pointer", Shape.BOOLEAN, default=False),
    Field("clock_skew_leeway", Shape.INTEGER, default=0),
    Field("expiration_leeway", Shape.INTEGER, default=0),
    Field("not_before_leeway", Shape.INTEGER, default=0),
    Field("verbose_oidc_logging", Shape.BOOLEAN, default=False),
)
_SENT_IF_ANY = (Field("claim_mappings", Shape.MAP), Field("max_age", Shape.INTEGER))

JWT_BACKEND_ROLE = Schema(
    "vault:jwt/authBackendRole:AuthBackendRole",
    (
        Field("backend", default="jwt", replaces=True, recorded_as=lambda path: path.strip("/")),
        Field("role_name", required=True, replaces=True),
        *_DECIDED_BY_VAULT,
        *_ALWAYS_SENT,
        *_LISTS,
        *_LISTS_IF_ANY,
        *_TEXTS,
        _BOUND_CLAIMS,
        Field("disable_bound_claims_parsing", Shape.BOOLEAN, default=False),
        *_SENT_IF_ANY,
        *TOKEN_FIELDS,
    ),
)


class JwtRoleOperations(LoginRoleOperations):
    """A role of a mount of JWT auth."""

    method = "JWT"
    nothing_found = "backend"

    @override
    def new_data(self, planned: Values) -> dict[str, Json]:
        """Return the role."""
        return new_token_data(planned) | _role(planned)

    @override
    def changed_data(self, planned: Values, changed: Collection[str]) -> dict[str, Json]:
        """Return the role, of which only the token's fields are left out where unchanged."""
        return changed_token_data(planned, changed) | _role(planned)

    @override
    def told(self, data: dict[str, Json], known: Values) -> Values:
        """Return the role; how its bound claims are to be split stays as known."""
        fields = [
            *_DECIDED_BY_VAULT,
            *_ALWAYS_SENT,
            *_LISTS,
            *_LISTS_IF_ANY,
            *_TEXTS,
            *_SENT_IF_ANY,
        ]
        return {
            **token_values(data, known),
            **vault_values(fields, data),
            "bound_claims": {
                name: ",".join(claim) if isinstance(claim, list) else claim
                for name, claim in (data.get("bound_claims") or {}).items()
            },
        }


def _role(planned: Mapping[str, Value]) -> dict[str, Json]:
    """Return what is sent of a role beside its tokens; some fields cannot be emptied by it."""
    data: dict[str, Json] = {
        field.name: planned[field.name] or field.zero for field in (*_ALWAYS_SENT, *_LISTS)
    }
    data |= {
        field.name: planned[field.name]
        for field in (*_LISTS_IF_ANY, *_SENT_IF_ANY)
        if planned[field.name]
    }
    data |= {
        field.name: planned[field.name]
        for field in (*_TEXTS, *_DECIDED_BY_VAULT)
        if planned[field.name] is not None and not isinstance(planned[field.name], Unknown)
    }
    whole = bool(planned["disable_bound_claims_parsing"])
    claims = planned["bound_claims"]
    data["bound_claims"] = {
        name: [claim.strip() for claim in ([str(text)] if whole else str(text).split(","))]
        for name, text in (claims if isinstance(claims, dict) else {}).items()
    }
    return data
