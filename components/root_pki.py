"""The Vault mount that holds the root CA and signs the intermediates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NotRequired, TypedDict

import pulumi
import pulumi_vault as vault
from cryptography import x509

from .known_values import known_after
from .lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime
from .names import ROOT_MOUNT_PATH, sign_intermediate_path
from .never_overwrite import never_overwriting
from .root_checks import require_different_cas
from .root_issuers import CheckedRoot, KnownRoot, Mounted, limit_usage
from .root_profile import RootCertificateArgs
from .validation import (
    InvalidInputError,
    once_known,
    require_dns_label,
    require_vault_path,
    require_whole_number,
)
from .vault_root import VaultRoot

_FIRST = ""
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
    """Further generations of the root, each by a name that stays its own, an RFC 1123 label: they
    are in the mount too, and kept from signing."""
    signing_root: NotRequired[str]
    """Name of the further root that signs in place of the one above; that one when absent."""
    intermediate_lifetime_days: NotRequired[int]
    """Lifetime of the intermediates in days, as the mesh asks for it; 365 when absent (Gloo's own
    default, `intermediateCertOptions.ttlDays`). It is what they get and, unless Vault made the
    root, the most they may ask for. Untuned, Vault would cut them to 32 days without a word."""
    mount_path: NotRequired[str]
    """Path of the mount; `pki` when absent."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace the mount, and a root that Vault made in it;
    true when absent."""


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
        signing_root = args.get("signing_root", _FIRST)
        _check_which_sign(args, signing_root)
        generated = VaultRoot.of(name, args["generate"], protect) if "generate" in args else None
        lifetimes = _lifetimes(args, generated)
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
        for root_name, root in roots.items():
            if root_name != signing_root:
                # After the default is chosen: Vault would choose the first one with a key.
                chosen = Mounted(mount_path, mount.accessor, (mount, default_issuer))
                limit_usage(root.place(chosen, self), self, signing=False)

        self.certificate_pem = signing.certificate_pem
        self.issuer_id = signing.issuer_id
        self.mount_path = known_after(mount_path, default_issuer)
        self.ca_path = known_after(sign_intermediate_path(mount_path), default_issuer)
        self.register_outputs(
            {
                "certificate_pem": self.certificate_pem,
                "mount_path": self.mount_path,
                "ca_path": self.ca_path,
                "issuer_id": self.issuer_id,
            }
        )


def _check_which_sign(args: RootPkiArgs, signing_root: str) -> None:
    further_roots = args.get("further_roots", {})
    for root_name in further_roots:
        require_dns_label("further_roots", root_name)
    if "generate" in args:
        for field in ("certificate_pem", "private_key_pem"):
            if field in args:
                raise InvalidInputError(field, "…", "leave it out: Vault is to make the root")
    elif "private_key_pem" in args and "certificate_pem" not in args:
        raise InvalidInputError("certificate_pem", None, "give the certificate of the key")
    if signing_root == _FIRST:
        if "generate" not in args and "private_key_pem" not in args:
            raise InvalidInputError(
                "private_key_pem", None, "give key and certificate, or let Vault generate a root"
            )
    elif signing_root not in further_roots:
        raise InvalidInputError("signing_root", signing_root, "name one of further_roots")
    elif "private_key_pem" not in further_roots[signing_root]:
        raise InvalidInputError(
            f"further_roots.{signing_root}.private_key_pem", None, "give it: this root is to sign"
        )


def _lifetimes(args: RootPkiArgs, generated: VaultRoot | None) -> MountLifetimes:
    days = require_whole_number(
        "intermediate_lifetime_days",
        args.get("intermediate_lifetime_days", 365),
        minimum=1,
        unit="days",
    )
    return MountLifetimes.signing(days, 0 if generated is None else generated.profile.lifetime_days)


def _roots(
    name: str,
    args: RootPkiArgs,
    generated: VaultRoot | None,
    signing_root: str,
    lifetimes: MountLifetimes,
) -> dict[str, CheckedRoot | VaultRoot]:
    """The roots by name."""

    def lasts(certificate: x509.Certificate) -> None:
        days = lifetimes.default_seconds // SECONDS_PER_DAY
        require_lifetime(
            "intermediate_lifetime_days", days, lifetimes, certificate.not_valid_after_utc
        )

    roots: dict[str, CheckedRoot | VaultRoot] = {}
    if generated is not None:
        roots[_FIRST] = replace(generated, also=lasts if signing_root == _FIRST else None)
    known: dict[str, KnownRoot] = {**args.get("further_roots", {})}
    if "certificate_pem" in args:
        known[_FIRST] = {"certificate_pem": args["certificate_pem"]}
        if "private_key_pem" in args:
            known[_FIRST]["private_key_pem"] = args["private_key_pem"]
    for root_name, root in known.items():
        roots[root_name] = CheckedRoot.of(
            name if root_name == _FIRST else f"{name}-{root_name}",
            root,
            field=_field(root_name),
            accept_missing_key_usage=args.get("accept_missing_key_usage", False),
            also=lasts if root_name == signing_root else None,
        )
    return roots


def _field(root_name: str) -> str:
    """What stands before the names of a root's fields."""
    return "" if root_name == _FIRST else f"further_roots.{root_name}."


def _once_usable(
    roots: Mapping[str, CheckedRoot | VaultRoot],
) -> pulumi.Output[Sequence[pulumi.Resource]]:
    """No resources at all, but not before those `roots` that are known are found usable."""
    imported = {name: root for name, root in roots.items() if isinstance(root, CheckedRoot)}
    keys = [root.private_key_pem for root in imported.values() if root.private_key_pem is not None]
    names = sorted(imported)
    fields = [f"{_field(root_name)}certificate_pem" for root_name in names]
    different = pulumi.Output.all(*(imported[each].certificate_pem for each in names)).apply(
        lambda known: once_known(require_different_cas, dict(zip(fields, known, strict=True)))
    )
    return pulumi.Output.all(different, *keys).apply(lambda _: [])
