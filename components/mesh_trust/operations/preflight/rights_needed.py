"""What the program does in a cluster, as rights of the kubeconfig's user."""

from collections.abc import Iterator
from dataclasses import dataclass

from mesh_trust.agent_rbac import AGENT_ROLE_NAME
from mesh_trust.names import GLOO_NAMESPACE
from mesh_trust.rbac_rules import AGENT_RULES
from mesh_trust.settings import MANAGEMENT, Cluster, Settings
from mesh_trust.vault_install_args import NAMESPACE as VAULT_NAMESPACE

_READ = ("get", "list", "watch")
_MANAGE = (*_READ, "create", "patch", "delete")
# Helm keeps a release in Secrets, which it writes anew (pkg/storage/driver/secrets.go).
_KEEP_RELEASES = (*_MANAGE, "update")
_RBAC = "rbac.authorization.k8s.io"

REVIEWER_RULES = (
    ("authentication.k8s.io", ("tokenreviews",), ("create",)),
    ("authorization.k8s.io", ("subjectaccessreviews",), ("create",)),
)
"""Those of the ClusterRole system:auth-delegator, which the reviewer is bound to."""

Rules = tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
"""API group, resources, verbs."""


@dataclass(frozen=True)
class Right:
    """Something that the user has to be allowed."""

    verb: str
    group: str
    """Empty for the core group."""
    resource: str
    """With a subresource behind a slash, where one is meant."""
    namespace: str | None = None
    """None for the whole cluster."""
    name: str | None = None


@dataclass(frozen=True)
class Grant:
    """Rules that the program hands on, which takes having them, or `instead`."""

    what: str
    instead: Right
    rules: Rules


def needed_rights(settings: Settings, place: str) -> Iterator[Right]:
    """What is done in the cluster `place`, the name of a workload cluster or MANAGEMENT."""
    yield Right("get", "", "namespaces")
    policy = settings.trust_policy
    if (policy.placement == MANAGEMENT) == (place == MANAGEMENT):
        group = "admin.gloo.solo.io"
        yield from _all(_MANAGE, group, "roottrustpolicies", policy.namespace)
        if len(settings.root.generations) > 1:
            # Each generation's certificate, which the policy names.
            yield from _all(_MANAGE, "", "secrets", policy.namespace)
    if place == MANAGEMENT:
        if settings.vault.is_installed:
            yield from _of_vault(settings)
        return
    cluster = next(each for each in settings.clusters if each.name == place)
    yield from _of_login(cluster)
    yield from _of_agents(cluster)


def needed_grants(settings: Settings, place: str) -> Iterator[Grant]:
    """What the program lets others do in the cluster `place`."""
    if place == MANAGEMENT:
        if settings.vault.is_installed:
            # The chart lets Vault review tokens of its own cluster.
            yield _of_reviewer()
        return
    cluster = next(each for each in settings.clusters if each.name == place)
    if cluster.permissions["by"] == "resources":
        escalate = Right("escalate", _RBAC, "clusterroles")
        yield Grant("the ClusterRole of istiod's agent", escalate, AGENT_RULES)
        # To make a role is one thing, and to bind somebody to it another.
        bind = Right("bind", _RBAC, "clusterroles", None, AGENT_ROLE_NAME)
        yield Grant(f"the ClusterRole {AGENT_ROLE_NAME}", bind, AGENT_RULES)
    if cluster.login.get("reviewer_mode", "token") != "jwt":
        yield _of_reviewer()


def _of_reviewer() -> Grant:
    bind = Right("bind", _RBAC, "clusterroles", None, "system:auth-delegator")
    return Grant("the ClusterRole system:auth-delegator", bind, REVIEWER_RULES)


def _of_login(cluster: Cluster) -> Iterator[Right]:
    mode, namespace = cluster.login.get("reviewer_mode", "token"), cluster.istio.namespace
    if mode == "jwt":
        return
    yield from _all(_MANAGE, _RBAC, "clusterrolebindings")
    if mode != "token":
        return
    if cluster.login.get("reviewer_token_secret") is not None:
        yield from _all(_READ, "", "secrets", namespace)
        return
    yield from _all(_MANAGE, "", "serviceaccounts", namespace)
    automatic = cluster.login.get("reviewer_token") == "automatic"
    yield from _all(_READ if automatic else _MANAGE, "", "secrets", namespace)


def _of_agents(cluster: Cluster) -> Iterator[Right]:
    namespace, release = cluster.istio.namespace, cluster.permissions.get("release")
    yield from _all(("list",), "apps", "deployments", namespace)
    if release is None:
        yield from _all(_MANAGE, _RBAC, "clusterroles")
        yield from _all(_MANAGE, _RBAC, "clusterrolebindings")
    else:
        namespace_of_release = release.get("namespace", GLOO_NAMESPACE)
        yield from _all(_KEEP_RELEASES, "", "secrets", namespace_of_release)
    if cluster.agent is not None and not cluster.has_manifest:
        yield from _all((*_READ, "patch"), "apps", "deployments", namespace)
        yield from _all(_READ, "apps", "replicasets", namespace)
        yield from _all(_READ, "", "pods", namespace)
        yield from _all(_MANAGE, "", "configmaps", namespace)


def _of_vault(settings: Settings) -> Iterator[Right]:
    install = settings.vault.install
    namespace = install.get("namespace", VAULT_NAMESPACE)
    if install.get("create_namespace", True):
        yield from _all(_MANAGE, "", "namespaces")
    yield from _all(_KEEP_RELEASES, "", "secrets", namespace)
    for resource in ("configmaps", "serviceaccounts", "services"):
        yield from _all(_MANAGE, "", resource, namespace)
    yield from _all(_MANAGE, "apps", "statefulsets", namespace)
    yield from _all(_MANAGE, _RBAC, "clusterrolebindings")
    for resource in ("pods", "events", "persistentvolumeclaims"):
        yield from _all(("get", "list"), "", resource, namespace)
    yield Right("get", "", "pods/log", namespace)
    if install["mode"] == "ha":
        # Each server may label its own pod, and few of them may be taken away at a time.
        for resource in ("roles", "rolebindings"):
            yield from _all(_MANAGE, _RBAC, resource, namespace)
        yield from _all(_MANAGE, "policy", "poddisruptionbudgets", namespace)


def _all(
    verbs: tuple[str, ...], group: str, resource: str, namespace: str | None = None
) -> Iterator[Right]:
    for verb in verbs:
        yield Right(verb, group, resource, namespace)
