"""The Vault mount that holds the root CA and signs the intermediates."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .issuers import issuer_id_of
from .known_values import known_after
from .names import ROOT_MOUNT_PATH, sign_intermediate_path
from .validation import require_vault_path, require_whole_number

SECONDS_PER_DAY = 86_400


class RootPkiArgs(TypedDict):
    """The root to import, and how long what it signs may live."""

    certificate_pem: pulumi.Input[str]
    """Certificate of the root, PEM."""
    private_key_pem: pulumi.Input[str]
    """Private key of the root, PEM, unencrypted; treated as secret."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime of the intermediates in days, both what they get and the most they may ask for;
    365 when absent (Gloo's own default, `intermediateCertOptions.ttlDays`). Untuned, Vault would
    cut them to 32 days without a word."""
    mount_path: NotRequired[str]
    """Path of the mount; `pki` when absent."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the mount; true when absent."""


class RootPki(pulumi.ComponentResource):
    """A PKI mount with the root imported as its default issuer, and its lifetimes tuned."""

    mount_path: pulumi.Output[str]
    """Path of the mount, known once the root in it is ready to sign."""
    ca_path: pulumi.Output[str]
    """API path, without `/v1`, at which intermediates are signed."""
    issuer_id: pulumi.Output[str]
    """Id of the issuer that signs, as Vault gave it."""

    def __init__(
        self, name: str, args: RootPkiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers mount, import and default issuer.

        Raises:
            InvalidInputError: a path or lifetime is not usable.
        """
        mount_path = require_vault_path("mount_path", args.get("mount_path", ROOT_MOUNT_PATH))
        lifetime_seconds = SECONDS_PER_DAY * require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", 365),
            minimum=1,
            unit="days",
        )
        certificate_pem = args["certificate_pem"]
        pem_bundle: pulumi.Output[str] = pulumi.Output.secret(
            pulumi.Output.concat(args["private_key_pem"], "\n", certificate_pem)
        )

        super().__init__("mesh-trust:index:RootPki", name, None, opts)

        mount = vault.Mount(
            f"{name}-mount",
            path=mount_path,
            type="pki",
            description="Root CA of the mesh: signs the clusters' intermediates",
            default_lease_ttl_seconds=lifetime_seconds,
            max_lease_ttl_seconds=lifetime_seconds,
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", True)),
        )
        imported = vault.pkisecret.SecretBackendConfigCa(
            f"{name}-import",
            backend=known_after(mount_path, mount),
            pem_bundle=pem_bundle,
            # What was imported went with the mount it was imported into, and Vault tells nothing of
            # it: a new mount, which has a new accessor, needs a new import.
            opts=pulumi.ResourceOptions(parent=self, replacement_trigger=mount.accessor),
        )
        # The id is unknown until the import has happened, and so is everything looked up after it.
        imported_mount_path = imported.id.apply(lambda _: mount_path)
        self.issuer_id = issuer_id_of(
            certificate_pem, imported_mount_path, pulumi.InvokeOptions(parent=self)
        )
        default_issuer = vault.pkisecret.SecretBackendConfigIssuers(
            f"{name}-default-issuer",
            backend=known_after(mount_path, mount),
            default=self.issuer_id,
            default_follows_latest_issuer=False,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.mount_path = known_after(mount_path, default_issuer)
        self.ca_path = known_after(sign_intermediate_path(mount_path), default_issuer)
        self.register_outputs(
            {"mount_path": self.mount_path, "ca_path": self.ca_path, "issuer_id": self.issuer_id}
        )
