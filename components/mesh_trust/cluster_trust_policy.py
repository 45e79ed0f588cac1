"""What the RootTrustPolicy of one workload cluster says."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi

from .gloo_certificates import GLOO_LIFETIME_DAYS, ManagementServerCa
from .mesh_selectors import IstioMeshSelector, istiod_selectors
from .names import DEFAULT_REVISION, ISTIO_NAMESPACE
from .root_trust_policy_spec import RootTrustPolicyArgs
from .trust_policy_choices import check_trust_policy_choices


def cluster_meshes(args: Mapping[str, Any]) -> list[IstioMeshSelector]:
    """The selectors of the istiods of the cluster that `args`, ClusterTrustArgs, describe.

    Raises:
        InvalidInputError: a revision is none.
    """
    revisions = args.get("istio_revisions", [DEFAULT_REVISION])
    labels = args.get("cluster_labels")
    return istiod_selectors(
        {"cluster": args["cluster"]} if labels is None else labels,
        args.get("istio_namespace", ISTIO_NAMESPACE),
        # What Gloo calls an istiod without a revision of its own is not documented.
        None if DEFAULT_REVISION in revisions else revisions,
    )


def cluster_policy_args(
    args: Mapping[str, Any],
    csr_path: pulumi.Input[str],
    auth_mount_path: pulumi.Input[str],
    role_name: pulumi.Input[str],
    passive: Sequence[ManagementServerCa] = (),
) -> RootTrustPolicyArgs:
    """The policy of the cluster that `args`, ClusterTrustArgs, describe, with its ways to Vault.

    `passive` are roots that are trusted besides those that the choices of `args` name.

    Raises:
        InvalidInputError: a choice is not usable.
    """
    choices = check_trust_policy_choices(args.get("trust_policy", {}))
    choices.pop("provider", None)
    trusted = [*passive, *choices.pop("passive_certificate_authorities", ())]
    policy_args: dict[str, Any] = {
        "cluster": args["cluster"],
        "apply_to_meshes": cluster_meshes(args),
        "vault": {
            "server": args["vault_address"],
            "ca_path": args["ca_path"],
            "csr_path": csr_path,
            "namespace": args.get("vault_namespace"),
            "ca_bundle": args.get("vault_ca_certificate"),
            "kubernetes_auth": {"mount_path": auth_mount_path, "role": role_name},
        },
        **choices,
        "intermediate_certificates": {
            **choices.get("intermediate_certificates", {}),
            "ttl_days": args.get("intermediate_lifetime_days", GLOO_LIFETIME_DAYS),
        },
    }
    if trusted:
        policy_args["passive_certificate_authorities"] = trusted
    return cast(RootTrustPolicyArgs, policy_args)
