"""Asks a Vault, without a token, whether it can be worked with."""

import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .readiness import Obstacle, on_one_line
from .vault_commands import VaultCommands
from .vault_session import vault_session

if TYPE_CHECKING:
    from requests.adapters import BaseAdapter

REQUEST_SECONDS = 5
"""How long Vault may take for an answer."""

# What /v1/sys/health answers with beside 200, as Vault's API documentation lists it.
_STANDBY = (429, 473)
_DISASTER_RECOVERY_SECONDARY = 472
_NOT_INITIALISED = 501
_SEALED = 503

TOO_OLD = "too old"
"""The kind of obstacle that only another version of Vault takes away."""

# The first that holds several issuers in one mount, and lets the default one be chosen.
MINIMUM_VERSION = (1, 11)


def health_obstacle(
    address: str,
    ca_certificate: str | None,
    transport: "BaseAdapter | None" = None,
    commands: VaultCommands | None = None,
) -> Obstacle | None:
    """Why the Vault at `address` cannot be worked with; None when it can.

    A standby counts as ready, since it passes requests on. `ca_certificate` holds the CA
    certificates that Vault's own has to chain to, PEM; None means the system's. `transport` as in
    `vault_session`; `commands` are those for this Vault, where more is known than its address.
    """
    # Imported here: a program that waits for nothing starts faster without it.
    import requests
    from urllib3.exceptions import HTTPError

    if commands is None:
        commands = VaultCommands.at(address, None if ca_certificate is None else "FILE")
    try:
        status, version = _health(address, ca_certificate, transport)
    except requests.exceptions.SSLError as error:
        return _tls_obstacle(address, ca_certificate, error)
    except (requests.exceptions.RequestException, HTTPError) as error:
        return Obstacle(
            "address",
            f"Vault does not answer at {address} ({on_one_line(innermost(error), 150)})",
            "see that it runs, and that this machine gets to it through name, route and firewall: "
            f"`curl -v {address}/v1/sys/health`; no server behind a Service may be unsealed: "
            f"{commands.status_of_the_silent}",
        )
    return _version_obstacle(address, version) or _status_obstacle(address, status, commands)


def _status_obstacle(address: str, status: int, commands: VaultCommands) -> Obstacle | None:
    if status == HTTPStatus.OK or status in _STANDBY:
        return None
    if status == _NOT_INITIALISED:
        return Obstacle(
            "uninitialised",
            f"Vault at {address} is not initialised",
            f"run {commands.initialise}",
        )
    if status == _SEALED:
        return Obstacle(
            "sealed",
            f"Vault at {address} is sealed",
            f"run {commands.unseal}",
        )
    if status == _DISASTER_RECOVERY_SECONDARY:
        return Obstacle(
            "secondary",
            f"Vault at {address} is a disaster recovery secondary, which takes no changes",
            "give the address of its primary",
            patience_seconds=0,
        )
    return Obstacle(
        "not Vault",
        f"{address}/v1/sys/health answers {status}, as no Vault does",
        "see that the address is Vault's own, with https where Vault serves it",
    )


def _version_obstacle(address: str, version: str) -> Obstacle | None:
    # What passes on another Vault's answer may tell no version, which is nothing against it.
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) >= MINIMUM_VERSION:
        return None
    wanted = ".".join(map(str, MINIMUM_VERSION))
    return Obstacle(
        TOO_OLD,
        f"Vault at {address} is of version {version}, and a mount holds several issuers from "
        f"{wanted} on only",
        "upgrade it, or give the address of another",
        patience_seconds=0,
    )


def _tls_obstacle(address: str, ca_certificate: str | None, error: Exception) -> Obstacle:
    cause = _innermost_error(error)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return Obstacle(
            "tls",
            f"no TLS connection comes about with {address} ({on_one_line(innermost(error), 150)})",
            "use http where Vault serves plain HTTP",
        )
    trusted = "the system's certificates" if ca_certificate is None else "the CA that is given"
    return Obstacle(
        "certificate",
        f"the certificate of {address} does not hold against {trusted} "
        f"({on_one_line(cause.verify_message)})",
        "give the CA that Vault's certificate chains to, and an address that is in it: "
        f"`openssl s_client -showcerts -connect {_host_and_port(address)}`",
        patience_seconds=0,
    )


def _health(
    address: str, ca_certificate: str | None, transport: "BaseAdapter | None"
) -> tuple[int, str]:
    """The status of the answer, and Vault's version, empty where that is not told."""
    import hvac

    with (
        ca_file_of(ca_certificate) as ca_file,
        vault_session(address, ca_file, transport) as session,
    ):
        client = hvac.Client(
            url=address,
            token="",  # hvac would send the one of the shell
            session=session,
            timeout=REQUEST_SECONDS,
            adapter=hvac.adapters.RawAdapter,
        )
        answer = client.sys.read_health_status(standby_ok=True, method="GET")
        try:
            version = str(answer.json()["version"])
        except (ValueError, KeyError, TypeError):
            version = ""
        return answer.status_code, version


@contextmanager
def ca_file_of(ca_certificate: str | None) -> Iterator[Path | None]:
    """A file with `ca_certificate`, for as long as it is used; None for none."""
    if ca_certificate is None:
        yield None
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(ca_certificate)
        file.flush()
        yield Path(file.name)


def _host_and_port(address: str) -> str:
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port or (80 if parts.scheme == 'http' else 443)}"


def innermost(error: BaseException) -> str:
    """What the innermost of nested errors says, without the names of classes around it."""
    cause = _innermost_error(error)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__


def _innermost_error(error: BaseException) -> BaseException:
    while True:
        inner = getattr(error, "reason", None)
        nested = [each for each in (inner, *error.args) if isinstance(each, BaseException)]
        following = nested[0] if nested else error.__cause__
        if following is None:
            return error
        error = following
