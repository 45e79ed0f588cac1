"""What mounts of secret engines and of auth methods have in common: looking up, moving, tuning."""

import time
from collections.abc import Mapping
from http import HTTPStatus

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import Json, VaultClient, VaultError
from lab.plugins.vault.connection import VaultConnection

_REMOUNT_POLL_SECONDS = 0.2
_REMOUNT_SECONDS = 60
# A mount that was just moved cannot be tuned at once.
_TUNE_TRIES = 10
_TUNE_PAUSE_SECONDS = 1


def read_mount(client: VaultClient, path: str) -> dict[str, Json] | None:
    """Return a mount's entry at its path of the system, None where nothing is mounted."""
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


def remount(client: VaultClient, source: str, target: str) -> None:
    """Move a mount, and wait until that is done; raises `ProviderError` where it fails."""
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


def tune(
    client: VaultClient, path: str, tuning: Mapping[str, Json], *, patient: bool = False
) -> None:
    """Tune a mount; `patient` is to try again for a while, as after a move."""
    for _ in range(_TUNE_TRIES if patient else 0):
        try:
            client.post(f"sys/mounts/{path}/tune", tuning)
        except VaultError:
            time.sleep(_TUNE_PAUSE_SECONDS)
        else:
            return
    client.post(f"sys/mounts/{path}/tune", tuning)


def has_identity_tokens(connection: VaultConnection) -> bool:
    """Tell whether this Vault's mounts can name a key for identity tokens."""
    return connection.is_enterprise() and connection.supports("1.16")
