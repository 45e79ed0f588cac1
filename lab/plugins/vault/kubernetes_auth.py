"""Kubernetes auth: how Vault reaches a cluster, and which accounts get which policies."""

import re
from collections.abc import Collection, Mapping

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Unknown, Value
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.login_role import LoginRoleOperations
from lab.plugins.vault.resource import Operations, Plan, Update, Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Shape, Values, is_empty
from lab.plugins.vault.token_fields import (
    TOKEN_FIELDS,
    changed_token_data,
    new_token_data,
    token_values,
)


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
            "token_reviewer_jwt", default="", secret=True, conflicts_with=("token_reviewer_jwt_wo",)
        ),
        Field(
            "token_reviewer_jwt_wo",
            secret=True,
            write_only=True,
            conflicts_with=("token_reviewer_jwt",),
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
        *TOKEN_FIELDS,
    ),
)


class AuthBackendRoleOperations(LoginRoleOperations):
    """A role of a mount of Kubernetes auth."""

    method = "Kubernetes"
    nothing_found = "backend and role"

    @override
    def new_data(self, planned: Values) -> dict[str, Json]:
        """Return what is given of the role."""
        return {
            **_bound(planned),
            **new_token_data(planned),
            **{
                field.name: planned[field.name] for field in _OPTIONAL_FIELDS if planned[field.name]
            },
        }

    @override
    def changed_data(self, planned: Values, changed: Collection[str]) -> dict[str, Json]:
        """Return what changed of the role."""
        data = _bound(planned) | changed_token_data(planned, changed)
        for field in _OPTIONAL_FIELDS:
            if field.name in changed:
                data[field.name] = planned[field.name] or field.zero
        return data

    @override
    def told(self, data: dict[str, Json], known: Values) -> Values:
        """Return the role; what this version of Vault does not tell of it stays as known."""
        fields = (*_BOUND_FIELDS, _SELECTOR, *_OPTIONAL_FIELDS)
        return {
            **token_values(data, known),
            **vault_values([field for field in fields if field.name in data], data),
        }


def _bound(planned: Mapping[str, Value]) -> dict[str, Json]:
    """Return whom the role is for; the official plugin cannot empty the lists either."""
    data: dict[str, Json] = {
        field.name: planned[field.name] for field in _BOUND_FIELDS if planned[field.name]
    }
    data[_SELECTOR.name] = planned[_SELECTOR.name] or ""
    return data
