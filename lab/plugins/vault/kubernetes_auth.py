"""Kubernetes auth: how Vault reaches a cluster, and which accounts get which policies."""

import ipaddress
import re
from collections.abc import Mapping

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Unknown, Value
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.plan import as_set
from lab.plugins.vault.resource import Operations, Plan, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty


def _without_slashes(path: str) -> str:
    return path.strip("/")


_BACKEND = Field("backend", default="kubernetes", replaces=True, recorded_as=_without_slashes)

AUTH_BACKEND_CONFIG = Schema(
    "vault:kubernetes/authBackendConfig:AuthBackendConfig",
    (
        _BACKEND,
        Field("kubernetes_host", required=True),
        Field("kubernetes_ca_cert", computed=True),
        Field(
            "token_reviewer_jwt", default="", secret=True, conflicts_with="token_reviewer_jwt_wo"
        ),
        Field(
            "token_reviewer_jwt_wo",
            secret=True,
            write_only=True,
            conflicts_with="token_reviewer_jwt",
        ),
        Field(
            "token_reviewer_jwt_wo_version",
            Shape.INTEGER,
            required_with="token_reviewer_jwt_wo",
        ),
        Field("pem_keys", Shape.LIST),
        Field("issuer"),
        Field("disable_iss_validation", Shape.BOOLEAN, computed=True),
        Field("disable_local_ca_jwt", Shape.BOOLEAN, computed=True),
        Field("use_annotations_as_alias_metadata", Shape.BOOLEAN, computed=True),
    ),
)

_CONFIG_ID = re.compile(r"auth/(.+)/config")
_READ_FROM_CONFIG = (
    "kubernetes_ca_cert",
    "kubernetes_host",
    "issuer",
    "disable_iss_validation",
    "disable_local_ca_jwt",
    "pem_keys",
)
_ANNOTATIONS = "use_annotations_as_alias_metadata"
_ANNOTATIONS_SINCE = "1.16"
# From here on Vault keeps no CA certificate where it may use that of its own pod.
_LOCAL_CA_SINCE = "1.9.3"


class AuthBackendConfigOperations(Operations):
    """The configuration of a mount of Kubernetes auth; its id is its path.

    Every write replaces the whole configuration, and Vault never tells the reviewer's token.
    """

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Write the configuration."""
        path = f"auth/{planned['backend']}/config"
        data = _configuration(vault.connection, planned)
        # Sent even where it is not given, and then as false, whatever Vault's own default is.
        data["disable_iss_validation"] = bool(planned["disable_iss_validation"])
        if not data.get("token_reviewer_jwt") and not is_empty(config.get("token_reviewer_jwt_wo")):
            data["token_reviewer_jwt"] = config["token_reviewer_jwt_wo"]
        with explaining(f'error writing Kubernetes auth backend config "{path}"'):
            vault.client.write(path, data)
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read what Vault tells of the configuration."""
        backend = _CONFIG_ID.fullmatch(resource_id)
        if backend is None:
            raise ProviderError(
                f'invalid path "{resource_id}" for Kubernetes auth backend config: no backend found'
            )
        with explaining(f'error reading Kubernetes auth backend config "{resource_id}"'):
            data = vault.client.read(resource_id)
        if data is None:
            return None
        names = list(_READ_FROM_CONFIG)
        if vault.connection.supports(_ANNOTATIONS_SINCE):
            names.append(_ANNOTATIONS)
        return {
            **vault_values([AUTH_BACKEND_CONFIG.field(name) for name in names], data),
            "backend": backend[1],
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write the configuration again.

        A write-only token is sent only with a new version of it, and so erased by every other
        update.
        """
        planned = update.planned
        data = _configuration(vault.connection, planned)
        if planned["disable_iss_validation"] is not None:
            data["disable_iss_validation"] = planned["disable_iss_validation"]
        if (
            not data.get("token_reviewer_jwt")
            and "token_reviewer_jwt_wo_version" in update.changed
            and not is_empty(update.config.get("token_reviewer_jwt_wo"))
        ):
            data["token_reviewer_jwt"] = update.config["token_reviewer_jwt_wo"]
        with explaining(f'error updating Kubernetes auth backend config "{resource_id}"'):
            vault.client.write(resource_id, data)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Leave the configuration alone: it goes with its mount."""

    @override
    def adjust(
        self, connection: VaultConnection, prior: Values, config: Values, plan: Plan
    ) -> Plan:
        """Plan for a CA certificate to be unset that Vault holds but would not use."""
        planned = plan.values["kubernetes_ca_cert"]
        if plan.values["disable_local_ca_jwt"] or isinstance(planned, Unknown):
            return plan
        left_over = config.get("kubernetes_ca_cert") is None and not is_empty(planned)
        taken_away = not is_empty(prior.get("kubernetes_ca_cert")) and is_empty(planned)
        if not (left_over or taken_away) or not connection.supports(_LOCAL_CA_SINCE):
            return plan
        return Plan({**plan.values, "kubernetes_ca_cert": ""}, plan.replacing)


def _configuration(connection: VaultConnection, planned: Mapping[str, Value]) -> dict[str, Json]:
    sent_if_given = (
        "kubernetes_ca_cert",
        "token_reviewer_jwt",
        "issuer",
        "disable_local_ca_jwt",
    )
    data: dict[str, Json] = {
        "kubernetes_host": planned["kubernetes_host"],
        **{name: planned[name] for name in sent_if_given if not is_empty(planned[name])},
    }
    if isinstance(planned["pem_keys"], list):
        data["pem_keys"] = ",".join(str(key) for key in planned["pem_keys"])
    if connection.supports(_ANNOTATIONS_SINCE):
        data[_ANNOTATIONS] = bool(planned[_ANNOTATIONS])
    return data


_TOKEN_FIELDS = (
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
_OPTIONAL_FIELDS = (
    Field("audience", default=""),
    Field("alias_name_source", computed=True),
)
_BOUND_FIELDS = (
    Field("bound_service_account_names", Shape.SET, required=True),
    Field("bound_service_account_namespaces", Shape.SET),
)
_SELECTOR = Field("bound_service_account_namespace_selector")

AUTH_BACKEND_ROLE = Schema(
    "vault:kubernetes/authBackendRole:AuthBackendRole",
    (
        _BACKEND,
        Field("role_name", required=True, replaces=True),
        *_BOUND_FIELDS,
        _SELECTOR,
        *_OPTIONAL_FIELDS,
        *_TOKEN_FIELDS,
    ),
)

_ROLE_ID = re.compile(r"auth/(.+)/role/(.+)")


class AuthBackendRoleOperations(Operations):
    """A role of a mount of Kubernetes auth; its id is its path."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Write the role, over an existing one."""
        path = f"auth/{planned['backend']}/role/{str(planned['role_name']).strip('/')}"
        fields = (*_TOKEN_FIELDS, *_OPTIONAL_FIELDS)
        data = {
            **_bound(planned),
            **{field.name: planned[field.name] for field in fields if planned[field.name]},
        }
        if planned["token_no_default_policy"] is not None:
            data["token_no_default_policy"] = planned["token_no_default_policy"]
        with explaining(f'error writing Kubernetes auth backend role "{path}"'):
            vault.client.write(path, data)
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the role; what this version of Vault does not tell of it stays as known."""
        parts = _ROLE_ID.fullmatch(resource_id)
        if parts is None:
            raise ProviderError(
                f'invalid path "{resource_id}" for Kubernetes auth backend role: '
                "no backend and role found"
            )
        with explaining(f'error reading Kubernetes auth backend role "{resource_id}"'):
            data = vault.client.read(resource_id)
        if data is None:
            return None
        told = [
            field for field in (*_BOUND_FIELDS, _SELECTOR, *_OPTIONAL_FIELDS) if field.name in data
        ]
        values = vault_values([*_TOKEN_FIELDS, *told], data)
        values["token_bound_cidrs"] = _networks(
            values["token_bound_cidrs"], known.get("token_bound_cidrs")
        )
        return {**values, "backend": parts[1], "role_name": parts[2]}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write what changed of the role."""
        planned = update.planned
        data = _bound(planned)
        for field in (*_TOKEN_FIELDS, *_OPTIONAL_FIELDS):
            if field.name in update.changed:
                data[field.name] = planned[field.name] or field.zero
        with explaining(f'error updating Kubernetes auth backend role "{resource_id}"'):
            vault.client.write(resource_id, data)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the role, which may be gone together with its mount."""
        with explaining(f'error deleting Kubernetes auth backend role "{resource_id}"'):
            vault.client.delete(resource_id, missing_allowed=True)


def _bound(planned: Mapping[str, Value]) -> dict[str, Json]:
    """Return whom the role is for; the official plugin cannot empty the lists either."""
    data: dict[str, Json] = {
        field.name: planned[field.name] for field in _BOUND_FIELDS if planned[field.name]
    }
    data[_SELECTOR.name] = planned[_SELECTOR.name] or ""
    return data


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
