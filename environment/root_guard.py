"""Keeps the root that a stack has from being replaced unnoticed.

Protection by the engine covers only what is a resource, and says what would be replaced, not what
that does to the mesh.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from cryptography import x509

from components import InvalidInputError
from components.provider_errors import said_by_provider
from components.root_checks import fingerprint, is_same_ca
from components.root_profile import RootProfile
from settings import Root

ROOT_CERTIFICATE = "rootCertificate"
"""The stack's output that holds the root's certificate, PEM."""

_WRITING_SECONDS = 10
_PAUSE_SECONDS = 0.1


class RootReplacementError(pulumi.RunError):
    """A plan would replace the root where that has to be meant; the message is a single line."""


class OutputsUnreadableError(pulumi.RunError):
    """The engine does not tell the stack's outputs; the message is a single line."""


@dataclass(frozen=True)
class RootGuard:
    """What the stack's root is, and whether another may take its place."""

    present: x509.Certificate | None
    """The root that the stack has by its outputs, as the last update left them."""
    replaceable: bool
    """Whether to warn only."""

    @classmethod
    def of(cls, root: Root, *, development: bool) -> "RootGuard":
        """The guard for `root`, which may replace any in development, else the one it names.

        Raises:
            OutputsUnreadableError: it cannot be told what there is.
        """
        present = _present_root()
        named = present is not None and root.replaces == fingerprint(present)
        return cls(present, development or named)

    def check(self, root: Root) -> "RootGuard":
        """Whether `root` is the present one, or the first, as far as configuration can tell.

        Gives the guard for what is left to look at: nothing, where it was said already.

        Raises:
            InvalidInputError: it is the present one in another certificate, which cannot work.
            RootReplacementError: it is not, and the present one is not to be replaced.
        """
        if self.present is None:
            return self
        _require_new_key_or_name(root, self.present)
        changes = _changes(root, self.present)
        if not changes:
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

    def _object(self, present: x509.Certificate, why: str) -> None:
        consequence = (
            f"this plan replaces the root ({why}): {_named(present)}, valid until "
            f"{present.not_valid_after_utc:%Y-%m-%d}, would sign no more, and workloads whose "
            "certificates chain to different roots refuse each other until all of them are renewed"
        )
        if not self.replaceable:
            raise RootReplacementError(
                f"{consequence}; put back what was changed, or set rootReplaces to "
                f"{fingerprint(present)} if that is meant"
            )
        pulumi.log.warn(consequence)


def _present_root() -> x509.Certificate | None:
    certificate_pem = _stack_outputs().get(ROOT_CERTIFICATE)
    if certificate_pem is None:
        return None
    return x509.load_pem_x509_certificate(certificate_pem.encode())


def _stack_outputs() -> Mapping[str, Any]:
    stack = "/".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()))
    # In an update the engine writes the state now and then, and a file that is being written
    # cannot be read.
    deadline = time.monotonic() + (0 if pulumi.runtime.is_dry_run() else _WRITING_SECONDS)
    while True:
        try:
            # As a StackReference does it, without becoming a resource of the stack.
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": stack})
        except pulumi.RunError:
            # The engine itself is at its end.
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
            if time.monotonic() >= deadline:
                raise OutputsUnreadableError(
                    f"the outputs of {stack} cannot be read, which tell the present root "
                    f"({said_by_provider(error)}); see whether "
                    f"`pulumi stack output --stack {stack}` reads them"
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            outputs: Mapping[str, Any] = answer.value["outputs"]
            return outputs


def _changes(root: Root, present: x509.Certificate) -> list[str]:
    if root.certificate is None:
        differences = RootProfile.of(root.certificate_args).differences(present)
        return [f"it has {', '.join(differences)}"] if differences else []
    configured = x509.load_pem_x509_certificate(root.certificate.encode())
    return [] if configured == present else [f"by {_named(configured)}"]


def _require_new_key_or_name(root: Root, present: x509.Certificate) -> None:
    """Checks that an imported root has not both the key and the name of another certificate.

    The former root stays in the mount, and Vault signs with neither of two such certificates there:
    "certificate 2 of certificate chain ca trust path is incorrect" (seen in 1.13.1).
    """
    if root.source != "imported" or root.certificate is None:
        return
    configured = x509.load_pem_x509_certificate(root.certificate.encode())
    if configured != present and is_same_ca(configured, present):
        raise InvalidInputError(
            "rootCertificate",
            configured.subject.rfc4514_string(),
            "bring a root with a new key, or with another name: it has those of the present root "
            f"(SHA-256 {fingerprint(present)}), and Vault does not sign where a mount has two "
            "certificates of one key and name",
        )


def _named(certificate: x509.Certificate) -> str:
    return f"{certificate.subject.rfc4514_string()!r} (SHA-256 {fingerprint(certificate)})"
