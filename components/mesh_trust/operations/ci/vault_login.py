"""Runs a command with a token of Vault's that lasts as long as it."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import requests
from hvac.exceptions import VaultError

from mesh_trust.readiness import on_one_line
from mesh_trust.vault_session import vault_client

from ..errors import OperationError
from .passing_on import PassingOn
from .place import Place


def run_with_token(command: Sequence[str], place: Place, *, mount: str, role: str, jwt: str) -> int:
    """Logs in at the JWT auth mount, runs `command` with `VAULT_TOKEN`, and gives the token back.

    Gives the command's exit code. The token is in nothing but that variable. A signal that ends
    this process is passed on to the command, and the token is given back all the same.

    Raises:
        OperationError: Vault refuses the login or cannot be reached, or there is no such command.
        SystemExit: a signal came before the command was there, or a second one came.
    """
    client = vault_client(place.address, "", place.ca_file, place.namespace)
    with PassingOn.signals() as passing_on:
        try:
            login = client.auth.jwt.jwt_login(role=role, jwt=jwt, path=mount)
        except (VaultError, requests.RequestException) as error:
            raise OperationError(
                f"the login at {place.address}, auth/{mount}, role {role!r} is refused "
                f"({on_one_line(str(error), 200)}); compare the role's bound claims and audiences "
                "with the pipeline's token"
            ) from None
        client.token = login["auth"]["client_token"]
        try:
            return _run(command, {**os.environ, "VAULT_TOKEN": str(client.token)}, passing_on)
        finally:
            # It ends by itself where Vault cannot be reached any more.
            with suppress(VaultError, requests.RequestException):
                client.auth.token.revoke_self()


def run_without(command: Sequence[str]) -> int:
    """Runs `command` as it is, for a stack that has no Vault to log in to yet.

    Gives the command's exit code.

    Raises:
        OperationError: there is no such command.
        SystemExit: as for `run_with_token`.
    """
    with PassingOn.signals() as passing_on:
        return _run(command, os.environ, passing_on)


def _run(command: Sequence[str], environment: Mapping[str, str], passing_on: PassingOn) -> int:
    try:
        return passing_on.run(command, environment)
    except FileNotFoundError:
        raise OperationError(f"there is no command {command[0]!r} on PATH") from None
