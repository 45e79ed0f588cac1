"""The arguments of a RootPki: which roots, and which of them signs."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from .root_issuers import KnownRoot
from .root_profile import RootCertificateArgs
from .validation import InvalidInputError, require_dns_label

FIRST = "first"
"""Stands among the names of further roots for the root that is none of them."""


class RootPkiArgs(TypedDict):
    """The root to import or to have made, and how long what it signs may live."""

    certificate_pem: NotRequired[pulumi.Input[str]]
    """Certificate of the root to import, PEM."""
    private_key_pem: NotRequired[pulumi.Input[str]]
    """Private key of the root to import, PEM, unencrypted; treated as secret."""
    generate: NotRequired[RootCertificateArgs]
    """In place of these two: a root that Vault makes, and whose key never leaves it."""
    accept_missing_key_usage: NotRequired[bool]
    """Whether an imported certificate without any key usage passes, as `openssl req -x509` makes
    it by itself; false when absent."""
    further_roots: NotRequired[Mapping[str, KnownRoot]]
    """Further generations of the root, each by a name that stays its own, an RFC 1123 label but
    `first`: they are in the mount too, and kept from signing."""
    further_generated: NotRequired[Mapping[str, RootCertificateArgs]]
    """Further generations that Vault makes, each by a name likewise; kept from signing, too."""
    signing_root: NotRequired[str]
    """Name of the further root that signs in place of the one above; that one, which is called
    `first`, when absent."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime of the intermediates in days, as the mesh asks for it; 365 when absent (Gloo's own
    default, `intermediateCertOptions.ttlDays`). It is what they get and, unless Vault made the
    root, the most they may ask for. Untuned, Vault would cut them to 32 days without a word."""
    mount_path: NotRequired[str]
    """Path of the mount; `pki` when absent."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the mount, and a root that Vault made in it;
    true when absent."""


def check_which_sign(args: RootPkiArgs, signing_root: str) -> None:
    """Checks the names of the roots, and that the one which signs can.

    Raises:
        InvalidInputError: a name is not usable or taken, or `signing_root` cannot sign.
    """
    further_roots = args.get("further_roots", {})
    further_generated = args.get("further_generated", {})
    for field, names in (
        ("further_roots", further_roots),
        ("further_generated", further_generated),
    ):
        for root_name in names:
            require_dns_label(field, root_name)
            if root_name == FIRST:
                raise InvalidInputError(field, FIRST, "use another name: it is the first root's")
    for root_name in further_generated:
        if root_name in further_roots:
            fix = "use another name: one of further_roots has it"
            raise InvalidInputError("further_generated", root_name, fix)
    if "generate" in args:
        for field in ("certificate_pem", "private_key_pem"):
            if field in args:
                raise InvalidInputError(field, "…", "leave it out: Vault is to make the root")
    elif "private_key_pem" in args and "certificate_pem" not in args:
        raise InvalidInputError("certificate_pem", None, "give the certificate of the key")
    if signing_root == FIRST:
        if "generate" not in args and "private_key_pem" not in args:
            raise InvalidInputError(
                "private_key_pem", None, "give key and certificate, or let Vault generate a root"
            )
    elif signing_root in further_generated:
        return
    elif signing_root not in further_roots:
        fix = "name one of further_roots or further_generated"
        raise InvalidInputError("signing_root", signing_root, fix)
    elif "private_key_pem" not in further_roots[signing_root]:
        raise InvalidInputError(
            f"further_roots.{signing_root}.private_key_pem", None, "give it: this root is to sign"
        )
