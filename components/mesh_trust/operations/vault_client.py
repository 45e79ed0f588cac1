"""hvac, the client of Vault, with the environment's token and CA."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from hvac.exceptions import Forbidden, VaultError

from mesh_trust.readiness import on_one_line
from mesh_trust.vault_session import vault_client as client_at

from .errors import OperationError
from .stack import Stack
from .unreachable import UnreachableError


def vault_address(stack: Stack) -> str | None:
    """Where Vault is: as configured, or where the last update has found the installed one."""
    configured = stack.settings.vault.install.get("address")
    if isinstance(configured, str):
        return configured
    return stack.outputs.get("vaultAddress")


def vault_client(stack: Stack, token: str | None = None) -> Any:
    """A client with `token`, or with the one in VAULT_TOKEN; asks nothing yet.

    Raises:
        OperationError: no address or no token is known.
    """
    address = vault_address(stack)
    if address is None:
        raise OperationError("the stack has no Vault yet: run `pulumi up` first")
    if token is None:
        token = os.environ.get("VAULT_TOKEN") or None
    if token is None:
        raise OperationError("VAULT_TOKEN is not set: give it a token that may read what is there")
    return client_of(stack, address, token)


def client_of(stack: Stack, address: str, token: str) -> Any:
    """A client of the Vault at `address` with `token`, which may be none; asks nothing yet."""
    vault = stack.settings.vault
    return client_at(address, token, vault.ca_file, vault.namespace)


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Asks Vault for `what`, as a sentence names it.

    Raises:
        UnreachableError: Vault does not answer, or refuses.
    """
    try:
        yield
    except Forbidden:
        raise UnreachableError(
            f"Vault refuses the token in VAULT_TOKEN {what}", "use a token that may read it"
        ) from None
    except (requests.exceptions.RequestException, VaultError) as error:
        raise UnreachableError(
            f"Vault does not tell {what} ({on_one_line(str(error), 150)})",
            "see that it runs and is unsealed: `vault status`",
        ) from None
