"""RootTrustPolicies that point at their own cluster's mounts, and restart nothing by themselves."""

import re
from collections.abc import Iterator, Sequence

from .resource import CLUSTER_CA, CLUSTER_TRUST, Resource
from .rule import Rule, Settings

_TRUST_POLICY = "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy"
_VAULT = ("spec", "config", "agentCa", "vault")
_MOUNT = "vault:index/mount:Mount"
_AUTH_MOUNT = "vault:index/authBackend:AuthBackend"
_JWT_MOUNT = "vault:jwt/authBackend:AuthBackend"
_SIGNING = re.compile(r"/(?:root|issuer/[^/]+)/sign-intermediate$")
# The guide's names, for mounts that are none of the stack's.
_NAMED = (
    re.compile(r"pki_int_(?P<cluster>.+)"),
    re.compile(r"(?:kube|jwt)-(?P<cluster>.+)-mesh-auth"),
)


def restarts(resource: Resource, _: Settings) -> Iterator[str]:
    """Faults of a RootTrustPolicy that lets Gloo restart workloads."""
    if resource.type == _TRUST_POLICY and resource.at("spec", "config", "autoRestartPods") is True:
        yield (
            f"RootTrustPolicy {resource.name!r} has autoRestartPods on, by which Gloo restarts all "
            "workloads at once; turn it off, and use mesh-trust rotate intermediates"
        )


def own_mounts(resources: Sequence[Resource], _: Settings) -> Iterator[tuple[Resource, str]]:
    """RootTrustPolicies that send a cluster's agent to another cluster's mounts."""
    owners = {
        (each.type in (_AUTH_MOUNT, _JWT_MOUNT), path): cluster
        for each in resources
        if each.type in (_MOUNT, _AUTH_MOUNT, _JWT_MOUNT)
        and (path := each.text("path")) is not None
        and (cluster := _cluster(each)) is not None
    } | _own_cas(resources)
    for each in resources:
        if each.type != _TRUST_POLICY:
            continue
        csr = (each.text(*_VAULT, "csrPath") or "").partition("/intermediate/")[0]
        # Signs for all clusters, or is one cluster's own.
        signing = _SIGNING.sub("", each.text(*_VAULT, "caPath") or "")
        auth = each.text(*_VAULT, "kubernetesAuth", "mountPath") or ""
        auth = auth.removeprefix("/").removeprefix("v1/").removeprefix("auth/")
        found = {
            f"requests at {csr!r}": owners.get((False, csr)) or _named(csr),
            f"logs in at {auth!r}": owners.get((True, auth)) or _named(auth),
            f"is signed for at {signing!r}": owners.get((False, signing)),
        }
        own = _cluster(each)
        others = {told: whose for told, whose in found.items() if whose not in (None, own)}
        if own is None and len(set(found.values()) - {None}) < 2:
            continue
        for told, whose in others.items():
            yield (
                each,
                f"RootTrustPolicy {each.name!r}{_of(own)} {told}, which is of cluster {whose!r}; "
                "give it the mounts of one cluster, its own",
            )


def _cluster(resource: Resource) -> str | None:
    """The name of the ClusterTrust that it is part of."""
    return next((each.name for each in resource.parents if each.type == CLUSTER_TRUST), None)


def _own_cas(resources: Sequence[Resource]) -> dict[tuple[bool, str], str]:
    """Clusters with a CA of their own, by its mount: a ClusterCa stands beside its ClusterTrust."""
    clusters = {cluster for each in resources if (cluster := _cluster(each)) is not None}
    found = {}
    for each in resources:
        path = each.text("path")
        if each.type == _MOUNT and path is not None and each.is_within(CLUSTER_CA):
            names = {path.removeprefix("pki_"), *(p.name.removesuffix("-ca") for p in each.parents)}
            for cluster in names & clusters:
                found[False, path] = cluster
    return found


def _named(path: str) -> str | None:
    for pattern in _NAMED:
        if found := pattern.fullmatch(path):
            return found["cluster"]
    return None


def _of(cluster: str | None) -> str:
    return "" if cluster is None else f" of cluster {cluster!r}"


RULES = (
    Rule(
        "no-automatic-restarts",
        "Gloo restarts no workloads by itself.",
        restarts,
    ),
    Rule(
        "trust-policy-mounts",
        "A RootTrustPolicy sends the agent of a cluster to that cluster's own mounts.",
        of_stack=own_mounts,
    ),
)
