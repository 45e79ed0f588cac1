"""Audit devices."""

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import explaining
from lab.plugins.vault.resource import Operations, Update, Vault
from lab.plugins.vault.schema import Field, Schema, Shape, Values

AUDIT = Schema(
    "vault:index/audit:Audit",
    (
        Field("path", computed=True, replaces=True),
        Field("type", required=True, replaces=True),
        Field("description", replaces=True),
        Field("local", Shape.BOOLEAN, replaces=True),
        Field("options", Shape.MAP, required=True, replaces=True),
    ),
)


class AuditOperations(Operations):
    """An audit device at a path, which is its id. Nothing of it can be changed in place."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Enable the device, at a path named after its type where none is given."""
        path = str(planned["path"] or planned["type"])
        body = {
            "type": planned["type"],
            "description": planned["description"] or "",
            "local": bool(planned["local"]),
            "options": planned["options"] or {},
        }
        with explaining("error enabling audit backend"):
            vault.client.write(f"sys/audit/{path}", body)
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the device's entry among all of them."""
        with explaining("error reading from Vault"):
            devices = vault.client.read("sys/audit") or {}
        device = devices.get(f"{resource_id.strip('/')}/")
        if device is None:
            return None
        return {
            "path": resource_id,
            "type": device["type"],
            "description": device["description"],
            "local": device["local"],
            "options": device["options"],
        }

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Every change replaces the device."""
        raise ProviderError(f"audit device {resource_id} cannot be changed in place")

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Disable the device; what it has written stays."""
        with explaining("error disabling audit backend"):
            vault.client.delete(f"sys/audit/{resource_id}")
