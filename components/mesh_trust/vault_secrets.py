"""Secrets that Vault's servers find on their way: their certificate, and what unseals them."""

import base64
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from .known_values import known_after
from .vault_install_args import VaultInstallArgs, objects_of, servers_of
from .vault_tls import LIFETIME_DAYS, RENEWAL_DAYS, ServerNames, VaultTls


@dataclass(frozen=True)
class TlsSecret:
    """A Secret with the servers' certificate."""

    name: pulumi.Output[str]
    ca_certificate: pulumi.Output[str]
    """Of the CA that the certificate chains to, PEM."""


def tls_secret(
    name: str,
    args: VaultInstallArgs,
    namespace: pulumi.Input[str],
    *,
    parent: pulumi.ComponentResource,
) -> TlsSecret:
    """Registers certificates for the servers of `args`, and the Secret that holds them.

    The resources' names start with `name`.
    """
    objects = objects_of(args)
    names = ServerNames.of(objects.name, objects.namespace, args.get("names", ()))
    certificates = VaultTls(
        f"{name}-tls",
        {
            "dns_names": names.dns_names,
            "ip_addresses": names.ip_addresses,
            "lifetime_days": args.get("certificate_lifetime_days", LIFETIME_DAYS),
            "renewal_days": args.get("certificate_renewal_days", RENEWAL_DAYS),
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
    secret_name = f"{objects.name}-server-tls"
    secret = kubernetes.core.v1.Secret(
        f"{name}-tls-secret",
        metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret_name, namespace=namespace),
        type="kubernetes.io/tls",
        data={
            "tls.crt": _encoded(certificates.certificate),
            "tls.key": _encoded(certificates.private_key),
            "ca.crt": _encoded(certificates.ca_certificate),
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return TlsSecret(known_after(secret_name, secret), certificates.ca_certificate)


def seal_secret(
    name: str,
    args: VaultInstallArgs,
    namespace: pulumi.Input[str],
    *,
    parent: pulumi.ComponentResource,
) -> pulumi.Output[str] | None:
    """Registers the Secret with the credentials of what unseals the servers of `args`.

    Gives its name; None where there are none.
    """
    seal = servers_of(args).seal
    if seal is None or not seal.content:
        return None
    secret_name = f"{objects_of(args).name}-seal"
    secret = kubernetes.core.v1.Secret(
        f"{name}-seal-secret",
        metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret_name, namespace=namespace),
        data={key: _encoded(pulumi.Output.secret(value)) for key, value in seal.content.items()},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return known_after(secret_name, secret)


def _encoded(value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.from_input(value).apply(
        lambda text: base64.b64encode(text.encode()).decode()
    )
