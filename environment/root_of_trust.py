"""The root of an environment, whichever its source."""

from dataclasses import dataclass
from typing import cast

import pulumi
import pulumi_vault as vault

from components import ExternalRootPki, RootCa, RootCaArgs, RootPki
from settings import Root, Settings

from .root_guard import RootGuard


@dataclass(frozen=True)
class RootOfTrust:
    """The root that signs."""

    certificate_pem: pulumi.Output[str]
    """Its certificate, PEM."""
    ca_path: pulumi.Output[str]
    """API path of Vault, without `/v1`, at which intermediates are signed."""
    pki: RootPki | ExternalRootPki
    """Its mount, whether the program manages that or looks at it."""

    @property
    def managed_mount_paths(self) -> list[pulumi.Output[str]]:
        """The mounts that the program manages: none where others do."""
        return [self.pki.mount_path] if isinstance(self.pki, RootPki) else []


def root_of_trust(settings: Settings, provider: vault.Provider, guard: RootGuard) -> RootOfTrust:
    """Registers the root, which `guard` keeps from replacing the present one unnoticed.

    Raises (when the outputs resolve):
        RootReplacementError: it would.
    """
    pki = _pki(settings, pulumi.ResourceOptions(providers=[provider]))
    guard.check_made(pki.certificate_pem)
    return RootOfTrust(pki.certificate_pem, pki.ca_path, pki)


def _pki(settings: Settings, opts: pulumi.ResourceOptions) -> RootPki | ExternalRootPki:
    root, protect = settings.root, not settings.development
    lifetime_days = settings.root_signs_for_days
    if root.source == "external":
        return ExternalRootPki(
            "root-pki",
            {
                "certificate_pem": root.certificate or "",
                "signing_mount": root.signing_mount or "",
                "accept_missing_key_usage": root.accept_missing_key_usage,
                "intermediate_lifetime_days": lifetime_days,
            },
            opts=opts,
        )
    if root.source == "vault":
        return RootPki(
            "root-pki",
            {
                "generate": root.certificate_args,
                "mount_path": settings.names.root_mount,
                "intermediate_lifetime_days": lifetime_days,
                "protect": protect,
            },
            opts=opts,
        )
    ca = _root_ca(root, protect=protect)
    return RootPki(
        "root-pki",
        {
            "certificate_pem": ca.certificate_pem,
            "private_key_pem": ca.private_key_pem,
            "accept_missing_key_usage": root.accept_missing_key_usage,
            "mount_path": settings.names.root_mount,
            "intermediate_lifetime_days": lifetime_days,
            "protect": protect,
        },
        opts=opts,
    )


def _root_ca(root: Root, *, protect: bool) -> RootCa:
    if root.source == "generated":
        return RootCa("root", cast(RootCaArgs, {**root.certificate_args, "protect": protect}))
    return RootCa(
        "root",
        {
            "source": "imported",
            "certificate_pem": root.certificate or "",
            "private_key_pem": root.private_key or "",
            "accept_missing_key_usage": root.accept_missing_key_usage,
        },
    )
