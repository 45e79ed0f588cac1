"""Looking up a role of Kubernetes auth."""

from typing_extensions import override

from lab.plugins.vault.client import explaining
from lab.plugins.vault.functions import Function
from lab.plugins.vault.kubernetes_auth import AUTH_BACKEND_ROLE
from lab.plugins.vault.resource import Vault, vault_values
from lab.plugins.vault.schema import Field, Schema, Values

# The official plugin takes all the others as arguments too, and answers with what Vault says.
_TOLD_ONLY = frozenset(
    {
        "bound_service_account_names",
        "bound_service_account_namespaces",
        "bound_service_account_namespace_selector",
        "alias_name_source",
    }
)

GET_AUTH_BACKEND_ROLE = Schema(
    "vault:kubernetes/getAuthBackendRole:getAuthBackendRole",
    tuple(
        Field(field.name, field.shape, output=True) if field.name in _TOLD_ONLY else field
        for field in AUTH_BACKEND_ROLE.fields
    ),
)

_NO_ID = "-"


class GetAuthBackendRole(Function):
    """Reads a role of a mount of Kubernetes auth."""

    @override
    def call(self, vault: Vault, arguments: Values) -> tuple[str, Values] | None:
        """Return the role and its path; one that is missing has no values, and a dash as its id."""
        backend = str(arguments["backend"]).strip("/")
        path = f"auth/{backend}/role/{str(arguments['role_name']).strip('/')}"
        with explaining(f'error reading Kubernetes auth backend role "{path}"'):
            data = vault.client.read(path)
        if data is None:
            return _NO_ID, {}
        told = [field for field in GET_AUTH_BACKEND_ROLE.fields if field.name in data]
        return path, vault_values(told, data)
