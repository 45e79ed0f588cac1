"""A PKI mount that others manage, as Vault tells of it."""

from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from .issuing_chain import require_chain
from .lifetimes import MountLifetimes, require_lifetime
from .readiness import on_one_line
from .validation import InvalidInputError


@dataclass(frozen=True)
class SigningMount:
    """A PKI mount, its default issuer and what it allows."""

    path: str
    issuer_id: str
    issuer_pem: str
    chain_pem: tuple[str, ...]
    """What Vault knows above the issuer, the issuer itself among it; PEM, in any order."""
    signs: bool
    """Whether the issuer has its key there."""
    lifetimes: MountLifetimes

    @classmethod
    def look_up(cls, field: str, path: str, opts: pulumi.InvokeOptions) -> "SigningMount":
        """Asks Vault for the mount at `path`, which messages call `field`.

        Raises:
            InvalidInputError: there is none, it has no default issuer, or it may not be read.
        """
        tuning_path = f"sys/mounts/{path}/tune"
        try:
            issuer = vault.pkisecret.get_backend_issuer(
                backend=path, issuer_ref="default", opts=opts
            )
            tuning = vault.generic.get_secret(
                path=tuning_path, with_lease_start_time=False, opts=opts
            )
        except Exception as error:  # noqa: BLE001 - the SDK raises nothing more special
            # What the provider says comes after what SDK and engine say of the call.
            said = on_one_line(str(error).rpartition(" returned an error: ")[2])
            raise InvalidInputError(
                field,
                path,
                "name a PKI mount with a default issuer, and use a token that may read "
                f"{path}/issuer/default and {tuning_path} ({said})",
            ) from None
        return cls(
            path,
            issuer.issuer_id,
            issuer.certificate,
            tuple(issuer.ca_chains or ()),
            bool(issuer.key_id),
            MountLifetimes(
                int(tuning.data["default_lease_ttl"]), int(tuning.data["max_lease_ttl"])
            ),
        )

    def require_fit(
        self, field: str, root_pem: str, lifetime_field: str, lifetime_days: int
    ) -> None:
        """Checks that the mount signs for the root in `root_pem`, and for `lifetime_days`.

        Raises:
            InvalidInputError: its default issuer does not stand below that root, leaves no room
                or has no key there, or lifetimes would be cut.
        """
        chain = require_chain(field, self.path, root_pem, self.issuer_pem, self.chain_pem)
        if not self.signs:
            raise InvalidInputError(
                field, self.path, "its default issuer has no key there: use a mount that can sign"
            )
        ends = min(certificate.not_valid_after_utc for certificate in chain)
        what = "the root" if len(chain) == 1 else "the chain up to the root"
        require_lifetime(lifetime_field, lifetime_days, self.lifetimes, ends, what)
