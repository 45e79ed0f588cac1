"""When a Secret is ready: at once, unless a controller has yet to put a token into it."""

from lab.plugins.kubernetes.cluster import Cluster
from lab.plugins.kubernetes.objects import mapping, text
from lab.plugins.kubernetes.readiness import Observation, Readiness, fetch
from lab.plugins.provider.values import Properties

_TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - a type's name
_LIMIT_SECONDS = 5.0  # of the official plugin, for which no timeout option is long enough


def _observe(cluster: Cluster, written: Properties) -> Observation:
    if text(written, "type") != _TOKEN_TYPE:
        return Observation(written, is_ready=True)
    live = fetch(cluster, written)
    return Observation(live, is_ready=bool(mapping(live, "data")))


READINESS = Readiness(
    _observe, late="Timeout occurred polling for '{name}'", limit_seconds=_LIMIT_SECONDS
)
