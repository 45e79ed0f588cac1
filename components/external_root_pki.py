"""A signing mount that others made and manage, and the root that it signs for."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .issuing_chain import require_chain
from .lifetimes import MountLifetimes, require_lifetime
from .names import sign_intermediate_path
from .root_issuers import CheckedRoot
from .validation import require_vault_path, require_whole_number


class ExternalRootPkiArgs(TypedDict):
    """The root, of which no more than the certificate is known, and the mount that signs."""

    certificate_pem: pulumi.Input[str]
    """Certificate of the root, PEM."""
    mount_path: str
    """Path of the PKI mount whose default issuer signs: the root itself, or a CA below it."""
    accept_missing_key_usage: NotRequired[bool]
    """Whether a root without any key usage passes, as `openssl req -x509` makes it by itself;
    false when absent."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime of the intermediates in days, as the mesh asks for it; 365 when absent (Gloo's own
    default, `intermediateCertOptions.ttlDays`)."""


class ExternalRootPki(pulumi.ComponentResource):
    """A PKI mount that is there already. It is looked at, and nothing in it is made or changed.

    The Vault token needs `read` on `<mount>/issuer/default` and `sys/mounts/<mount>/tune`.
    """

    certificate_pem: pulumi.Output[str]
    """Certificate of the root, PEM; found usable, and above what signs."""
    mount_path: pulumi.Output[str]
    """Path of the mount, known once it is found fit to sign."""
    ca_path: pulumi.Output[str]
    """API path, without `/v1`, at which intermediates are signed."""
    issuer_id: pulumi.Output[str]
    """Id of the issuer that signs, as Vault gave it."""

    def __init__(
        self, name: str, args: ExternalRootPkiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Looks the mount up.

        Raises:
            InvalidInputError: path, lifetime or root are not usable. What Vault tells is checked
                when it is known: in every preview.
        """
        mount_path = require_vault_path("mount_path", args["mount_path"])
        days = require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", 365),
            minimum=1,
            unit="days",
        )
        root = CheckedRoot.of(
            name,
            {"certificate_pem": args["certificate_pem"]},
            accept_missing_key_usage=args.get("accept_missing_key_usage", False),
        )

        super().__init__("mesh-trust:index:ExternalRootPki", name, None, opts)

        lookup = pulumi.InvokeOptions(parent=self)
        issuer = vault.pkisecret.get_backend_issuer_output(
            backend=mount_path, issuer_ref="default", opts=lookup
        )
        tuning = vault.generic.get_secret_output(
            path=f"sys/mounts/{mount_path}/tune", with_lease_start_time=False, opts=lookup
        )

        def check(found: tuple[str, str, Sequence[str] | None, Mapping[str, str]]) -> str:
            root_pem, issuer_pem, chain_pem, tuned = found
            chain = require_chain("mount_path", mount_path, root_pem, issuer_pem, chain_pem or ())
            lifetimes = MountLifetimes(int(tuned["default_lease_ttl"]), int(tuned["max_lease_ttl"]))
            ends = min(certificate.not_valid_after_utc for certificate in chain)
            require_lifetime(
                "intermediate_lifetime_days", days, lifetimes, ends, "the chain above it"
            )
            return mount_path

        # The provider takes whatever it reads at a path of its own choice for a secret.
        tuned = pulumi.Output.unsecret(tuning.data)
        self.mount_path = pulumi.Output.all(
            root.certificate_pem, issuer.certificate, issuer.ca_chains, tuned
        ).apply(lambda found: check((found[0], found[1], found[2], found[3])))
        self.certificate_pem = pulumi.Output.all(root.certificate_pem, self.mount_path).apply(
            lambda resolved: str(resolved[0])
        )
        self.ca_path = self.mount_path.apply(sign_intermediate_path)
        self.issuer_id = issuer.issuer_id
        self.register_outputs(
            {
                "certificate_pem": self.certificate_pem,
                "mount_path": self.mount_path,
                "ca_path": self.ca_path,
                "issuer_id": self.issuer_id,
            }
        )
