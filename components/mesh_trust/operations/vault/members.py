"""Vault's servers, each asked by itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from hvac.exceptions import VaultError

from mesh_trust.files import content_of
from mesh_trust.readiness import on_one_line
from mesh_trust.vault_health import health_obstacle
from mesh_trust.vault_session import REQUEST_SECONDS, is_loopback, vault_client

from ..errors import OperationError
from .forwarding import ForwardedTransport

_ANSWERS = ("uninitialised", "sealed")
"""Kinds of obstacle that a Vault has which answers all the same."""
INIT = "init --keys-file FILE --token-file FILE"
"""The command that initialises them, before the options that name them."""
_ON_THE_WAY = ("address", "certificate", "tls")
"""Kinds of obstacle that are in the connection and not in Vault."""


@dataclass(frozen=True)
class Member:
    """One server of a Vault."""

    address: str
    """As the other servers reach it, and this machine unless there is a `transport`."""
    ca_file: Path | None = None
    """PEM file of the CA that its certificate chains to; None: the system's."""
    namespace: str | None = None
    """Namespace of Vault Enterprise that the stack is in."""
    transport: ForwardedTransport | None = field(default=None, compare=False, repr=False)
    """How this machine reaches it, where it is a pod that is not to be had otherwise."""
    named_by: tuple[str, ...] | None = None
    """Options of a command that name all servers of its Vault; None: its address names it."""
    stack: str | None = None
    """The stack that names it, for a command that would take another one."""

    @property
    def options(self) -> tuple[str, ...]:
        """Those of a command that names it."""
        if self.named_by is not None:
            return self.named_by
        own = f"--address {self.address}"
        return (own,) if self.ca_file is None else (own, f"--ca-file {self.ca_file}")

    def client(self, token: str = "", seconds: int = REQUEST_SECONDS) -> Any:
        """A client with `token`, by default with none; asks nothing yet."""
        namespace = self.namespace if token else None
        return vault_client(self.address, token, self.ca_file, namespace, seconds, self.transport)

    @property
    def ca_certificate(self) -> str | None:
        """Content of `ca_file`.

        Raises:
            InvalidInputError: it cannot be read.
        """
        return None if self.ca_file is None else content_of("ca-file", self.ca_file).decode()

    def unreachable(self) -> tuple[str, str] | None:
        """Why it cannot be asked, and what to do; None when it can."""
        obstacle = health_obstacle(self.address, self.ca_certificate, self.transport)
        if obstacle is None or obstacle.kind in _ANSWERS:
            return None
        if self.transport is None or obstacle.kind not in _ON_THE_WAY:
            return obstacle.reason, obstacle.advice
        if self.transport.fault is not None:
            return str(self.transport.fault), self.transport.fault.fix
        if obstacle.kind == "certificate":
            return obstacle.reason, "give the CA that it chains to with --ca-file"
        port = self.transport.port
        see = f"see that it runs: `{port.logs('vault')}`"
        # Of a port that nobody serves, the node tells beside the connection, which just ends.
        if obstacle.kind == "tls" and not port.told:
            return (
                obstacle.reason,
                f"{see}; and that its certificate holds for the pod's name behind the headless "
                "Service, which is the one in that address",
            )
        told = on_one_line(port.told or obstacle.reason, 200)
        return f"Vault does not answer in pod {port.namespace}/{port.pod} ({told})", see


def command_for(verb: str, *members: Member) -> str:
    """`mesh-trust vault ...` with the options that name `members`, in backquotes."""
    options = dict.fromkeys(option for each in members for option in each.options)
    stack = () if members[0].stack is None else ("--stack", members[0].stack)
    return f"`{' '.join(('mesh-trust', *stack, 'vault', verb, *options))}`"


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
