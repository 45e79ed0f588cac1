"""A root certificate authority whose key and self-signed certificate Pulumi generates."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_tls as tls

from .validation import require_common_name, require_one_of, require_whole_number

RSA_KEY_BITS = (3072, 4096)


class RootCaArgs(TypedDict):
    """What the root's certificate says. Everything here is fixed once the root exists."""

    common_name: str
    """Common name (CN) of the subject: 1 to 64 characters (RFC 5280, ub-common-name)."""
    organization: NotRequired[str | None]
    """Organization (O) of the subject; none when absent."""
    key_bits: NotRequired[int]
    """Size of the RSA key in bits: 3072 or 4096, 4096 when absent."""
    lifetime_days: NotRequired[int]
    """How long the certificate is valid, in days; 3650 when absent."""
    path_length: NotRequired[int]
    """How many CAs may follow the root in a chain, 1 or more; 1 when absent: istiod's alone."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete or replace key and certificate; true when absent."""


class RootCa(pulumi.ComponentResource):
    """The root of trust of a fleet: a private key and a self-signed CA certificate for it."""

    certificate_pem: pulumi.Output[str]
    """The certificate, PEM."""
    private_key_pem: pulumi.Output[str]
    """The private key, PEM (PKCS#1); secret."""

    def __init__(
        self, name: str, args: RootCaArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the root.

        Raises:
            InvalidInputError: a field has a value that cannot make a usable root.
        """
        common_name = args["common_name"]
        require_common_name("common_name", common_name)
        key_bits = require_one_of("key_bits", args.get("key_bits", 4096), RSA_KEY_BITS)
        lifetime_days = require_whole_number(
            "lifetime_days", args.get("lifetime_days", 3650), minimum=1, unit="days"
        )
        # Zero would not even be written: the TLS provider leaves the constraint out altogether.
        path_length = require_whole_number(
            "path_length", args.get("path_length", 1), minimum=1, unit="CAs"
        )
        protect = args.get("protect", True)

        super().__init__("mesh-trust:index:RootCa", name, None, opts)

        key = tls.PrivateKey(
            f"{name}-key",
            algorithm="RSA",
            rsa_bits=key_bits,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        certificate = tls.SelfSignedCert(
            f"{name}-certificate",
            private_key_pem=key.private_key_pem,
            subject=tls.SelfSignedCertSubjectArgs(
                common_name=common_name, organization=args.get("organization")
            ),
            validity_period_hours=lifetime_days * 24,
            is_ca_certificate=True,
            max_path_length=path_length,
            set_subject_key_id=True,
            allowed_uses=["cert_signing", "crl_signing"],
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )

        self.certificate_pem = certificate.cert_pem
        self.private_key_pem = pulumi.Output.secret(key.private_key_pem)
        self.register_outputs(
            {"certificate_pem": self.certificate_pem, "private_key_pem": self.private_key_pem}
        )
