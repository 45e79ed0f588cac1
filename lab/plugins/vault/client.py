"""Vault's HTTP interface, with its errors in the words of the official plugin."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

import requests
from hvac.adapters import RawAdapter

from lab.plugins.provider.provider import ProviderError

Json: TypeAlias = Any
"""A value of a JSON document."""


class VaultError(ProviderError):
    """A request that Vault refused.

    `errors` is Vault's own list of reasons, which never quotes what was sent.
    """

    def __init__(self, method: str, url: str, status: int, errors: list[str]) -> None:
        reasons = "".join(f" * {reason}" for reason in errors)
        super().__init__(
            f"Error making API request. URL: {method} {url} Code: {status}. Errors:{reasons}"
        )
        self.status = status
        self.errors = errors


@contextmanager
def explaining(words: str) -> Iterator[None]:
    """Put words before the text of an error that a request ends with."""
    try:
        yield
    except ProviderError as error:
        raise ProviderError(f"{words}: {error}") from None


class VaultClient:
    """Requests to one Vault with one token, in one namespace. Safe to share among threads."""

    def __init__(self, adapter: RawAdapter) -> None:
        self._adapter = adapter

    def read(self, path: str) -> dict[str, Json] | None:
        """Return the data at the path (without `v1/`), or None where there is none."""
        return self._data(self._request("GET", path, missing_allowed=True))

    def list(self, path: str) -> dict[str, Json] | None:
        """Return the listing of the path, or None where there is nothing to list."""
        return self._data(self._request("LIST", path, missing_allowed=True))

    def write(self, path: str, data: Mapping[str, Json]) -> dict[str, Json] | None:
        """Write to a path of a secret engine or an auth method."""
        return self._data(self._request("PUT", path, data))

    def post(self, path: str, data: Mapping[str, Json]) -> dict[str, Json]:
        """Call a path of the system, and return the whole answer."""
        return _document(self._request("POST", path, data))

    def seal_status(self) -> dict[str, Json]:
        """Return what Vault tells of itself without a token, its version among it."""
        return _document(self._request("GET", "sys/seal-status"))

    def delete(self, path: str, *, missing_allowed: bool = False) -> None:
        """Delete what is at the path; with `missing_allowed`, also where nothing is."""
        self._request("DELETE", path, missing_allowed=missing_allowed)

    def _request(
        self,
        method: str,
        path: str,
        data: Mapping[str, Json] | None = None,
        *,
        missing_allowed: bool = False,
    ) -> requests.Response:
        address = f"/v1/{quote(path.strip('/'))}"
        try:
            response: requests.Response = self._adapter.request(
                method, address, json=None if data is None else dict(data)
            )
        except requests.RequestException as error:
            raise ProviderError(
                f"cannot reach Vault at {self._adapter.base_uri}: {error}"
            ) from None
        missing = missing_allowed and response.status_code == HTTPStatus.NOT_FOUND
        if not response.ok and not missing:
            errors = _document(response).get("errors") or [response.reason]
            raise VaultError(method, response.url, response.status_code, errors)
        return response

    @staticmethod
    def _data(response: requests.Response) -> dict[str, Json] | None:
        data: dict[str, Json] | None = _document(response).get("data")
        return data


def _document(response: requests.Response) -> dict[str, Json]:
    try:
        document = response.json() if response.content else {}
    except requests.JSONDecodeError:
        # Not from Vault, but from something between it and us; its status tells enough.
        return {}
    return document if isinstance(document, dict) else {}
