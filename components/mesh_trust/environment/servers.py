"""Looks at the servers that settings name, before anything is written to any of them."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pulumi

from mesh_trust import InvalidInputError
from mesh_trust.cluster_access import IDENTITY_NAMESPACE, ClusterAccess
from mesh_trust.cluster_errors import ClusterSilentError
from mesh_trust.names import istiod_deployment
from mesh_trust.root_trust_policy_status import API_VERSION, PLURAL
from mesh_trust.settings import MANAGEMENT, Cluster, Connection, Problems, Settings
from mesh_trust.vault_health import health_obstacle
from mesh_trust.vault_session import is_loopback
from mesh_trust.warning import warn

from .vault_servers import why_silent

_READS = f"namespaces, Deployments and the API group {API_VERSION.partition('/')[0]}"


def look_at_servers(settings: Settings, problems: Problems) -> None:
    """Notes what the servers show to be wrong with `settings`.

    A server that cannot be asked is warned of, and left to those who work with it.
    """
    _look_at_vault(settings, problems)
    for cluster in settings.clusters:
        if (warning := loopback_warning(settings, cluster)) is not None:
            warn(warning)
    questions = cluster_questions(settings)
    places = {cluster.name: cluster.place for cluster in settings.clusters}
    identities: dict[str, str] = {}
    for name, seen in _see(questions).items():
        place = places.get(name, MANAGEMENT)
        if isinstance(seen, str):
            warn(f"cluster {name} cannot be looked at beforehand: {seen}")
            continue
        part = problems.part(name)
        for lack in what_is_lacking(place, questions[name], seen):
            part.note(lack.problem)
        if name not in places or seen.identity is None:
            # The management cluster may be a workload cluster as well.
            continue
        other = identities.setdefault(seen.identity, name)
        if other != name:
            context = questions[name].connection.context
            part.note(same_cluster(place, context, other))


@dataclass(frozen=True)
class Questions:
    """What is asked of a cluster."""

    connection: Connection
    istio_namespace: str | None
    """Namespace of istiod; None where no istiod is looked for."""
    revisions: tuple[str, ...]
    """Those whose istiod has to be there, for an agent beside it."""
    policy_namespace: str | None
    """Namespace of RootTrustPolicies; None where none is to be made."""


@dataclass(frozen=True)
class Seen:
    """What a cluster shows."""

    identity: str | None
    lacks_istio_namespace: bool
    lacks_policy_namespace: bool
    lacks_revisions: tuple[str, ...]
    lacks_policies: bool
    """Whether its API server does not know RootTrustPolicies."""


@dataclass(frozen=True)
class Lack:
    """Something that is not in a cluster, and has to be."""

    what: str
    """`definition`, `policy namespace`, `istio namespace` or `istiod`."""
    problem: InvalidInputError
    """The value of the configuration that supposes it."""


def cluster_questions(settings: Settings) -> dict[str, Questions]:
    """What is asked of which cluster, by the cluster's name."""
    policy = settings.trust_policy
    in_management = policy.placement == MANAGEMENT
    questions = {
        cluster.name: Questions(
            cluster.connection,
            cluster.istio.namespace,
            cluster.istio.revisions if _needs_istiod(cluster) else (),
            None if in_management else policy.namespace,
        )
        for cluster in settings.clusters
    }
    if in_management and settings.management is not None:
        questions[MANAGEMENT] = Questions(settings.management, None, (), policy.namespace)
    return questions


def _needs_istiod(cluster: Cluster) -> bool:
    """Whether an agent goes beside an istiod that others have installed."""
    return cluster.agent is not None and not cluster.has_manifest


def _see(questions: Mapping[str, Questions]) -> Mapping[str, Seen | str]:
    """What each cluster shows, or why it shows nothing, by the cluster's name."""
    if not questions:
        return {}
    with ThreadPoolExecutor(len(questions)) as threads:
        looks = {name: threads.submit(_look, asked) for name, asked in questions.items()}
    return {name: look.result() for name, look in looks.items()}


def _look(asked: Questions) -> Seen | str:
    try:
        return look_at_cluster(asked)
    except (ClusterSilentError, pulumi.RunError) as error:
        return str(error)


def look_at_cluster(asked: Questions) -> Seen:
    """Asks a cluster.

    Raises:
        ClusterSilentError: it does not answer.
        pulumi.RunError: its kubeconfig leads nowhere, or its user may not read what is asked.
    """
    access = ClusterAccess(asked.connection.kubeconfig, asked.connection.context, _READS)
    group, _, version = API_VERSION.partition("/")
    for_policies = asked.policy_namespace is not None

    def lacks(namespace: str | None) -> bool:
        return namespace is not None and access.namespace_uid(namespace) is None

    return Seen(
        identity=access.namespace_uid(IDENTITY_NAMESPACE),
        lacks_istio_namespace=lacks(asked.istio_namespace),
        lacks_policy_namespace=lacks(asked.policy_namespace),
        lacks_revisions=tuple(
            revision
            for revision in asked.revisions
            if access.deployment(str(asked.istio_namespace), istiod_deployment(revision)) is None
        ),
        lacks_policies=for_policies and not access.serves(group, version, PLURAL),
    )


def what_is_lacking(place: str, asked: Questions, seen: Seen) -> Iterator[Lack]:
    """What the cluster that the configuration describes at `place` has not, and has to have."""
    field, context = f"{place}.context", asked.connection.context
    if seen.lacks_policies:
        fix = (
            f"install Gloo Mesh there first: its API server does not know {PLURAL} of {API_VERSION}"
        )
        yield Lack("definition", InvalidInputError(field, context, fix))
    elif seen.lacks_policy_namespace:
        fix = f"install Gloo Mesh there first: it has no namespace {asked.policy_namespace}"
        yield Lack("policy namespace", InvalidInputError(field, context, fix))
    if seen.lacks_istio_namespace:
        fix = "name the namespace of istiod, which has to be there: this one is not"
        problem = InvalidInputError(f"{place}.istioNamespace", asked.istio_namespace, fix)
        yield Lack("istio namespace", problem)
        return
    for revision in seen.lacks_revisions:
        fix = (
            f"name the revision of an istiod that is there: {asked.istio_namespace} has no "
            f"Deployment {istiod_deployment(revision)}"
        )
        yield Lack("istiod", InvalidInputError(f"{place}.istioRevisions", revision, fix))


def same_cluster(place: str, context: str, other: str) -> InvalidInputError:
    """What is wrong with the `context` at `place`, which leads to the cluster of `other`."""
    fix = f"use another context: it leads to the cluster of {other}"
    return InvalidInputError(f"{place}.context", context, fix)


def _look_at_vault(settings: Settings, problems: Problems) -> None:
    vault = settings.vault
    address = vault.install.get("address")
    if vault.is_installed or not isinstance(address, str):
        return
    if vault.ca_file is not None and vault.ca_certificate is None:
        # Noted already; the system's certificates would be blamed in its place.
        return
    obstacle = health_obstacle(address, vault.ca_certificate, None, vault.commands)
    if obstacle is not None and obstacle.kind == "address" and vault.installed is not None:
        warn(f"{obstacle.reason}: {why_silent(vault.installed, settings.management)}")
    # What time may mend is waited for where Vault is needed.
    if obstacle is None or obstacle.patience_seconds:
        return
    field, value = "vaultAddress", address
    if obstacle.kind == "certificate" and vault.ca_file is not None:
        field, value = "vaultCaFile", str(vault.ca_file)
    problems.note(InvalidInputError(field, value, f"{obstacle.advice}: {obstacle.reason}"))


def loopback_warning(settings: Settings, cluster: Cluster) -> str | None:
    """What to say of an API server that only this machine gets to, where Vault is on another."""
    if cluster.api_server is None:
        return None
    vault = settings.vault.install.get("address")
    vault_is_here = isinstance(vault, str) and is_loopback(vault)
    if vault_is_here or not is_loopback(cluster.api_server.address):
        return None
    return (
        f"{cluster.place}.kubernetesHost (cluster {cluster.name}): "
        f"{cluster.api_server.address!r} is this machine's own address, at which Vault does "
        "not get to the cluster's API server; set kubernetesHost to one at which it does"
    )
