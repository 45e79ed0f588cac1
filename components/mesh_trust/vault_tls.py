"""Certificates for the servers of a Vault, below a CA of their own."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_tls as tls

from .validation import InvalidInputError, require_whole_number

LIFETIME_DAYS = 365
RENEWAL_DAYS = 60
"""When absent: half a dozen occasions for an update that is run twice a month at least."""
CA_LIFETIME_DAYS = 3650
_HOURS = 24
_HOST_NAME = re.compile(
    r"(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
)


@dataclass(frozen=True)
class ServerNames:
    """What Vault's servers are called, each as a certificate has it."""

    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]

    @classmethod
    def of(cls, service: str, namespace: str, further: Sequence[str] = ()) -> "ServerNames":
        """Those of the Service `service`, its pods and the loopback, and the `further` ones.

        The pods' are wildcards below the headless Service, so that more of them need no other
        certificate.
        """
        within = (
            *(f"{service}{suffix}" for suffix in ("", "-active", "-standby", "-ui")),
            f"*.{service}-internal",
        )
        dns_names = [
            f"{name}{domain}"
            for name in within
            for domain in (
                "",
                f".{namespace}",
                f".{namespace}.svc",
                f".{namespace}.svc.cluster.local",
            )
        ]
        addresses = ["127.0.0.1", "::1"]
        for name in further:
            (addresses if _is_address(name) else dns_names).append(name)
        return cls(tuple(dict.fromkeys([*dns_names, "localhost"])), tuple(dict.fromkeys(addresses)))


class VaultTlsArgs(TypedDict):
    """What the certificates say, and for how long."""

    dns_names: Sequence[str]
    """Host names of the servers."""
    ip_addresses: Sequence[str]
    """Their IP addresses."""
    lifetime_days: NotRequired[int]
    """Lifetime of the servers' certificate in days; 365 when absent."""
    renewal_days: NotRequired[int]
    """How many days before its end an update makes a new one; 60 when absent."""


class VaultTls(pulumi.ComponentResource):
    """A CA for one Vault's servers alone, and a certificate of it that all of them present."""

    ca_certificate: pulumi.Output[str]
    """Certificate of the CA, PEM."""
    certificate: pulumi.Output[str]
    """Certificate of the servers, PEM."""
    private_key: pulumi.Output[str]
    """Key of the servers, PEM; secret."""

    def __init__(
        self, name: str, args: VaultTlsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers keys and certificates.

        Raises:
            InvalidInputError: a lifetime is not usable.
        """
        lifetime, renewal = require_lifetimes(
            args.get("lifetime_days", LIFETIME_DAYS), args.get("renewal_days", RENEWAL_DAYS)
        )

        super().__init__("mesh-trust:index:VaultTls", name, None, opts)

        child = pulumi.ResourceOptions(parent=self)
        ca_key = tls.PrivateKey(f"{name}-ca-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        ca = tls.SelfSignedCert(
            f"{name}-ca",
            private_key_pem=ca_key.private_key_pem,
            subject=tls.SelfSignedCertSubjectArgs(common_name="Vault servers"),
            validity_period_hours=CA_LIFETIME_DAYS * _HOURS,
            # So that no certificate of it outlives it.
            early_renewal_hours=lifetime * _HOURS,
            is_ca_certificate=True,
            set_subject_key_id=True,
            allowed_uses=["cert_signing", "crl_signing"],
            opts=child,
        )
        key = tls.PrivateKey(f"{name}-key", algorithm="ECDSA", ecdsa_curve="P256", opts=child)
        request = tls.CertRequest(
            f"{name}-request",
            private_key_pem=key.private_key_pem,
            subject=tls.CertRequestSubjectArgs(common_name="Vault server"),
            dns_names=list(args["dns_names"]),
            ip_addresses=list(args["ip_addresses"]),
            opts=child,
        )
        certificate = tls.LocallySignedCert(
            f"{name}-certificate",
            cert_request_pem=request.cert_request_pem,
            ca_private_key_pem=ca_key.private_key_pem,
            ca_cert_pem=ca.cert_pem,
            validity_period_hours=lifetime * _HOURS,
            early_renewal_hours=renewal * _HOURS,
            # Servers are clients of each other when they join.
            allowed_uses=["digital_signature", "server_auth", "client_auth"],
            opts=child,
        )

        self.ca_certificate = ca.cert_pem
        self.certificate = certificate.cert_pem
        self.private_key = pulumi.Output.secret(key.private_key_pem)
        self.register_outputs(
            {
                "ca_certificate": self.ca_certificate,
                "certificate": self.certificate,
                "private_key": self.private_key,
            }
        )


def require_lifetimes(lifetime_days: int, renewal_days: int) -> tuple[int, int]:
    """Returns both, where the certificate lives for longer than it takes to be renewed.

    Raises:
        InvalidInputError: a number is none, or renewal is not below lifetime.
    """
    require_whole_number(
        "certificate_lifetime_days", lifetime_days, minimum=2, maximum=1825, unit="days"
    )
    require_whole_number(
        "certificate_renewal_days",
        renewal_days,
        minimum=1,
        maximum=lifetime_days - 1,
        unit="days",
    )
    return lifetime_days, renewal_days


def require_names(field: str, names: object) -> tuple[str, ...]:
    """Returns `names`, a list of host names and IP addresses.

    Raises:
        InvalidInputError: it is none, or has something else in it.
    """
    if not isinstance(names, list | tuple):
        raise InvalidInputError(field, names, "give it a list of names and addresses")
    for place, name in enumerate(names):
        if not isinstance(name, str) or not (
            _is_address(name) or (_HOST_NAME.fullmatch(name) and len(name) <= 253)
        ):
            raise InvalidInputError(
                f"{field}[{place}]",
                name,
                "use a host name in lower case such as vault.example.com, or an IP address, "
                "without scheme and port",
            )
    return tuple(names)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
