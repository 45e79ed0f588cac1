"""Why a cluster that is looked at while something becomes ready cannot be asked at the moment."""

from .cluster_errors import ClusterRefusedError, ClusterSilentError
from .readiness import Obstacle

REFUSED_SECONDS = 15.0
"""Patience with a refusal: an API server that has just started refuses everybody until it has read
who has which rights."""


def cluster_obstacle(error: ClusterSilentError | ClusterRefusedError, kubectl: str) -> Obstacle:
    """The obstacle that `error` is to a look; `kubectl` is how a command to the cluster starts."""
    if isinstance(error, ClusterRefusedError):
        return Obstacle("refused", error.reason, error.advice, REFUSED_SECONDS)
    return Obstacle("cluster", f"the cluster cannot be asked: {error}", f"see `{kubectl} version`")
