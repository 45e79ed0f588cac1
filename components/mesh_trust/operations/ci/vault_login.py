"""Runs a command with a token of Vault's that lasts as long as it."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

import hvac
import requests
from hvac.exceptions import VaultError

from mesh_trust.readiness import on_one_line

from ..errors import OperationError


def run_with_token(
    command: Sequence[str], *, address: str, ca_file: str | None, mount: str, role: str, jwt: str
) -> int:
    """Logs in at the JWT auth mount, runs `command` with `VAULT_TOKEN`, and gives the token back.

    Gives the command's exit code. The token is in nothing but that variable.

    Raises:
        OperationError: Vault refuses the login or cannot be reached, or there is no such command.
    """
    client = hvac.Client(url=address, verify=ca_file or True)
    try:
        login = client.auth.jwt.jwt_login(role=role, jwt=jwt, path=mount)
    except (VaultError, requests.RequestException) as error:
        raise OperationError(
            f"the login at {address}, auth/{mount}, role {role!r} is refused "
            f"({on_one_line(str(error), 200)}); compare the role's bound claims and audiences with "
            "the pipeline's token"
        ) from None
    client.token = login["auth"]["client_token"]
    try:
        return subprocess.run(command, env=_environment(os.environ, client), check=False).returncode
    except FileNotFoundError:
        raise OperationError(f"there is no command {command[0]!r} on PATH") from None
    finally:
        # It ends by itself where Vault cannot be reached any more.
        with suppress(VaultError, requests.RequestException):
            client.auth.token.revoke_self()


def _environment(before: Mapping[str, str], client: hvac.Client) -> dict[str, str]:
    return {**before, "VAULT_TOKEN": str(client.token)}
