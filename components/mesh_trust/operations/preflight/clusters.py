"""What is looked at in a cluster."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pulumi

from mesh_trust.cluster_access import IDENTITY_NAMESPACE, ClusterAccess
from mesh_trust.cluster_errors import ClusterSilentError
from mesh_trust.environment.servers import (
    Questions,
    Seen,
    cluster_questions,
    look_at_cluster,
    loopback_warning,
    same_cluster,
    what_is_lacking,
)
from mesh_trust.root_trust_policy_status import API_VERSION, PLURAL
from mesh_trust.settings import MANAGEMENT, Cluster, Connection, Settings

from ..about import About
from ..cluster_client import ClusterClient
from ..cluster_questions import ClusterQuestions
from ..finding import Finding
from ..runner import Check
from ..unreachable import UnreachableError
from .api_server import answer_findings, version_findings
from .gloo_agent import gloo_agent_findings
from .gloo_management import management_findings
from .istio import istio_findings
from .rights import rights_findings

_CHECK_OF_LACK = {
    "definition": "gloo-definitions",
    "policy namespace": "gloo-namespace",
    "istio namespace": "istio-namespace",
    "istiod": "istiod",
}
_SEEN = ("gloo-definitions", "gloo-namespace", "istio-namespace")


def subject_of(name: str) -> str:
    """The subject of findings about the cluster `name`."""
    return f"cluster {name}"


def cluster_checks(settings: Settings) -> dict[str, list[Check]]:
    """The checks by subject: of each workload cluster, and of the management cluster if told."""
    questions = cluster_questions(settings)
    checks = {
        subject_of(cluster.name): _of_workload(settings, cluster, questions[cluster.name])
        for cluster in settings.clusters
    }
    if settings.management is not None:
        checks[subject_of(MANAGEMENT)] = _of_management(
            settings, settings.management, questions.get(MANAGEMENT)
        )
    return checks


def _of_workload(settings: Settings, cluster: Cluster, asked: Questions) -> list[Check]:
    subject, asks = subject_of(cluster.name), ClusterQuestions(cluster.connection)
    return [
        asks.check("api-server", partial(answer_findings, subject), is_needed=True),
        asks.check("api-version", partial(_version, subject, cluster)),
        Check("kubernetes-host", partial(_vaults_way, subject, settings, cluster)),
        asks.check("permissions", partial(_rights, subject, settings, cluster.name)),
        Check("gloo-definitions", partial(_lacks, subject, cluster.place, asked)),
        asks.check("gloo-agent", partial(_gloo_agent, subject, cluster)),
        asks.check("istiod", partial(_istio, subject, cluster)),
    ]


def _of_management(
    settings: Settings, connection: Connection, asked: Questions | None
) -> list[Check]:
    subject, asks = subject_of(MANAGEMENT), ClusterQuestions(connection)
    checks = [
        asks.check("api-server", partial(answer_findings, subject), is_needed=True),
        asks.check("api-version", partial(_version, subject, None)),
        asks.check(
            "gloo-management-server",
            lambda client: management_findings(subject, client, settings),
        ),
    ]
    if MANAGEMENT in settings.connections:
        checks.append(asks.check("permissions", partial(_rights, subject, settings, MANAGEMENT)))
    if asked is not None:
        checks.append(Check("gloo-definitions", partial(_lacks, subject, MANAGEMENT, asked)))
    return checks


def _version(subject: str, cluster: Cluster | None, client: ClusterClient) -> Iterator[Finding]:
    return version_findings(subject, client, cluster)


def _rights(
    subject: str, settings: Settings, place: str, client: ClusterClient
) -> Iterator[Finding]:
    return rights_findings(subject, client, settings, place)


def _gloo_agent(subject: str, cluster: Cluster, client: ClusterClient) -> Iterator[Finding]:
    return gloo_agent_findings(subject, client, cluster)


def _istio(subject: str, cluster: Cluster, client: ClusterClient) -> Iterator[Finding]:
    return istio_findings(subject, client, cluster)


def _vaults_way(subject: str, settings: Settings, cluster: Cluster) -> Iterator[Finding]:
    about = About("kubernetes-host", subject)
    warning = loopback_warning(settings, cluster)
    if warning is not None:
        seen, _, fix = warning.partition("; ")
        yield about.warning(seen, fix)
    elif cluster.api_server is None:
        yield about.ok("Vault asks nobody there, with reviewerMode jwt")
    else:
        yield about.ok(f"Vault is told to ask {cluster.api_server.address}")


def _lacks(subject: str, place: str, asked: Questions) -> Iterator[Finding]:
    """What has to be there before, and what `pulumi up` would say of it."""
    seen = _seen(asked)
    lacking = {_CHECK_OF_LACK[each.what]: each for each in what_is_lacking(place, asked, seen)}
    wanted = {
        "gloo-definitions": asked.policy_namespace and "it knows RootTrustPolicies",
        "gloo-namespace": asked.policy_namespace and f"namespace {asked.policy_namespace} is there",
        "istio-namespace": asked.istio_namespace and f"namespace {asked.istio_namespace} is there",
    }
    for check in _SEEN:
        if check in lacking:
            problem = lacking[check].problem
            fix = f"{problem.fix.partition(': ')[0]} ({problem.field})"
            yield About(check, subject).failed(_absent(check, asked), fix)
        elif (well := wanted[check]) is not None:
            yield About(check, subject).ok(well)


def _absent(check: str, asked: Questions) -> str:
    if check == "gloo-definitions":
        return f"its API server does not know {PLURAL} of {API_VERSION}"
    namespace = asked.policy_namespace if check == "gloo-namespace" else asked.istio_namespace
    return f"namespace {namespace} is not there"


def _seen(asked: Questions) -> Seen:
    try:
        return look_at_cluster(asked)
    except (ClusterSilentError, pulumi.RunError) as error:
        seen, _, fix = str(error).partition("; ")
        context = asked.connection.context
        raise UnreachableError(
            seen, fix or f"see that it runs: `kubectl --context {context} get --raw /readyz`"
        ) from None


def same_cluster_findings(settings: Settings) -> Iterator[Finding]:
    """Whether every context leads to a cluster of its own, whichever address it has."""
    about = About("clusters-apart", "stack")
    identities: dict[str, str] = {}
    found: list[Finding] = []
    silent = []
    uids = _identities(settings.clusters)
    for cluster in settings.clusters:
        uid = uids[cluster.name]
        if uid is None:
            silent.append(cluster.name)
            continue
        other = identities.setdefault(uid, cluster.name)
        if other != cluster.name:
            found.append(
                about.refused(same_cluster(cluster.place, cluster.connection.context, other))
            )
    yield from found
    if silent:
        yield about.warning(
            f"not told by {', '.join(silent)}, which cannot be asked", "see what is said of these"
        )
    elif not found:
        yield about.ok("every context leads to a cluster of its own")


def _identities(clusters: Sequence[Cluster]) -> Mapping[str, str | None]:
    """Uid of each cluster's namespace kube-system; None where it cannot be asked."""

    def uid(cluster: Cluster) -> str | None:
        connection = cluster.connection
        try:
            access = ClusterAccess(connection.kubeconfig, connection.context, IDENTITY_NAMESPACE)
            return access.namespace_uid(IDENTITY_NAMESPACE)
        except (ClusterSilentError, pulumi.RunError):
            # Told by the cluster's own checks.
            return None

    with ThreadPoolExecutor(max(1, len(clusters))) as threads:
        return dict(zip((each.name for each in clusters), threads.map(uid, clusters), strict=True))
