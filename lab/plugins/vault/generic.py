"""Whatever can be read at a path of Vault."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from typing_extensions import override

from lab.plugins.provider.provider import ProviderError
from lab.plugins.vault.client import Json, VaultClient, VaultError, explaining
from lab.plugins.vault.functions import Function
from lab.plugins.vault.resource import Vault
from lab.plugins.vault.schema import Field, Schema, Shape, Values

GET_SECRET = Schema(
    "vault:generic/getSecret:getSecret",
    (
        Field("path", required=True),
        Field("version", Shape.INTEGER, default=-1),
        Field("with_lease_start_time", Shape.BOOLEAN, default=True),
        Field("data", Shape.MAP, output=True, secret=True),
        Field("data_json", output=True, secret=True),
        Field("lease_id", output=True),
        Field("lease_duration", Shape.INTEGER, output=True),
        Field("lease_start_time", output=True),
        Field("lease_renewable", Shape.BOOLEAN, output=True),
    ),
)

_UNREADABLE = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


class GetSecret(Function):
    """Reads a path, as `vault read` does."""

    @override
    def call(self, vault: Vault, arguments: Values) -> tuple[str, Values] | None:
        """Return the data and the path; what may not be read is taken for missing."""
        path = str(arguments["path"])
        with explaining("error reading from Vault"):
            if _is_versioned(vault.client, path):
                raise ProviderError(
                    f"{path} is in a key-value engine of version 2, "
                    "which the lab's own vault plugin does not read"
                )
            answer = _read(vault.client, path)
        if not answer.get("data"):
            raise ProviderError(f'no secret found at "{path}"')
        data: Mapping[str, Json] = answer["data"]
        started = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return path, {
            "data": {name: _text(value) for name, value in data.items()},
            "data_json": _compact(data),
            "lease_id": answer.get("lease_id", ""),
            "lease_duration": answer.get("lease_duration", 0),
            "lease_renewable": answer.get("renewable", False),
            "lease_start_time": started if arguments["with_lease_start_time"] else None,
        }


def _is_versioned(client: VaultClient, path: str) -> bool:
    try:
        mount = client.read(f"sys/internal/ui/mounts/{path}") or {}
    except VaultError as error:
        if error.status in _UNREADABLE:
            return False
        raise
    return (mount.get("options") or {}).get("version") == "2"


def _read(client: VaultClient, path: str) -> dict[str, Json]:
    try:
        return client.answer(path)
    except VaultError as error:
        if error.status in _UNREADABLE:
            return {}
        raise


def _text(value: Json) -> str:
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Json) -> str:
    """Return the value as JSON, as Go writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
