"""Keeps the root that a stack has from being replaced unnoticed.

Protection by the engine covers only what is a resource, and says what would be replaced, not what
that does to the mesh.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pulumi
from cryptography import x509

from mesh_trust import InvalidInputError
from mesh_trust.root_checks import fingerprint, is_same_ca, named
from mesh_trust.root_pki_args import FIRST
from mesh_trust.root_profile import RootProfile
from mesh_trust.settings import Generation, Root
from mesh_trust.warning import warn

from .present_roots import PresentRoot, present_roots


class RootReplacementError(pulumi.RunError):
    """A plan would replace the root where that has to be meant; the message is a single line."""


@dataclass(frozen=True)
class RootGuard:
    """What the stack's root is, and whether another may take its place."""

    present: x509.Certificate | None
    """The root that signs by the stack's outputs, as the last update left them."""
    replaceable: bool
    """Whether to warn only."""
    generations: Mapping[str, PresentRoot] = field(default_factory=dict)
    """All that are trusted by these outputs, by name."""

    @classmethod
    def of(cls, root: Root, *, development: bool) -> "RootGuard":
        """The guard for `root`, which may replace any in development, else the one it names.

        Raises:
            OutputsUnreadableError: it cannot be told what there is.
        """
        generations = present_roots()
        present = next((each.certificate for each in generations.values() if each.signing), None)
        is_meant = present is not None and root.replaces == fingerprint(present)
        return cls(present, development or is_meant, generations)

    def check(self, root: Root) -> "RootGuard":
        """Whether `root` is the present one, or the first, as far as configuration can tell.

        Another generation may sign in its place once it is trusted, while the present one stays
        trusted. Gives the guard for what is left to look at: nothing, where it was said already.

        Raises:
            InvalidInputError: it is the present one in another certificate, which cannot work.
            RootReplacementError: it is not, and the present one is not to be replaced; or others
                would go and come in one plan.
        """
        if self.present is None:
            return self
        for place, generation in enumerate(root.generations):
            first = generation.name == FIRST
            key = "rootCertificate" if first else f"rootGenerations[{place}].certificate"
            for known in self.generations.values():
                _require_new_key_or_name(root, key, generation, known.certificate)
        changes = self._changes(root)
        if not changes:
            self._check_exchange(root)
            return self
        self._object(self.present, "; ".join(changes))
        return replace(self, present=None)

    def check_made(self, certificate_pem: pulumi.Output[str]) -> None:
        """Looks in a preview whether `certificate_pem` is yet to be made, though a root is present.

        It is when the source changes, or when what held the root is gone.

        Raises (when the output resolves):
            RootReplacementError: it is, and the present one is not to be replaced.
        """

        async def look() -> None:
            if self.present is not None and not await certificate_pem.is_known():
                self._object(self.present, "it would be made anew")

        if pulumi.runtime.is_dry_run():
            looked: pulumi.Input[None] = look()
            # A program does not end before its outputs are known.
            pulumi.Output.from_input(looked)

    def retired(self, root: Root) -> list[PresentRoot]:
        """The generations that are trusted by now, and would be no more, none of them signing."""
        configured = {each.name: each for each in root.generations}
        return [
            each
            for each in self.generations.values()
            if not each.signing
            and (
                each.name not in configured or _differences(configured[each.name], each.certificate)
            )
        ]

    def _changes(self, root: Root) -> list[str]:
        """In words, why the root that signs would be replaced."""
        present = next(each for each in self.generations.values() if each.signing)
        if root.signing_name == present.name:
            return _differences(root.signing, present.certificate)
        trusted = self.generations.get(root.signing_name)
        if trusted is None:
            return [f"generation {root.signing_name} would sign before anyone trusts it"]
        changes = _differences(root.signing, trusted.certificate)
        left = next((each for each in root.generations if each.name == present.name), None)
        if left is None:
            changes.append(f"generation {present.name} would be trusted no more")
        else:
            changes += _differences(left, present.certificate)
        return changes

    def _check_exchange(self, root: Root) -> None:
        """Checks that no generation comes in the plan in which one goes.

        istiod takes no bundle of roots while it runs that neither contains the one of before nor is
        contained in it (docs/istiod-agent.md).
        """
        gone = [each.name for each in self.retired(root)]
        come = [
            each.name
            for each in root.generations
            if each.name not in self.generations
            or _differences(each, self.generations[each.name].certificate)
        ]
        if not gone or not come:
            return
        old, new = " and ".join(gone), " and ".join(come)
        consequence = (
            f"this plan exchanges roots that do not sign (generation {old} would go, and {new} "
            "come), and no istiod takes that while it runs"
        )
        if not self.replaceable:
            raise RootReplacementError(
                f"{consequence}; take out {old} first, and add {new} with another update, when "
                "`mesh-trust rotate plan` has no warning of trusted-roots any more"
            )
        warn(consequence)

    def _object(self, present: x509.Certificate, why: str) -> None:
        consequence = (
            f"this plan replaces the root ({why}): {named(present)}, valid until "
            f"{present.not_valid_after_utc:%Y-%m-%d}, would sign no more, and workloads whose "
            "certificates chain to different roots refuse each other until all of them are renewed"
        )
        if not self.replaceable:
            raise RootReplacementError(
                f"{consequence}; change the root in three steps with rootGenerations "
                "(docs/root-rotation.md), put back what was changed, or set rootReplaces to "
                f"{fingerprint(present)} if that is meant"
            )
        warn(consequence)


def _differences(generation: Generation, present: x509.Certificate) -> list[str]:
    if generation.certificate is None:
        differences = RootProfile.of(generation.certificate_args).differences(present)
        return [f"it has {', '.join(differences)}"] if differences else []
    configured = x509.load_pem_x509_certificate(generation.certificate.encode())
    return [] if configured == present else [f"by {named(configured)}"]


def _require_new_key_or_name(
    root: Root, key: str, generation: Generation, present: x509.Certificate
) -> None:
    """Checks that an imported root has not both the key and the name of another certificate.

    The former root stays in the mount, and Vault signs with neither of two such certificates there:
    "certificate 2 of certificate chain ca trust path is incorrect" (seen in 1.13.1).
    """
    if root.source != "imported" or generation.certificate is None:
        return
    configured = x509.load_pem_x509_certificate(generation.certificate.encode())
    if configured != present and is_same_ca(configured, present):
        raise InvalidInputError(
            key,
            configured.subject.rfc4514_string(),
            "bring a root with a new key, or with another name: it has those of the present root "
            f"(SHA-256 {fingerprint(present)}), and Vault does not sign where a mount has two "
            "certificates of one key and name",
        )
