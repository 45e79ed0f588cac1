"""The vault provider: its configuration, its resource types and its functions."""

from collections.abc import Mapping, Sequence
from importlib import metadata

from typing_extensions import override

from lab.plugins.provider.provider import (
    Change,
    Checked,
    Difference,
    Kind,
    Provider,
    ProviderError,
    ResourceType,
    UnknownType,
)
from lab.plugins.provider.values import Properties, Value, contains_unknown, reveal_properties
from lab.plugins.vault import functions
from lab.plugins.vault.audit import AUDIT, AuditOperations
from lab.plugins.vault.auth_backend import AUTH_BACKEND, AuthBackendOperations
from lab.plugins.vault.configuration import check_configuration, read_configuration
from lab.plugins.vault.connection import VaultConnection
from lab.plugins.vault.functions import Function
from lab.plugins.vault.generic import GET_SECRET, GetSecret
from lab.plugins.vault.generic_endpoint import ENDPOINT, EndpointOperations
from lab.plugins.vault.issuer import ISSUER, IssuerOperations
from lab.plugins.vault.jwt_auth import (
    JWT_BACKEND,
    JWT_BACKEND_ROLE,
    JwtBackendOperations,
    JwtRoleOperations,
)
from lab.plugins.vault.kubernetes_auth import (
    AUTH_BACKEND_CONFIG,
    AUTH_BACKEND_ROLE,
    AuthBackendConfigOperations,
    AuthBackendRoleOperations,
)
from lab.plugins.vault.kubernetes_role_lookup import GET_AUTH_BACKEND_ROLE, GetAuthBackendRole
from lab.plugins.vault.mount import MOUNT, MountOperations
from lab.plugins.vault.pki import (
    CONFIG_CA,
    CONFIG_ISSUERS,
    GET_ISSUER,
    GET_ISSUERS,
    ConfigCaOperations,
    ConfigIssuersOperations,
    GetIssuer,
    GetIssuers,
)
from lab.plugins.vault.pki_intermediate import (
    CERTIFICATE_REQUEST,
    SET_SIGNED,
    SIGNED_INTERMEDIATE,
    CertificateRequestOperations,
    SetSignedOperations,
    SignedIntermediateOperations,
)
from lab.plugins.vault.policy import POLICY, PolicyOperations
from lab.plugins.vault.resource import Operations, VaultResource
from lab.plugins.vault.root_cert import ROOT_CERT, RootCertOperations
from lab.plugins.vault.schema import Schema

_RESOURCES: Sequence[tuple[Schema, Operations]] = (
    (MOUNT, MountOperations()),
    (AUDIT, AuditOperations()),
    (AUTH_BACKEND, AuthBackendOperations()),
    (POLICY, PolicyOperations()),
    (AUTH_BACKEND_CONFIG, AuthBackendConfigOperations()),
    (AUTH_BACKEND_ROLE, AuthBackendRoleOperations()),
    (JWT_BACKEND, JwtBackendOperations()),
    (JWT_BACKEND_ROLE, JwtRoleOperations()),
    (ENDPOINT, EndpointOperations()),
    (CONFIG_CA, ConfigCaOperations()),
    (CONFIG_ISSUERS, ConfigIssuersOperations()),
    (ROOT_CERT, RootCertOperations()),
    (ISSUER, IssuerOperations()),
    (CERTIFICATE_REQUEST, CertificateRequestOperations()),
    (SIGNED_INTERMEDIATE, SignedIntermediateOperations()),
    (SET_SIGNED, SetSignedOperations()),
)
_FUNCTIONS: Mapping[str, tuple[Schema, Function]] = {
    GET_ISSUERS.token: (GET_ISSUERS, GetIssuers()),
    GET_ISSUER.token: (GET_ISSUER, GetIssuer()),
    GET_SECRET.token: (GET_SECRET, GetSecret()),
    GET_AUTH_BACKEND_ROLE.token: (GET_AUTH_BACKEND_ROLE, GetAuthBackendRole()),
}


class VaultProvider(Provider):
    """Stands in for the official vault plugin, for the types this project uses."""

    name = "vault"
    version = metadata.version("pulumi_vault")  # the SDK's, which is the official plugin's too
    accepts_secrets = False

    def __init__(self) -> None:
        self._connection: VaultConnection | None = None
        self._types = {
            schema.token: VaultResource(schema, operations, self._configured_connection)
            for schema, operations in _RESOURCES
        }

    def _configured_connection(self) -> VaultConnection:
        if self._connection is None:
            raise ProviderError("the vault provider's configuration is not known yet")
        return self._connection

    @override
    def check_config(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Validate the provider's own inputs."""
        return check_configuration(news)

    @override
    def diff_config(
        self,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the provider's inputs; no change of them replaces it."""
        old, new = reveal_properties(old_inputs), reveal_properties(news)
        changes = {
            name: Change(_kind(old.get(name), new.get(name)), of_input=True)
            for name in sorted(old.keys() | new.keys())
            if old.get(name) != new.get(name) and name not in ignore_changes
        }
        return Difference(changes=bool(changes), detailed=changes)

    @override
    def configure(self, inputs: Properties) -> None:
        """Prepare the connection, which is not made before it is needed."""
        if not any(contains_unknown(value) for value in inputs.values()):
            self._connection = VaultConnection(read_configuration(inputs))

    @override
    def resource(self, token: str) -> ResourceType:
        """Return the type of that token."""
        if token not in self._types:
            raise UnknownType(self.name, token)
        return self._types[token]

    @override
    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Call a function."""
        if token not in _FUNCTIONS:
            raise UnknownType(self.name, token)
        schema, function = _FUNCTIONS[token]
        return functions.invoke(schema, function, self._configured_connection, arguments)

    @override
    def cancel(self) -> None:
        """Do nothing: every request to Vault is short."""


def _kind(old: Value, new: Value) -> Kind:
    if old is None:
        return Kind.ADD
    return Kind.DELETE if new is None else Kind.UPDATE
