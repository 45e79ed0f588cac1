"""A root that Vault makes in a PKI mount, and whose key never leaves it."""

from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from .root_issuers import Check, Mounted, PlacedRoot
from .root_profile import RootCertificateArgs, RootProfile, require_as_asked
from .validation import InvalidInputError, once_known

_KEY_TYPES = {"RSA": "rsa", "ECDSA": "ec"}
# Vault takes lists for these, and the provider texts, which Vault then splits at their commas.
_SPLIT = ("organization", "organizational_unit", "country", "province", "locality")


def vault_profile(args: RootCertificateArgs) -> RootProfile:
    """Reads the fields of `args`.

    Raises:
        InvalidInputError: a field has a value that cannot make a usable root, or that Vault would
            not write as it is.
    """
    profile = RootProfile.of(args)
    for field in _SPLIT:
        value = getattr(profile, field)
        if value is not None and "," in value:
            raise InvalidInputError(
                field, value, "leave out the comma: Vault would make two names of it"
            )
    return profile


@dataclass(frozen=True)
class VaultRoot:
    """A root for Vault to make."""

    name: str
    profile: RootProfile
    protect: bool
    also: Check | None = None

    @classmethod
    def of(cls, name: str, args: RootCertificateArgs, protect: bool) -> "VaultRoot":
        """Reads the fields of `args`.

        Raises:
            InvalidInputError: a field has a value that cannot make a usable root, or that Vault
                would not write as it is.
        """
        return cls(name, vault_profile(args), protect)

    def place(self, mounted: Mounted, parent: pulumi.Resource) -> PlacedRoot:
        """Has Vault make the root in the mount. What is not as asked for fails the outputs."""
        profile, algorithm = self.profile, self.profile.key_algorithm
        root = vault.pkisecret.SecretBackendRootCert(
            f"{self.name}-root",
            backend=mounted.path,
            type="internal",
            common_name=profile.common_name,
            # As the subject's name only, not as a DNS name besides.
            exclude_cn_from_sans=True,
            organization=profile.organization,
            ou=profile.organizational_unit,
            country=profile.country,
            province=profile.province,
            locality=profile.locality,
            key_type=_KEY_TYPES[algorithm.family],
            key_bits=algorithm.bits,
            ttl=f"{profile.lifetime_days * 24}h",
            max_path_length=profile.path_length,
            opts=pulumi.ResourceOptions(
                parent=parent,
                protect=self.protect,
                # The provider would note another lifetime, and change nothing.
                replace_on_changes=["ttl"],
                # A root goes with the mount it is in, and the provider does not look for it there.
                replacement_trigger=mounted.accessor,
            ),
        )

        def check(pem: str) -> str:
            certificate = require_as_asked("generate", pem, profile)
            if self.also is not None:
                self.also(certificate)
            return pem

        certificate_pem = root.certificate.apply(lambda pem: once_known(check, pem))
        issuer_id = pulumi.Output.all(root.issuer_id, certificate_pem).apply(
            lambda resolved: str(resolved[0])
        )
        return PlacedRoot(self.name, mounted, certificate_pem, issuer_id)
