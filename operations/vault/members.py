"""Vault's servers, each asked by itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from hvac.exceptions import VaultError

from components import InvalidInputError
from components.files import content_of
from components.readiness import on_one_line
from components.validation import require_server_address
from components.vault_health import health_obstacle
from components.vault_session import REQUEST_SECONDS, is_loopback, vault_client

from ..cli import Project
from ..errors import OperationError
from ..vault_client import vault_address

_ANSWERS = ("uninitialised", "sealed")
"""Kinds of obstacle that a Vault has which answers all the same."""


@dataclass(frozen=True)
class Member:
    """One server of a Vault."""

    address: str
    ca_file: Path | None = None
    """PEM file of the CA that its certificate chains to; None: the system's."""
    namespace: str | None = None
    """Namespace of Vault Enterprise that the stack is in."""

    @property
    def options(self) -> str:
        """Those of a command that names it."""
        ca_file = "" if self.ca_file is None else f" --ca-file {self.ca_file}"
        return f"--address {self.address}{ca_file}"

    def client(self, token: str = "", seconds: int = REQUEST_SECONDS) -> Any:
        """A client with `token`, by default with none; asks nothing yet."""
        namespace = self.namespace if token else None
        return vault_client(self.address, token, self.ca_file, namespace, seconds)

    @property
    def ca_certificate(self) -> str | None:
        """Content of `ca_file`.

        Raises:
            InvalidInputError: it cannot be read.
        """
        return None if self.ca_file is None else content_of("ca-file", self.ca_file).decode()

    def unreachable(self) -> tuple[str, str] | None:
        """Why it cannot be asked, and what to do; None when it can."""
        obstacle = health_obstacle(self.address, self.ca_certificate)
        if obstacle is None or obstacle.kind in _ANSWERS:
            return None
        return obstacle.reason, obstacle.advice


def members_of(
    project: Project, addresses: Sequence[str], ca_file: Path | None
) -> tuple[Member, ...]:
    """The servers at `addresses`, or where none are given the stack's.

    Raises:
        OperationError: an address or the file of the CA is not valid, or the stack names none.
    """
    if addresses:
        try:
            for address in addresses:
                require_server_address("address", address, allow_http=is_loopback(address))
            found = tuple(dict.fromkeys(Member(each, ca_file) for each in addresses))
            found[0].ca_certificate  # noqa: B018 - whether it can be read
        except (InvalidInputError, UnicodeDecodeError) as error:
            raise OperationError(str(error)) from None
        return found
    stack = project.stack()
    found_address = vault_address(stack)
    if found_address is None:
        raise OperationError(
            "the stack has no Vault yet: run `pulumi up` first, or name the servers with --address"
        )
    vault = stack.settings.vault
    return (Member(found_address, ca_file or vault.ca_file, vault.namespace),)


def require_reachable(members: Sequence[Member]) -> None:
    """Looks whether all of them can be asked.

    Raises:
        OperationError: one cannot.
    """
    for member in members:
        unreachable = member.unreachable()
        if unreachable is not None:
            raise OperationError(": ".join(unreachable))


def require_private(members: Sequence[Member]) -> None:
    """Looks whether secrets can be sent to them.

    Raises:
        OperationError: everybody on the way could read them.
    """
    for member in members:
        if urlsplit(member.address).scheme == "http" and not is_loopback(member.address):
            raise OperationError(
                f"address: {member.address!r} is not valid; use https: keys and tokens would "
                "travel in clear"
            )


@contextmanager
def asking(member: Member, what: str) -> Iterator[None]:
    """Asks `member` to do `what`, as a sentence names it.

    Raises:
        OperationError: it does not answer, or refuses.
    """
    try:
        yield
    except VaultError as error:
        # Vault's own words hold nothing of what was sent.
        said = "; ".join(map(str, error.errors or ())) or str(error)
        raise OperationError(
            f"Vault at {member.address} does not {what}: {on_one_line(said, 200)}"
        ) from None
    except requests.exceptions.RequestException as error:
        raise OperationError(
            f"Vault at {member.address} does not answer when asked to {what} "
            f"({on_one_line(str(error), 150)}): see that it runs, and run this again"
        ) from None
