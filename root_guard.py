"""Keeps the root that a stack has from being replaced unnoticed."""

from collections.abc import Mapping
from typing import Any

import pulumi
from cryptography import x509

from components.root_checks import fingerprint
from components.root_profile import RootProfile
from root_settings import Root

ROOT_CERTIFICATE = "rootCertificate"
"""The stack's output that holds the root's certificate, PEM."""


class RootReplacementError(pulumi.RunError):
    """A plan would replace the root where that has to be meant; the message is a single line."""


def present_root() -> x509.Certificate | None:
    """The root that the stack has by its outputs, as the last update left them; None if none."""
    stack = "/".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()))
    # As a StackReference does it, without becoming a resource of the stack.
    answer: Mapping[str, Any] = pulumi.runtime.invoke(
        "pulumi:pulumi:readStackOutputs", {"name": stack}
    ).value
    certificate_pem = answer["outputs"].get(ROOT_CERTIFICATE)
    if certificate_pem is None:
        return None
    return x509.load_pem_x509_certificate(certificate_pem.encode())


def guard(root: Root, present: x509.Certificate | None, *, development: bool) -> None:
    """Says what it means where `root` is not the `present` one.

    Protection by the engine covers only what is a resource, and says what is to be replaced, not
    what that does to the mesh.

    Raises:
        RootReplacementError: it is not, outside development, and `root.replaces` does not name it.
    """
    if present is None:
        return
    changes = _changes(root, present)
    if not changes:
        return
    consequence = _consequence(present, "; ".join(changes))
    if development or root.replaces == fingerprint(present):
        pulumi.log.warn(consequence)
    else:
        raise RootReplacementError(
            f"{consequence}; put the configuration back, or set rootReplaces to "
            f"{fingerprint(present)} if that is meant"
        )


def warn_if_made_anew(
    present: x509.Certificate | None, certificate_pem: pulumi.Output[str]
) -> None:
    """Warns in a preview where `certificate_pem` is yet to be made though a root is `present`.

    It is when the source changes, or when what held the root is gone.
    """

    async def look() -> None:
        if present is not None and not await certificate_pem.is_known():
            pulumi.log.warn(_consequence(present, "it is made anew"))

    if pulumi.runtime.is_dry_run():
        looked: pulumi.Input[None] = look()
        # A program does not end before its outputs are known.
        pulumi.Output.from_input(looked)


def _changes(root: Root, present: x509.Certificate) -> list[str]:
    if root.certificate is None:
        return RootProfile.of(root.certificate_args).differences(present)
    configured = x509.load_pem_x509_certificate(root.certificate.encode())
    if configured == present:
        return []
    return [f"the new one is {_named(configured)}"]


def _consequence(present: x509.Certificate, changes: str) -> str:
    return (
        f"this plan replaces the root ({changes}): {_named(present)}, valid until "
        f"{present.not_valid_after_utc:%Y-%m-%d}, would sign no more, and workloads whose "
        "certificates chain to different roots refuse each other until all of them are renewed"
    )


def _named(certificate: x509.Certificate) -> str:
    return f"{certificate.subject.rfc4514_string()!r} (SHA-256 {fingerprint(certificate)})"
