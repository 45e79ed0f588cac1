"""A signing CA of one cluster's own, below the root."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault

from .cluster_ca_checks import ROOT_PATH_LENGTH, CaLifetimes, checked_chain, require_room
from .issuers import issuer_id_of
from .known_values import known_after
from .lifetimes import MountLifetimes
from .names import cluster_ca_mount_path, sign_intermediate_path
from .never_overwrite import never_overwriting
from .validation import (
    InvalidInputError,
    once_known,
    require_common_name,
    require_dns_label,
    require_one_of,
    require_vault_path,
    require_whole_number,
)

DEFAULT_LIFETIME_DAYS = 1825

# Vault's names of the key's kind and its bits.
KEY_ALGORITHMS = {
    "RSA-4096": ("rsa", 4096),
    "RSA-3072": ("rsa", 3072),
    "ECDSA-P256": ("ec", 256),
    "ECDSA-P384": ("ec", 384),
}


class ClusterCaArgs(TypedDict):
    """The cluster, and the root below which its CA is to stand."""

    cluster: str
    """Name of the workload cluster, an RFC 1123 label."""
    root_mount_path: pulumi.Input[str]
    """Mount whose CA signs the cluster's: the `mount_path` of a RootPki or ExternalRootPki."""
    root_issuer_id: pulumi.Input[str]
    """Id of the issuer that signs there; another one signs the cluster's CA anew."""
    root_certificate_pem: pulumi.Input[str]
    """Certificate of the root, PEM. It has to leave room for two CAs below it."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime of istiod's intermediates in days, what they get and the most they may ask for; 365
    when absent."""
    lifetime_days: NotRequired[int]
    """Lifetime of the cluster's CA in days, longer than that of istiod's intermediates; 1825 when
    absent. The root's mount has to allow it."""
    generation: NotRequired[int]
    """Counts the CAs of the cluster: another number makes a new one, with a new key. 1 when
    absent."""
    organization: NotRequired[str | None]
    """Organization (O) of the subject; none when absent."""
    key_algorithm: NotRequired[str]
    """Key of the CA: `RSA-4096` (when absent), `RSA-3072`, `ECDSA-P256` or `ECDSA-P384`."""
    mount_path: NotRequired[str]
    """Path of the mount; `pki_<cluster>` when absent."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the mount; true when absent."""


class ClusterCa(pulumi.ComponentResource):
    """A PKI mount with a CA of one cluster's own, whose key never leaves it, signed by the root."""

    mount_path: pulumi.Output[str]
    """Path of the mount, known once the CA in it is ready to sign."""
    ca_path: pulumi.Output[str]
    """API path, without `/v1`, at which the cluster's intermediates are signed."""
    certificate_pem: pulumi.Output[str]
    """Certificate of the CA, PEM."""
    issuer_id: pulumi.Output[str]
    """Id of the issuer that signs, as Vault gave it."""

    def __init__(
        self, name: str, args: ClusterCaArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers mount, request, signature and default issuer.

        Raises:
            InvalidInputError: a field is not usable, or the root leaves no room. What is an Output
                is checked when it resolves, before the CA is brought into the mount.
        """
        cluster = require_dns_label("cluster", args["cluster"])
        mount_path = require_vault_path(
            "mount_path", args.get("mount_path", cluster_ca_mount_path(cluster))
        )
        intermediate_days = require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", 365),
            minimum=1,
            unit="days",
        )
        lifetime_days = require_whole_number(
            "lifetime_days",
            args.get("lifetime_days", DEFAULT_LIFETIME_DAYS),
            minimum=1,
            unit="days",
        )
        if lifetime_days <= intermediate_days:
            raise InvalidInputError(
                "lifetime_days",
                lifetime_days,
                f"use more than intermediate_lifetime_days ({intermediate_days}): "
                "an intermediate must not outlive the CA above it",
            )
        generation = require_whole_number(
            "generation", args.get("generation", 1), minimum=1, unit="CAs"
        )
        common_name = require_common_name("cluster", f"{cluster} mesh CA {generation}")
        key_type, key_bits = KEY_ALGORITHMS[
            require_one_of("key_algorithm", args.get("key_algorithm", "RSA-4096"), KEY_ALGORITHMS)
        ]
        lifetimes = CaLifetimes(lifetime_days, intermediate_days, generation)
        mount_lifetimes = MountLifetimes.signing(intermediate_days)
        organization = args.get("organization")
        root_certificate = args["root_certificate_pem"]
        if isinstance(root_certificate, str):
            require_room(root_certificate)

        super().__init__("mesh-trust:index:ClusterCa", name, None, never_overwriting(opts))

        mount = vault.Mount(
            f"{name}-mount",
            path=mount_path,
            type="pki",
            description=f"CA of {cluster}: signs its intermediates",
            default_lease_ttl_seconds=mount_lifetimes.default_seconds,
            max_lease_ttl_seconds=mount_lifetimes.maximum_seconds,
            opts=pulumi.ResourceOptions(parent=self, protect=args.get("protect", True)),
        )
        request = vault.pkisecret.SecretBackendIntermediateCertRequest(
            f"{name}-request",
            backend=known_after(mount_path, mount),
            type="internal",
            common_name=common_name,
            organization=organization,
            # As the subject's name only, not as a DNS name besides.
            exclude_cn_from_sans=True,
            key_type=key_type,
            key_bits=key_bits,
            # The key went with the mount it was in, and the provider does not look for it there.
            # Another root or lifetime needs another certificate, and that another key: Vault does
            # not sign where two certificates of one key and name are in a mount.
            opts=pulumi.ResourceOptions(
                parent=self,
                replacement_trigger=pulumi.Output.concat(
                    mount.accessor, " ", args["root_issuer_id"], f" {lifetime_days} days"
                ),
            ),
        )
        roomy_root = pulumi.Output.from_input(root_certificate).apply(
            lambda pem: once_known(require_room, pem)
        )
        signed = vault.pkisecret.SecretBackendRootSignIntermediate(
            f"{name}-certificate",
            backend=args["root_mount_path"],
            csr=pulumi.Output.all(request.csr, roomy_root).apply(lambda known: str(known[0])),
            common_name=common_name,
            organization=organization,
            exclude_cn_from_sans=True,
            ttl=f"{lifetime_days * 24}h",
            max_path_length=ROOT_PATH_LENGTH - 1,
            opts=pulumi.ResourceOptions(parent=self),
        )
        chain = pulumi.Output.all(
            signed.certificate, signed.ca_chains, root_certificate, args["root_mount_path"]
        ).apply(lambda known: "\n".join(once_known(checked_chain, *known, lifetimes)))
        imported = vault.pkisecret.SecretBackendIntermediateSetSigned(
            f"{name}-import",
            backend=known_after(mount_path, mount),
            certificate=chain,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # The id is unknown until the import has happened, and so is all that is looked up after it.
        imported_mount_path = imported.id.apply(lambda _: mount_path)
        self.certificate_pem = signed.certificate
        self.issuer_id = issuer_id_of(
            signed.certificate, imported_mount_path, pulumi.InvokeOptions(parent=self)
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
            {
                "mount_path": self.mount_path,
                "ca_path": self.ca_path,
                "certificate_pem": self.certificate_pem,
                "issuer_id": self.issuer_id,
            }
        )
