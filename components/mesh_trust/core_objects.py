"""Two kinds of the Kubernetes API's core, as the SDK has them, without its classes of all kinds.

`pulumi_kubernetes.core.v1` loads its hundreds of classes together, a third of a second of a
processor in each update and each preview. Type, inputs and outputs are the same.
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes import _utilities

_SECRET_DATA = ("data", "stringData")


class ServiceAccount(pulumi.CustomResource):
    """A service account, whose outputs have the API's own names."""

    metadata: pulumi.Output[Mapping[str, Any]]
    secrets: pulumi.Output[Any]
    """Secrets with tokens that a server older than 1.24 has made, or None."""

    def __init__(
        self,
        name: str,
        metadata: kubernetes.meta.v1.ObjectMetaArgs,
        *,
        automount_token: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Registers it; `automount_token` says whether its pods get a token without asking."""
        inputs = {"metadata": metadata, "automountServiceAccountToken": automount_token}
        outputs = {"secrets": None}
        super().__init__(
            "kubernetes:core/v1:ServiceAccount",
            name,
            {**_named("ServiceAccount"), **inputs, **outputs},
            _as_of_the_sdk(opts),
        )


class Secret(pulumi.CustomResource):
    """A Secret, whose outputs have the API's own names."""

    metadata: pulumi.Output[Mapping[str, Any]]
    data: pulumi.Output[Any]
    """Its content by key, base64; secret."""

    def __init__(
        self,
        name: str,
        metadata: kubernetes.meta.v1.ObjectMetaArgs | None,
        secret_type: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Registers one that the cluster fills; `read` is for one that is there."""
        inputs = {"metadata": metadata, "type": secret_type}
        outputs = {"data": None}
        given = {**_named("Secret"), **inputs} if opts.id is None else {"metadata": None}
        hidden = pulumi.ResourceOptions(additional_secret_outputs=list(_SECRET_DATA))
        super().__init__(
            "kubernetes:core/v1:Secret",
            name,
            {**given, **outputs},
            pulumi.ResourceOptions.merge(_as_of_the_sdk(opts), hidden),
        )

    @classmethod
    def read(cls, name: str, place: pulumi.Input[str], opts: pulumi.ResourceOptions) -> "Secret":
        """Reads the Secret at `place`, `namespace/name`, at every preview and update."""
        there = pulumi.ResourceOptions(id=place)
        return cls(name, None, None, pulumi.ResourceOptions.merge(opts, there))


def _named(kind: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind}


def _as_of_the_sdk(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    # Each of its resources asks for its own version of the plugin, of which others may be there.
    return pulumi.ResourceOptions.merge(_utilities.get_resource_opts_defaults(), opts)
