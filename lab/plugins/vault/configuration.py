"""The provider's own inputs, and the environment variables that stand in for missing ones."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.plugins.provider.provider import (
    Checked,
    Failure,
    ProviderError,
    refuse_unknown_fields,
)
from lab.plugins.provider.values import Properties, Unknown, Value, reveal, reveal_properties
from lab.plugins.vault.schema import is_reserved

_STRINGS = frozenset(
    {
        "address",
        "token",
        "tokenName",
        "caCertFile",
        "caCertDir",
        "namespace",
        "vaultVersionOverride",
    }
)
_BOOLEANS = frozenset(
    {"skipTlsVerify", "skipChildToken", "skipGetVaultVersion", "setNamespaceFromToken"}
)
# `maxRetriesCcc` is about consistency between Enterprise replicas, which nothing here waits for.
_INTEGERS = frozenset({"maxLeaseTtlSeconds", "maxRetries", "maxRetriesCcc"})
# The engine's own, beside the provider's.
_OF_ENGINE = frozenset({"version", "pluginDownloadURL"})
_KNOWN = _STRINGS | _BOOLEANS | _INTEGERS | _OF_ENGINE

_UNSUPPORTED_VARIABLES = ("VAULT_CACERT_BYTES", "VAULT_TLS_SERVER_NAME")

_CHILD_TOKEN_SECONDS = 1200
_RETRIES = 2
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True)
class Configuration:
    """How to reach Vault, and as whom.

    `child_token_seconds` is the lifetime of the token made for the work, None where the given
    token is used itself. `version` overrides what Vault says of itself; `ask_version` is false
    where it shall not be asked.
    """

    address: str
    token: str = field(repr=False)
    verify: bool | Path
    namespace: str
    namespace_from_token: bool
    child_token_seconds: int | None
    child_token_name: str
    retries: int
    version: str | None
    ask_version: bool


def check_configuration(news: Properties) -> Checked:
    """Validate the provider's inputs; values other than strings come encoded as JSON."""
    given = {name: value for name, value in news.items() if not is_reserved(name)}
    failures = refuse_unknown_fields("vault's provider", given, _KNOWN)
    for name in sorted(given.keys() & (_BOOLEANS | _INTEGERS)):
        value = reveal(given[name])
        try:
            _decoded(name, value)
        except ValueError:
            kind = "true or false" if name in _BOOLEANS else "an integer"
            failures.append(
                Failure(name, f"vault's provider: {name} must be {kind}, not {value!r}")
            )
    return Checked(news, failures)


def read_configuration(
    inputs: Properties, environment: Mapping[str, str] = os.environ
) -> Configuration:
    """Return the configuration of checked inputs, with the environment where they are silent.

    Raises `ProviderError` where there is no address or token, or where the environment asks for
    what this plugin cannot do.
    """
    for variable in _UNSUPPORTED_VARIABLES:
        if environment.get(variable):
            raise ProviderError(
                f"{variable} is set, but the lab's own vault plugin cannot use it; unset it"
            )
    source = _Source(reveal_properties(inputs), environment)
    address = source.string("address", "VAULT_ADDR")
    if not address:
        raise ProviderError(
            "failed to configure Vault address: set `address` or the variable VAULT_ADDR"
        )
    token = source.string("token", "VAULT_TOKEN") or _token_of_file(environment)
    if not token:
        raise ProviderError("no vault token set on Client: set `token` or the variable VAULT_TOKEN")
    child = not source.boolean("skipChildToken", "TERRAFORM_VAULT_SKIP_CHILD_TOKEN", False)
    return Configuration(
        address=address,
        token=token,
        verify=_verification(source),
        namespace=source.string("namespace", "VAULT_NAMESPACE").strip("/"),
        namespace_from_token=source.boolean(
            "setNamespaceFromToken", "VAULT_SET_NAMESPACE_FROM_TOKEN", True
        ),
        child_token_seconds=source.integer(
            "maxLeaseTtlSeconds", "TERRAFORM_VAULT_MAX_TTL", _CHILD_TOKEN_SECONDS
        )
        if child
        else None,
        child_token_name=source.string("tokenName", "VAULT_TOKEN_NAME") or "terraform",
        retries=source.integer("maxRetries", "VAULT_MAX_RETRIES", _RETRIES),
        version=source.string("vaultVersionOverride", None) or None,
        ask_version=not source.boolean("skipGetVaultVersion", None, False),
    )


@dataclass(frozen=True)
class _Source:
    inputs: Mapping[str, Value]
    environment: Mapping[str, str]

    def string(self, name: str, variable: str | None) -> str:
        value = self.inputs.get(name)
        if isinstance(value, str) and value:
            return value
        return self._variable(variable)

    def boolean(self, name: str, variable: str | None, default: bool) -> bool:
        value = _decoded(name, self.inputs.get(name))
        if isinstance(value, bool):
            return value
        text = self._variable(variable)
        return text in _TRUE if text in _TRUE | _FALSE else default

    def integer(self, name: str, variable: str | None, default: int) -> int:
        value = _decoded(name, self.inputs.get(name))
        if isinstance(value, int) and value:
            return value
        text = self._variable(variable)
        return int(text) if text.isdecimal() else default

    def _variable(self, name: str | None) -> str:
        return self.environment.get(name, "") if name else ""


def _decoded(name: str, value: Value) -> bool | int | None:
    """Return the value of an input that is no string; raises `ValueError`."""
    if value is None or isinstance(value, Unknown):
        return None
    if isinstance(value, str):
        value = json.loads(value) if value else None
    if value is None:
        return None
    if name in _BOOLEANS and isinstance(value, bool):
        return value
    if name in _INTEGERS and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(name)


def _verification(source: _Source) -> bool | Path:
    if source.boolean("skipTlsVerify", "VAULT_SKIP_VERIFY", False):
        return False
    path = source.string("caCertFile", "VAULT_CACERT") or source.string("caCertDir", "VAULT_CAPATH")
    return Path(path) if path else True


def _token_of_file(environment: Mapping[str, str]) -> str:
    home = environment.get("HOME")
    path = Path(home) / ".vault-token" if home else None
    return path.read_text().strip() if path is not None and path.is_file() else ""
