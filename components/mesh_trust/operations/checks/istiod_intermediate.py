"""The intermediate that istiod signs with: what its chain ends in, and how long it has left.

Nobody else has it, as it is in istiod's memory only. But istiod's own server shows a certificate
that istiod has signed itself, and above it the intermediate.
"""

from collections.abc import Iterator, Sequence

from cryptography import x509

from mesh_trust.issuing_chain import way_up
from mesh_trust.names import istiod_deployment
from mesh_trust.root_checks import named

from ..certificates import Thresholds
from ..cluster_client import ClusterClient
from ..expected import Expected, ExpectedTrust
from ..finding import Finding, State
from ..istiod_chain import istiod_certificates
from ..unreachable import UnreachableError
from .istiod_logs import pods

_CHECK = "istiod-intermediate"
_REVISION = "istio.io/rev"


def istiod_intermediate(
    client: ClusterClient, trust: ExpectedTrust, expected: Expected, thresholds: Thresholds
) -> Iterator[Finding]:
    """Whether each istiod signs for the stack's root, and how long its intermediate has left."""
    namespace = trust.cluster.istio.namespace
    found = pods(client, trust)
    for pod in found:
        name = pod.metadata.name
        try:
            chain = istiod_certificates(client, namespace, name)
        except UnreachableError as error:
            # The other pods may show theirs.
            yield Finding(_CHECK, trust.subject, State.UNKNOWN, str(error), error.fix)
            continue
        place, revision = f"istiod in pod {namespace}/{name}", pod.metadata.labels[_REVISION]
        yield _judged(trust, expected, thresholds, place, revision, chain)
    if not found:
        seen = f"no pod of istiod runs in {namespace}, to show what it signs with"
        fix = f"see `kubectl --context {client.context} get pods -n {namespace} -l app=istiod`"
        yield Finding(_CHECK, trust.subject, State.WARNING, seen, fix)


def _judged(
    trust: ExpectedTrust,
    expected: Expected,
    thresholds: Thresholds,
    place: str,
    revision: str,
    chain: Sequence[x509.Certificate],
) -> Finding:
    context, namespace = trust.cluster.connection.context, trust.cluster.istio.namespace
    deployment = istiod_deployment(revision)
    restart = (
        "have a new one asked for: "
        f"`kubectl --context {context} rollout restart deployment -n {namespace} {deployment}`"
    )
    path = way_up(chain[0], expected.root, [*chain[1:], expected.root])
    if path[-1] != expected.root:
        ends = named(path[-1]) if len(path) > 1 else path[0].issuer.rfc4514_string()
        seen = (
            f"{place} signs with a chain that ends in {ends}, not in the stack's root "
            f"{named(expected.root)}"
        )
        return Finding(_CHECK, trust.subject, State.FAILED, seen, restart)
    if len(path) < 3:
        seen = f"{place} signs with the root itself, and has its key"
        return Finding(_CHECK, trust.subject, State.FAILED, seen, restart)
    what = f"{place} signs for the stack's root with {named(path[1])}, which"
    return thresholds.judge(_CHECK, trust.subject, what, path[1], restart)
