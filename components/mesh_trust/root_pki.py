"""The Vault mount that holds the root CA and signs the intermediates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pulumi
import pulumi_vault as vault
from cryptography import x509

from .known_values import known_after
from .lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime
from .names import ROOT_MOUNT_PATH, sign_intermediate_path
from .never_overwrite import never_overwriting
from .root_checks import require_different_cas
from .root_issuers import CheckedRoot, KnownRoot, Mounted, limit_usage
from .root_pki_args import FIRST, RootPkiArgs, check_which_sign
from .validation import once_known, require_vault_path, require_whole_number
from .vault_root import VaultRoot


class RootPki(pulumi.ComponentResource):
    """A PKI mount with the root in it as its default issuer, and its lifetimes tuned."""

    certificate_pem: pulumi.Output[str]
    """Certificate of the root that signs, PEM; found usable as a root."""
    mount_path: pulumi.Output[str]
    """Path of the mount, known once the root in it is ready to sign."""
    ca_path: pulumi.Output[str]
    """API path, without `/v1`, at which intermediates are signed."""
    issuer_id: pulumi.Output[str]
    """Id of the issuer that signs, as Vault gave it."""
    root_certificates: pulumi.Output[Mapping[str, str]]
    """Certificates of all the roots that are given, PEM, by name; one that is none of the further
    roots is `first`. Found usable."""

    def __init__(
        self, name: str, args: RootPkiArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers mount, roots and default issuer.

        Raises:
            InvalidInputError: a path, lifetime or root is not usable. What is an Output is checked
                when it resolves, before anything is written with it.
        """
        mount_path = require_vault_path("mount_path", args.get("mount_path", ROOT_MOUNT_PATH))
        protect = args.get("protect", True)
        signing_root = args.get("signing_root", FIRST)
        check_which_sign(args, signing_root)
        generated = _generated(name, args, signing_root, protect=protect)
        lifetimes = _lifetimes(args, generated.values())
        roots = _roots(name, args, generated, signing_root, lifetimes)

        super().__init__("mesh-trust:index:RootPki", name, None, never_overwriting(opts))

        mount = vault.Mount(
            f"{name}-mount",
            path=mount_path,
            type="pki",
            description="Root CA of the mesh: signs the clusters' intermediates",
            default_lease_ttl_seconds=lifetimes.default_seconds,
            max_lease_ttl_seconds=lifetimes.maximum_seconds,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=protect,
                # No value shows that the roots are usable, and a mount is not worth making before.
                depends_on=_once_usable(roots),
            ),
        )
        mounted = Mounted(mount_path, mount.accessor, (mount,))
        signing = roots[signing_root].place(mounted, self)
        # A root alone may sign as it is, and is left so.
        able_to_sign = [limit_usage(signing, self, signing=True)] if len(roots) > 1 else []
        default_issuer = vault.pkisecret.SecretBackendConfigIssuers(
            f"{name}-default-issuer",
            backend=mounted.path,
            default=signing.issuer_id,
            default_follows_latest_issuer=False,
            # The id is the same before and after the root was let sign.
            opts=pulumi.ResourceOptions(parent=self, depends_on=able_to_sign),
        )
        placed = {signing_root: signing}
        for root_name, root in roots.items():
            if root_name != signing_root:
                # After the default is chosen: Vault would choose the first one with a key.
                chosen = Mounted(mount_path, mount.accessor, (mount, default_issuer))
                placed[root_name] = root.place(chosen, self)
                limit_usage(placed[root_name], self, signing=False)

        self.certificate_pem = signing.certificate_pem
        self.issuer_id = signing.issuer_id
        self.root_certificates = pulumi.Output.all(
            **{root_name: root.certificate_pem for root_name, root in placed.items()}
        )
        self.mount_path = known_after(mount_path, default_issuer)
        self.ca_path = known_after(sign_intermediate_path(mount_path), default_issuer)
        self.register_outputs(
            {
                "certificate_pem": self.certificate_pem,
                "mount_path": self.mount_path,
                "ca_path": self.ca_path,
                "issuer_id": self.issuer_id,
                "root_certificates": self.root_certificates,
            }
        )


def _generated(
    name: str, args: RootPkiArgs, signing_root: str, *, protect: bool
) -> dict[str, VaultRoot]:
    """The roots that Vault makes, by name. One that does not sign is to be given up some day."""
    asked = {**args.get("further_generated", {})}
    if "generate" in args:
        asked[FIRST] = args["generate"]
    return {
        root_name: VaultRoot.of(
            _name_of(name, root_name), root, protect and root_name == signing_root
        )
        for root_name, root in asked.items()
    }


def _lifetimes(args: RootPkiArgs, generated: Iterable[VaultRoot]) -> MountLifetimes:
    days = require_whole_number(
        "intermediate_lifetime_days",
        args.get("intermediate_lifetime_days", 365),
        minimum=1,
        unit="days",
    )
    longest = max((root.profile.lifetime_days for root in generated), default=0)
    return MountLifetimes.signing(days, longest)


def _roots(
    name: str,
    args: RootPkiArgs,
    generated: Mapping[str, VaultRoot],
    signing_root: str,
    lifetimes: MountLifetimes,
) -> dict[str, CheckedRoot | VaultRoot]:
    """The roots by name."""

    def lasts(certificate: x509.Certificate) -> None:
        days = lifetimes.default_seconds // SECONDS_PER_DAY
        require_lifetime(
            "intermediate_lifetime_days", days, lifetimes, certificate.not_valid_after_utc
        )

    roots: dict[str, CheckedRoot | VaultRoot] = {
        root_name: replace(root, also=lasts if root_name == signing_root else None)
        for root_name, root in generated.items()
    }
    known: dict[str, KnownRoot] = {**args.get("further_roots", {})}
    if "certificate_pem" in args:
        known[FIRST] = {"certificate_pem": args["certificate_pem"]}
        if "private_key_pem" in args:
            known[FIRST]["private_key_pem"] = args["private_key_pem"]
    for root_name, root in known.items():
        roots[root_name] = CheckedRoot.of(
            _name_of(name, root_name),
            root,
            field=_field(root_name),
            accept_missing_key_usage=args.get("accept_missing_key_usage", False),
            also=lasts if root_name == signing_root else None,
        )
    return roots


def _name_of(name: str, root_name: str) -> str:
    """What the resources of a root begin with."""
    return name if root_name == FIRST else f"{name}-{root_name}"


def _field(root_name: str) -> str:
    """What stands before the names of a root's fields."""
    return "" if root_name == FIRST else f"further_roots.{root_name}."


def _once_usable(
    roots: Mapping[str, CheckedRoot | VaultRoot],
) -> pulumi.Output[Sequence[pulumi.Resource]]:
    """No resources at all, but not before those `roots` that are known are found usable."""
    imported = {name: root for name, root in roots.items() if isinstance(root, CheckedRoot)}
    keys = [root.private_key_pem for root in imported.values() if root.private_key_pem is not None]
    names = sorted(imported, key=lambda each: (each != FIRST, each))
    fields = [f"{_field(root_name)}certificate_pem" for root_name in names]
    different = pulumi.Output.all(*(imported[each].certificate_pem for each in names)).apply(
        lambda known: once_known(require_different_cas, dict(zip(fields, known, strict=True)))
    )
    return pulumi.Output.all(different, *keys).apply(lambda _: [])
