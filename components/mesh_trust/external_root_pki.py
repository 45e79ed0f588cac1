"""A signing mount that others made and manage, and the root that it signs for."""

from typing import NotRequired, TypedDict

import pulumi

from .names import sign_intermediate_path
from .root_checks import require_root
from .signing_mount import SigningMount
from .validation import checked, require_vault_path, require_whole_number


class ExternalRootPkiArgs(TypedDict):
    """The root, of which no more than the certificate is known, and the mount that signs."""

    certificate_pem: pulumi.Input[str]
    """Certificate of the root, PEM."""
    signing_mount: str
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
            InvalidInputError: path, lifetime or root are not usable, or the mount is not fit to
                sign for that root. A root that is an Output is checked when it resolves.
        """
        mount_path = require_vault_path("signing_mount", args["signing_mount"])
        days = require_whole_number(
            "intermediate_lifetime_days",
            args.get("intermediate_lifetime_days", 365),
            minimum=1,
            unit="days",
        )

        def usable(root_pem: str) -> str:
            require_root(
                "certificate_pem",
                root_pem,
                accept_missing_key_usage=args.get("accept_missing_key_usage", False),
            )
            return root_pem

        checked(usable, args["certificate_pem"])

        super().__init__("mesh-trust:index:ExternalRootPki", name, None, opts)

        mount = SigningMount.look_up("signing_mount", mount_path, pulumi.InvokeOptions(parent=self))

        def fits(root_pem: str) -> str:
            mount.require_fit("signing_mount", usable(root_pem), "intermediate_lifetime_days", days)
            return root_pem

        self.certificate_pem = checked(fits, args["certificate_pem"])
        self.mount_path = self.certificate_pem.apply(lambda _: mount_path)
        self.ca_path = self.mount_path.apply(sign_intermediate_path)
        self.issuer_id = pulumi.Output.from_input(mount.issuer_id)
        self.register_outputs(
            {
                "certificate_pem": self.certificate_pem,
                "mount_path": self.mount_path,
                "ca_path": self.ca_path,
                "issuer_id": self.issuer_id,
            }
        )
