"""What roles of an auth mount have in common: their path, which is their id, and their end."""

import re
from abc import abstractmethod
from collections.abc import Collection
from typing import ClassVar

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import Json, explaining
from lab.plugins.vault.resource import Operations, Update, Vault
from lab.plugins.vault.schema import Values

_ID = re.compile(r"auth/(.+)/role/(.+)")


class LoginRoleOperations(Operations):
    """A role of an auth mount; its id is its path."""

    method: ClassVar[str]
    """The auth method, as the official plugin's messages have it."""
    nothing_found: ClassVar[str]
    """What those messages say is not found in an id of another form."""

    @abstractmethod
    def new_data(self, planned: Values) -> dict[str, Json]:
        """Return what is written of a new role."""

    @abstractmethod
    def changed_data(self, planned: Values, changed: Collection[str]) -> dict[str, Json]:
        """Return what is written of a role that is there."""

    @abstractmethod
    def told(self, data: dict[str, Json], known: Values) -> Values:
        """Return what Vault tells of a role, without its mount and name."""

    @override
    def create(self, vault: Vault, planned: Values, config: Values) -> str:
        """Write the role, over an existing one."""
        path = f"auth/{planned['backend']}/role/{str(planned['role_name']).strip('/')}"
        with explaining(f'error writing {self.method} auth backend role "{path}"'):
            vault.client.write(path, self.new_data(planned))
        return path

    @override
    def read(self, vault: Vault, resource_id: str, known: Values) -> Values | None:
        """Read the role."""
        parts = _ID.fullmatch(resource_id)
        if parts is None:
            raise ProviderError(
                f'invalid path "{resource_id}" for {self.method} auth backend role: '
                f"no {self.nothing_found} found"
            )
        with explaining(f'error reading {self.method} auth backend role "{resource_id}"'):
            data = vault.client.read(resource_id)
        if data is None:
            return None
        return {**self.told(data, known), "backend": parts[1], "role_name": parts[2]}

    @override
    def update(self, vault: Vault, resource_id: str, update: Update) -> str:
        """Write the role again, as far as its type does."""
        data = self.changed_data(update.planned, update.changed)
        with explaining(f'error updating {self.method} auth backend role "{resource_id}"'):
            vault.client.write(resource_id, data)
        return resource_id

    @override
    def delete(self, vault: Vault, resource_id: str) -> None:
        """Delete the role, which may be gone together with its mount."""
        with explaining(f'error deleting {self.method} auth backend role "{resource_id}"'):
            vault.client.delete(resource_id, missing_allowed=True)
