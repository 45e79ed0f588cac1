"""The root of an environment, whichever its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import pulumi
import pulumi_vault as vault

from mesh_trust import ExternalRootPki, KnownRoot, RootCa, RootCaArgs, RootPki, RootPkiArgs
from mesh_trust.root_pki_args import FIRST
from mesh_trust.settings import Generation, Root, Settings

from .root_guard import RootGuard


@dataclass(frozen=True)
class RootOfTrust:
    """The root: what signs, and all generations that are trusted."""

    certificate_pem: pulumi.Output[str]
    """Its certificate, PEM."""
    ca_path: pulumi.Output[str]
    """API path of Vault, without `/v1`, at which intermediates are signed."""
    pki: RootPki | ExternalRootPki
    """Its mount, whether the program manages that or looks at it."""
    generations: Mapping[str, pulumi.Output[str]]
    """Certificates of all generations, PEM, by name; the one that signs is the first."""

    @property
    def trusted(self) -> Mapping[str, pulumi.Output[str]]:
        """The same where there are several; with one, it is trusted because it signs."""
        return self.generations if len(self.generations) > 1 else {}

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
    signing = settings.root.signing_name
    names = sorted(
        (each.name for each in settings.root.generations), key=lambda name: name != signing
    )
    return RootOfTrust(
        pki.certificate_pem, pki.ca_path, pki, {name: _certificate(pki, name) for name in names}
    )


def _certificate(pki: RootPki | ExternalRootPki, name: str) -> pulumi.Output[str]:
    if isinstance(pki, ExternalRootPki):
        return pki.certificate_pem
    return pki.root_certificates.apply(lambda certificates: certificates[name])


def _pki(settings: Settings, opts: pulumi.ResourceOptions) -> RootPki | ExternalRootPki:
    root = settings.root
    if root.source == "external":
        return ExternalRootPki(
            "root-pki",
            {
                "certificate_pem": root.certificate or "",
                "signing_mount": root.signing_mount or "",
                "accept_missing_key_usage": root.accept_missing_key_usage,
                "intermediate_lifetime_days": settings.root_signs_for_days,
            },
            opts=opts,
        )
    args: RootPkiArgs = {
        "mount_path": settings.names.root_mount,
        "intermediate_lifetime_days": settings.root_signs_for_days,
        "protect": not settings.development,
    }
    if root.signing_name != FIRST:
        args["signing_root"] = root.signing_name
    if root.source == "vault":
        return RootPki("root-pki", {**args, **_made_in_vault(root)}, opts=opts)
    args["accept_missing_key_usage"] = root.accept_missing_key_usage
    return RootPki("root-pki", {**args, **_known(settings)}, opts=opts)


def _made_in_vault(root: Root) -> RootPkiArgs:
    asked = {each.name: each.certificate_args for each in root.generations}
    args: RootPkiArgs = {}
    if FIRST in asked:
        args["generate"] = asked.pop(FIRST)
    if asked:
        args["further_generated"] = asked
    return args


def _known(settings: Settings) -> RootPkiArgs:
    root = settings.root
    known: dict[str, KnownRoot] = {}
    for generation in root.generations:
        if root.source == "imported" and generation.private_key is None:
            known[generation.name] = {"certificate_pem": generation.certificate or ""}
            continue
        # One that signs no more is to be given up some day.
        protect = not settings.development and generation.name == root.signing_name
        ca = _root_ca(root, generation, protect=protect)
        known[generation.name] = {
            "certificate_pem": ca.certificate_pem,
            "private_key_pem": ca.private_key_pem,
        }
    args: RootPkiArgs = {}
    if FIRST in known:
        args.update(cast(RootPkiArgs, known.pop(FIRST)))
    if known:
        args["further_roots"] = known
    return args


def _root_ca(root: Root, generation: Generation, *, protect: bool) -> RootCa:
    name = "root" if generation.name == FIRST else f"root-{generation.name}"
    if root.source == "generated":
        return RootCa(name, cast(RootCaArgs, {**generation.certificate_args, "protect": protect}))
    return RootCa(
        name,
        {
            "source": "imported",
            "certificate_pem": generation.certificate or "",
            "private_key_pem": generation.private_key or "",
            "accept_missing_key_usage": root.accept_missing_key_usage,
        },
    )
