"""Roots that a cluster trusts, in the form in which a RootTrustPolicy names them."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .gloo_certificates import ManagementServerCa
from .known_values import known_after
from .validation import InvalidInputError, require_dns_label

ROOT_KEY = "root-cert.pem"
"""As Istio calls the roots among its own files, and Gloo the one in a `caSecretRef`."""


def check_trusted_roots(roots: object) -> Mapping[str, pulumi.Input[str]]:
    """Returns `roots`, certificates by the names of their generations.

    Raises:
        InvalidInputError: they are anything else, or a name is no RFC 1123 label.
    """
    if not isinstance(roots, Mapping):
        raise InvalidInputError("trusted_roots", "…", "give certificates by names")
    for name in roots:
        require_dns_label("trusted_roots", name)
    return roots


def named_roots(
    cluster: str, namespace: str, generations: Iterable[str]
) -> list[ManagementServerCa]:
    """What a policy says of the roots of `generations`, once there is a Secret for each."""
    return [
        {"secret_ref": {"name": _secret_name(cluster, each), "namespace": namespace}}
        for each in generations
    ]


def trusted_roots(
    name: str,
    cluster: str,
    namespace: str,
    roots: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> list[ManagementServerCa]:
    """Registers a Secret for each root, in the order of `roots`, and gives what names it.

    Gloo has no other place for the certificate of a root that does not sign. There is no key in
    it, as nothing is signed with it.
    """
    named: list[ManagementServerCa] = []
    for generation, certificate_pem in roots.items():
        secret_name = _secret_name(cluster, generation)
        content: pulumi.Output[Any] = pulumi.Output.from_input(certificate_pem)
        secret = kubernetes.core.v1.Secret(
            f"{name}-root-{generation}",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=secret_name, namespace=namespace),
            data={ROOT_KEY: content.apply(lambda pem: base64.b64encode(pem.encode()).decode())},
            opts=opts,
        )
        named.append(
            {
                "secret_ref": {
                    # A policy that names what is not there would be wrong.
                    "name": known_after(secret_name, secret),
                    "namespace": namespace,
                }
            }
        )
    return named


def _secret_name(cluster: str, generation: str) -> str:
    return f"mesh-trust-{cluster}-root-{generation}"
