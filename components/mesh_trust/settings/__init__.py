"""The stack's configuration as typed, frozen settings; the only reader of `pulumi.Config`."""

from .cluster import Cluster
from .connections import MANAGEMENT, Connection
from .problems import InvalidConfigurationError, Problems
from .root import Root
from .root_generations import Generation
from .settings import Look, Settings

__all__ = [
    "MANAGEMENT",
    "Cluster",
    "Connection",
    "Generation",
    "InvalidConfigurationError",
    "Look",
    "Problems",
    "Root",
    "Settings",
]
