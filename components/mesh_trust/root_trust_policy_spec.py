"""What a RootTrustPolicy says: its arguments, and the object that is made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from .agent_vault import AgentVault, agent_vault
from .gloo_certificates import (
    CertificateOptions,
    ManagementServerCa,
    certificate_options,
    management_server_ca,
    passive_certificate_authorities,
)
from .mesh_selectors import IstioMeshSelector, apply_to_meshes, istiod_selectors
from .names import GLOO_NAMESPACE, ISTIO_NAMESPACE
from .root_trust_policy_status import AwaitStatus, check_await_status
from .structures import fields_of, require_exactly_one
from .validation import InvalidInputError, require_dns_label, require_one_of


class TrustPolicyOptions(TypedDict):
    """Where a policy is, and what it says of certificates."""

    namespace: NotRequired[str]
    """Namespace of the policy; `gloo-mesh` when absent."""
    intermediate_certificates: NotRequired[CertificateOptions]
    """How intermediates are made (Gloo: `config.intermediateCertOptions`)."""
    passive_certificate_authorities: NotRequired[Sequence[ManagementServerCa]]
    """Roots that are trusted and never sign, for the time in which roots change (Gloo:
    `config.passiveCertificateAuthorities`)."""
    auto_restart_pods: NotRequired[bool]
    """Whether Gloo restarts workloads when certificates change, all at once (Gloo:
    `config.autoRestartPods`); false when absent."""
    await_status: NotRequired[AwaitStatus]
    """Has `pulumi up` wait until Gloo has accepted the policy; it does not when absent."""


class RootTrustPolicyArgs(TrustPolicyOptions):
    """Where meshes get their intermediate CAs from, and which meshes.

    One of `vault` and `management_server_ca` is required. Gloo takes neither, and then makes a root
    of its own, which has to be asked for here: `management_server_ca: {"generated": {}}`.
    """

    cluster: NotRequired[str]
    """Name of the workload cluster, an RFC 1123 label: the default of `policy_name` and of
    `apply_to_meshes`, and required where one of them is needed."""
    policy_name: NotRequired[str]
    """Name of the policy, an RFC 1123 label; `cluster` when absent, so that policies of several
    clusters can be in one."""
    apply_to_meshes: NotRequired[Sequence[IstioMeshSelector]]
    """What it applies to (Gloo: `applyToMeshes`); when absent, the istiod in `istio-system` of the
    cluster whose KubernetesCluster has the label `cluster: <cluster>`, which Gloo does not set by
    itself. Gloo takes an empty list for every mesh there is, so an empty one is refused."""
    revisions: NotRequired[Sequence[str]]
    """Revisions of istiod, RFC 1123 labels, that the default of `apply_to_meshes` is to pick; all
    of them when absent."""
    every_mesh: NotRequired[bool]
    """True applies it to every mesh that there is; false when absent."""
    vault: NotRequired[AgentVault]
    """The Vault that istiod's agents ask (Gloo: `config.agentCa.vault`)."""
    management_server_ca: NotRequired[ManagementServerCa]
    """The root that Gloo's management server signs with (Gloo: `config.mgmtServerCa`)."""


@dataclass(frozen=True)
class PolicyObject:
    """A RootTrustPolicy to be made."""

    name: str
    namespace: str
    spec: dict[str, Any]


def policy_object(args: RootTrustPolicyArgs) -> PolicyObject:
    """The RootTrustPolicy that `args` describe; Gloo's defaults are not written out.

    What is an output among `args` is one in the spec.

    Raises:
        InvalidInputError: a field is not usable, or excludes another one.
    """
    given = fields_of(None, args, RootTrustPolicyArgs)
    if "cluster" in given:
        require_dns_label("cluster", given["cluster"])
    if "await_status" in given:
        check_await_status(given["await_status"])
    name = given.get("policy_name", given.get("cluster"))
    if name is None:
        raise InvalidInputError("policy_name", None, "name the policy, or its cluster")
    meshes = _meshes(given)
    config = _config(given)
    return PolicyObject(
        require_dns_label("policy_name", name),
        require_dns_label("namespace", given.get("namespace", GLOO_NAMESPACE)),
        {"config": config} if meshes is None else {"applyToMeshes": meshes, "config": config},
    )


def _meshes(given: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """`spec.applyToMeshes`; None stands for every mesh."""
    every_mesh = require_one_of("every_mesh", given.get("every_mesh", False), (True, False))
    for field in ("apply_to_meshes", "revisions"):
        if every_mesh and field in given:
            raise InvalidInputError(field, "…", "leave it out where every_mesh is true")
    if every_mesh:
        return None
    if "apply_to_meshes" in given:
        if "revisions" in given:
            raise InvalidInputError("revisions", "…", "name revisions in apply_to_meshes")
        return apply_to_meshes(given["apply_to_meshes"])
    if "cluster" not in given:
        raise InvalidInputError(
            "apply_to_meshes", None, "name the cluster, or the meshes, or set every_mesh"
        )
    labels = {"cluster": given["cluster"]}
    return apply_to_meshes(istiod_selectors(labels, ISTIO_NAMESPACE, given.get("revisions")))


def _config(given: Mapping[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if require_exactly_one("config", given, ("vault", "management_server_ca")) == "vault":
        config["agentCa"] = {"vault": agent_vault("vault", given["vault"])}
    else:
        config["mgmtServerCa"] = management_server_ca(
            "management_server_ca", given["management_server_ca"]
        )
    config["autoRestartPods"] = require_one_of(
        "auto_restart_pods", given.get("auto_restart_pods", False), (True, False)
    )
    options = certificate_options(
        "intermediate_certificates", given.get("intermediate_certificates", {})
    )
    if options:
        config["intermediateCertOptions"] = options
    if "passive_certificate_authorities" in given:
        config["passiveCertificateAuthorities"] = passive_certificate_authorities(
            "passive_certificate_authorities", given["passive_certificate_authorities"]
        )
    return config
