"""What verify looks at where a stack installs Vault, and nothing else: its servers."""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from urllib.parse import urlsplit

from cryptography import x509

from mesh_trust.vault_install_args import servers_of

from ..about import About
from ..certificates import Thresholds
from ..cli import Project
from ..errors import OperationError
from ..finding import Finding
from ..runner import Check
from ..tls_chain import shown_chain
from ..unreachable import UnreachableError
from ..vault_client import asking
from .members import Member
from .named import Named
from .status import Seen, judged, look_at

VAULT = "Vault"
SERVERS = About("vault-servers", VAULT)
AUDIT = About("audit-device", VAULT)

_SECONDS = 10

Look = Callable[[], Sequence[Seen]]
"""How the servers do, looked at once."""


def stack_checks(project: Project, thresholds: Thresholds) -> dict[str, list[Check]]:
    """The checks of a stack that installs Vault, by subject.

    Raises:
        OperationError: it has not installed it yet, or the cluster cannot be asked.
    """
    stack = project.stack()
    if stack.outputs.get("vaultAddress") is None:
        raise OperationError(
            f"stack {stack.name} has installed no Vault yet, so that there is nothing to verify: "
            "run `pulumi up` first"
        )
    install = stack.settings.vault.install
    replicas = servers_of(install).replicas
    token = os.environ.get("VAULT_TOKEN", "")
    return server_checks(Named().members(project), replicas, token, thresholds)


def server_checks(
    members: Sequence[Member], replicas: int, token: str, thresholds: Thresholds
) -> dict[str, list[Check]]:
    """The checks of `members`, of which there are to be `replicas`.

    The audit devices are asked for with `token`, which may be empty.
    """
    # The second check asks the server that the first one has seen lead.
    seen = cache(partial(_seen, members))
    checks = {
        VAULT: [
            Check("vault-servers", partial(_servers, seen, replicas), is_needed=True),
            Check("audit-device", partial(_audit_device, seen, token)),
        ]
    }
    for member in members:
        about = f"{VAULT} at {member.address}"
        checks[about] = [
            Check("vault-server", partial(_server, member, about), is_needed=True),
            Check("vault-certificate", partial(_certificate, member, about, thresholds)),
        ]
    return checks


def _seen(members: Sequence[Member]) -> list[Seen]:
    with ThreadPoolExecutor(len(members)) as threads:
        return judged(list(threads.map(look_at, members)))


def _leaders(seen: Sequence[Seen]) -> list[Member]:
    return [each.member for each in seen if each.status is not None and each.status.is_leader]


def _servers(look: Look, replicas: int) -> Iterator[Finding]:
    """Whether they are one Vault, which somebody leads, and as many as they should be."""
    seen = look()
    if len(seen) != replicas:
        yield SERVERS.warning(
            f"there are {len(seen)} servers, and the configuration says {replicas}",
            "run `pulumi up`, or correct replicas in vaultInstall",
        )
    leaders = _leaders(seen)
    working = [each for each in seen if each.fault is None]
    if not leaders:
        yield SERVERS.failed(
            f"none of {len(seen)} servers leads, and {len(working)} of them are well",
            "see what is said of each of them",
        )
        return
    strangers = {each.status.cluster_id for each in seen if each.status and each.status.cluster_id}
    if len(leaders) > 1 or len(strangers) > 1:
        yield SERVERS.failed(
            f"they are not of one Vault: {', '.join(each.address for each in leaders)} lead",
            "see `mesh-trust vault status`",
        )
        return
    yield SERVERS.ok(f"{leaders[0].address} leads, {len(working)} of {len(seen)} servers are well")


def _server(member: Member, about: str) -> Iterator[Finding]:
    """Whether it answers, is initialised and unsealed, and knows who leads."""
    says, seen = About("vault-server", about), look_at(member)
    if seen.fault is not None or seen.status is None:
        yield says.failed(seen.fault or "it does not tell how it does", seen.fix or "see its log")
        return
    yield says.ok(f"it is unsealed, of version {seen.status.version}, {seen.status.role}")


def _certificate(member: Member, about: str, thresholds: Thresholds) -> Iterator[Finding]:
    """How long its certificate has left, which each server takes up by itself."""
    fix = (
        "run `pulumi up`, which renews it within certificateRenewalDays; where that was done, "
        "have this server read it: send Vault a SIGHUP"
    )
    what = "its certificate"
    yield thresholds.judge("vault-certificate", about, what, _shown(member), fix)


def _shown(member: Member) -> x509.Certificate:
    parts = urlsplit(member.address)
    host = str(parts.hostname)
    try:
        if member.transport is not None:
            with member.transport.connect() as forwarded:
                return shown_chain(forwarded, member.transport.server_name)[0]
        with socket.create_connection((host, parts.port or 443), _SECONDS) as connection:
            return shown_chain(connection, host)[0]
    except OSError as error:
        raise UnreachableError(
            f"no TLS connection comes about with {member.address} ({error.strerror or error})",
            "see that it runs, and read its log",
        ) from None


def _audit_device(look: Look, token: str) -> Iterator[Finding]:
    """Whether Vault writes down what it is asked."""
    if not token:
        yield AUDIT.warning(
            "not looked at, as VAULT_TOKEN is not set",
            "set it to the stack's token, and look again",
        )
        return
    leader = _leaders(look())[0]
    with asking("its audit devices"):
        devices = leader.client(token).sys.list_enabled_audit_devices()["data"]
    if not devices:
        yield AUDIT.failed(
            "there is none: nothing is written of what Vault is asked",
            "run `pulumi up` of the stack that sets the trust up, which makes it",
        )
        return
    yield AUDIT.ok(", ".join(f"{path} is a {each['type']}" for path, each in devices.items()))
