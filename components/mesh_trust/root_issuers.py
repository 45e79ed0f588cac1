"""Roots on their way into a Vault PKI mount, and what they may do there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault
from cryptography import x509

from .issuers import issuer_id_of
from .known_values import known_after
from .root_checks import require_root, require_root_key
from .validation import checked

_SIGNING = "issuing-certificates,ocsp-signing,read-only"
_TRUSTED = "read-only"

Check = Callable[[x509.Certificate], None]
"""A further check of a certificate, which raises where it is not passed."""


class KnownRoot(TypedDict):
    """A root that was made elsewhere."""

    certificate_pem: pulumi.Input[str]
    """Its certificate, PEM."""
    private_key_pem: NotRequired[pulumi.Input[str]]
    """Its private key, PEM, unencrypted; treated as secret. Without it a root cannot sign."""


@dataclass(frozen=True)
class Mounted:
    """A mount for roots."""

    known_path: str
    accessor: pulumi.Output[str]
    """Changes with the mount."""
    after: Sequence[pulumi.Resource]
    """What has to be there before a root."""

    @property
    def path(self) -> pulumi.Output[str]:
        """The path, known at once; whoever uses it comes after the mount."""
        return known_after(self.known_path, *self.after)


@dataclass(frozen=True)
class PlacedRoot:
    """A root in a mount. The outputs resolve once it is there and found usable."""

    name: str
    mounted: Mounted
    certificate_pem: pulumi.Output[str]
    issuer_id: pulumi.Output[str]


@dataclass(frozen=True)
class CheckedRoot:
    """A root to import. The outputs resolve once it is found usable."""

    name: str
    certificate_pem: pulumi.Output[str]
    private_key_pem: pulumi.Output[str] | None
    """Secret."""

    @classmethod
    def of(
        cls,
        name: str,
        root: KnownRoot,
        *,
        field: str = "",
        accept_missing_key_usage: bool = False,
        also: Check | None = None,
    ) -> "CheckedRoot":
        """Checks `root`: now what is known of it already, the rest when it resolves.

        `field` comes before the names of its fields in messages.

        Raises:
            InvalidInputError: it is not usable as a root, or the key is not its own.
        """
        certificate_pem = root["certificate_pem"]
        private_key_pem = root.get("private_key_pem")

        def check_certificate(pem: str) -> str:
            certificate = require_root(
                f"{field}certificate_pem",
                pem,
                accept_missing_key_usage=accept_missing_key_usage,
            )
            if also is not None:
                also(certificate)
            return pem

        def check_key(pem: str, key_pem: str) -> str:
            certificate = x509.load_pem_x509_certificate(check_certificate(pem).encode())
            require_root_key(f"{field}private_key_pem", key_pem, certificate)
            return key_pem

        checked_certificate = checked(check_certificate, certificate_pem)
        if private_key_pem is None:
            return cls(name, checked_certificate, None)
        checked_key = checked(check_key, certificate_pem, private_key_pem)
        return cls(name, checked_certificate, _secret(checked_key))

    def place(self, mounted: Mounted, parent: pulumi.Resource) -> PlacedRoot:
        """Imports the root into the mount. Without its key it is there, and cannot sign."""
        pem_bundle = self.certificate_pem
        if self.private_key_pem is not None:
            pem_bundle = pulumi.Output.concat(self.private_key_pem, "\n", self.certificate_pem)
        imported = vault.pkisecret.SecretBackendConfigCa(
            f"{self.name}-import",
            backend=mounted.path,
            pem_bundle=_secret(pem_bundle),
            # What was imported went with the mount it was imported into, and Vault tells nothing
            # of it: a new mount, which has a new accessor, needs a new import.
            opts=pulumi.ResourceOptions(parent=parent, replacement_trigger=mounted.accessor),
        )
        # The id is unknown until the import has happened, and so is all that is looked up after it.
        imported_mount_path = imported.id.apply(lambda _: mounted.known_path)
        issuer_id = issuer_id_of(
            self.certificate_pem, imported_mount_path, pulumi.InvokeOptions(parent=parent)
        )
        return PlacedRoot(self.name, mounted, self.certificate_pem, issuer_id)


def limit_usage(root: PlacedRoot, parent: pulumi.Resource, *, signing: bool) -> pulumi.Resource:
    """Lets a root in the mount sign, or keeps it from signing.

    Vault signs with whichever issuer a request names, not with the default one only, so that a
    root whose key is in the mount has to be kept from it.
    """
    return vault.pkisecret.SecretBackendIssuer(
        f"{root.name}-issuer",
        backend=root.mounted.path,
        issuer_ref=root.issuer_id,
        usage=root.certificate_pem.apply(signing_usage) if signing else _TRUSTED,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # The provider goes on with the issuer that it had first.
            replacement_trigger=root.issuer_id,
            # Deleting this would delete the issuer itself, also one that signs, where only the
            # limit on it is given up. One that is not named any more stays as it is.
            retain_on_delete=True,
        ),
    )


def signing_usage(certificate_pem: str) -> str:
    """What an issuer that signs may be used for, in the order in which Vault gives it back.

    Vault refuses `crl-signing` where the certificate's key usage does not have it.
    """
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return _SIGNING
    return f"crl-signing,{_SIGNING}" if usage.crl_sign else _SIGNING


def _secret(value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.secret(value)
