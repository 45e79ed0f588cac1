"""Keeps a generation of the root from being given up while something still chains to it."""

from collections.abc import Sequence
from typing import Any

import pulumi

from mesh_trust import VaultInstall
from mesh_trust.live_certificates import (
    CertificatesUnreadableError,
    LiveCertificate,
    live_certificates,
)
from mesh_trust.readiness import in_thread
from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import Settings
from mesh_trust.vault_session import vault_client

from .present_roots import PresentRoot

_SHOWN = 3


class RetirementError(pulumi.RunError):
    """A generation is still in use, or it cannot be told; the message is a single line."""


def once_retirable(
    settings: Settings, retired: Sequence[PresentRoot], install: VaultInstall
) -> pulumi.Output[str]:
    """The address of Vault, once it is found that the generations `retired` may go.

    What is written in Vault or says where it is waits for that address. A preview looks as well,
    but for a Vault that is yet to be installed.

    Raises (a Vault that is there; else when the output resolves):
        RetirementError: one may not, or Vault does not tell.
    """
    asked = [each for each in retired if fingerprint(each.certificate) != settings.root.retires]
    if not asked:
        return install.address
    address = settings.vault.install.get("address")
    if isinstance(address, str):
        _require_retirable(settings, asked, address, None)
        return install.address

    async def checked(found: str, token: str | None) -> str:
        await in_thread(lambda: _require_retirable(settings, asked, found, token))
        return found

    # Only looked with: an address is no secret because a token is one.
    token = pulumi.Output.unsecret(install.root_token)
    return pulumi.Output.all(install.address, token).apply(lambda known: checked(*known))


def _require_retirable(
    settings: Settings, retired: Sequence[PresentRoot], address: str, token: str | None
) -> None:
    # No token is VAULT_TOKEN, or what `vault login` has left.
    client = vault_client(address, token, settings.vault.ca_file, settings.vault.namespace)
    for each in retired:
        override = f"set rootRetires to {fingerprint(each.certificate)}"
        try:
            living = live_certificates(
                client, each.certificate, settings.names.root_mount, settings.cluster_ca_mounts
            )
        except CertificatesUnreadableError as error:
            raise RetirementError(
                f"whether root generation {each.name} may go cannot be told: {error}, or "
                f"{override} if nothing chains to it"
            ) from None
        if living:
            raise RetirementError(_still_in_use(settings, each, living, override))


def _still_in_use(
    settings: Settings, root: PresentRoot, living: Sequence[LiveCertificate], override: str
) -> str:
    # Those that last longest are the ones to know.
    shown = [_shown(settings, each) for each in reversed(living)][:_SHOWN]
    more = f" and {len(living) - _SHOWN} more" if len(living) > _SHOWN else ""
    is_one = len(living) == 1
    return (
        f"root generation {root.name} is still in use: {len(living)} "
        f"certificate{'' if is_one else 's'} below it {'is' if is_one else 'are'} neither expired "
        f"nor revoked: {', '.join(shown)}{more}; have the clusters ask for new intermediates and "
        "renew their workloads, then revoke these (`vault write "
        f"{living[-1].mount_path}/revoke serial_number=…`), or {override} if nothing runs on them "
        "any more"
    )


def _shown(settings: Settings, live: LiveCertificate) -> str:
    certificate = live.certificate
    subject = certificate.subject.rfc4514_string()
    cluster = _cluster_of(settings, live, subject)
    of = "" if cluster is None else f"cluster {cluster}, "
    ends = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    return f"{subject!r} ({of}serial {live.serial}, until {ends})"


def _cluster_of(settings: Settings, live: LiveCertificate, subject: str) -> str | None:
    """The cluster by its own CA, or by the name of the certificate where that has it."""
    words: Any = subject.replace("=", ".").replace(",", ".").split(".")
    for cluster in settings.clusters:
        own = settings.access.signing_ca == "cluster" and live.mount_path == cluster.names.ca_mount
        if own or cluster.name in words:
            return cluster.name
    return None
