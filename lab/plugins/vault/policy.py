"""Policies."""

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import VaultClient, explaining
from lab.plugins.vault.resource import Operations, Update, Vault
from lab.plugins.vault.schema import Field, Schema, Shape, Values

POLICY = Schema(
    "vault:index/policy:Policy",
    (
        Field("name", required=True, replaces=True, named_after_resource=True),
        Field("policy", required=True),
        Field("allow_overwrite", Shape.BOOLEAN, computed=True),
    ),
)


class PolicyOperations(Operations):
    """A policy; its name is its id."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Write the policy, over an existing one unless `allow_overwrite` is false."""
        name = str(planned["name"])
        with explaining(f'error checking for existing policy "{name}"'):
            existing = _text(vault.client, name)
        if existing and config.get("allow_overwrite") is False:
            raise ProviderError(
                f'policy "{name}" already exists; import it to manage it '
                "or set allow_overwrite = true"
            )
        _write(vault.client, name, planned)
        return name

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the policy. One that is gone reads as an empty one, and so as a change."""
        with explaining("error reading from Vault"):
            return {"name": resource_id, "policy": _text(vault.client, resource_id)}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write the policy again."""
        _write(vault.client, resource_id, update.planned)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the policy."""
        with explaining("error deleting from Vault"):
            vault.client.delete(f"sys/policies/acl/{resource_id}")


def _write(client: VaultClient, name: str, planned: Values) -> None:
    with explaining("error writing to Vault"):
        client.write(f"sys/policies/acl/{name}", {"policy": planned["policy"]})


def _text(client: VaultClient, name: str) -> str:
    return str((client.read(f"sys/policies/acl/{name}") or {}).get("policy", ""))
