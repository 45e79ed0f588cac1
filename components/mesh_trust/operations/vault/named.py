"""Which servers a command is for: at addresses, in a cluster, or the stack's."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mesh_trust import InvalidInputError
from mesh_trust.validation import require_server_address
from mesh_trust.vault_install_args import NAMESPACE
from mesh_trust.vault_session import is_loopback

from ..cli import Project
from ..errors import OperationError
from ..stack import Stack
from ..vault_client import vault_address
from .installed import Installation, servers_of
from .members import Member

_WITH_PODS = ("standalone", "ha")
"""Modes of an installation whose servers are initialised and unsealed one by one."""
_CA_OUTPUT = "vaultCaCertificate"
"""Output of the stack: CA certificates that its Vault's own chains to, PEM."""


@dataclass(frozen=True)
class Named:
    """What the options of a command say of them; the stack's, where they say nothing."""

    addresses: tuple[str, ...] = ()
    ca_file: Path | None = None
    context: str | None = None
    namespace: str | None = None
    release: str | None = None

    def members(self, project: Project) -> tuple[Member, ...]:
        """The servers.

        Raises:
            OperationError: an option is not valid, the stack names none, or the cluster cannot be
                asked for them.
        """
        self._require_one_way()
        if self.addresses:
            return self._at_addresses()
        if self.context is not None:
            installation = Installation.named(self.context, self.namespace, self.release)
            return self._in_cluster(
                installation, Member("", self.ca_file, named_by=installation.options)
            )
        return self._of_stack(project)

    def _require_one_way(self) -> None:
        if self.addresses and self.context is not None:
            raise OperationError(
                f"context: {self.context!r} is not valid with --address; give one of the two"
            )
        for option, value in (("namespace", self.namespace), ("release", self.release)):
            if value is not None and self.context is None:
                raise OperationError(
                    f"{option}: {value!r} is not valid without --context; name the cluster as well"
                )

    def _at_addresses(self) -> tuple[Member, ...]:
        try:
            for address in self.addresses:
                require_server_address("address", address, allow_http=is_loopback(address))
        except InvalidInputError as error:
            raise OperationError(str(error)) from None
        return _readable(dict.fromkeys(Member(each, self.ca_file) for each in self.addresses))

    def _in_cluster(self, installation: Installation, like: Member) -> tuple[Member, ...]:
        """Its pods, in all else `like` that one."""
        given = () if self.ca_file is None else (f"--ca-file {self.ca_file}",)
        named_by = (*(like.named_by or ()), *given)
        return _readable(
            replace(like, address=each.address, transport=each.transport, named_by=named_by)
            for each in servers_of(installation)
        )

    def _of_stack(self, project: Project) -> tuple[Member, ...]:
        stack = project.stack()
        vault = stack.settings.vault
        ca_file = self.ca_file or vault.ca_file
        installation = _installation(stack)
        if installation is not None:
            like = Member("", ca_file or _kept(stack), vault.namespace, stack=project.stack_name)
            return self._in_cluster(installation, like)
        found = vault_address(stack)
        if found is None:
            raise OperationError(
                "the stack has no Vault yet: run `pulumi up` first, or name the servers with "
                "--address"
            )
        return (Member(found, ca_file, vault.namespace),)


def _installation(stack: Stack) -> Installation | None:
    """The one that the stack installs, where its servers are reached as pods."""
    vault, management = stack.settings.vault, stack.settings.management
    if vault.install["mode"] not in _WITH_PODS or management is None:
        return None
    return Installation(management, vault.install.get("namespace", NAMESPACE))


def _kept(stack: Stack) -> Path | None:
    """A file with the CA that the stack has made for its Vault, for as long as the command runs."""
    certificate = stack.outputs.get(_CA_OUTPUT)
    if not isinstance(certificate, str):
        return None
    folder = tempfile.TemporaryDirectory(prefix="mesh-trust-")
    file = Path(click.get_current_context().with_resource(folder)) / "ca.crt"
    file.write_text(certificate)
    return file


def _readable(members: Iterable[Member]) -> tuple[Member, ...]:
    """The same, once the file of their CA was read.

    Raises:
        OperationError: it cannot be read.
    """
    found = tuple(members)
    try:
        found[0].ca_certificate  # noqa: B018 - whether it can be read
    except (InvalidInputError, UnicodeDecodeError) as error:
        raise OperationError(str(error)) from None
    return found
