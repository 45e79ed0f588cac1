"""The stack's configuration as typed, frozen settings; the only reader of `pulumi.Config`."""

from .cluster import Cluster
from .connections import MANAGEMENT, Connection
from .problems import InvalidConfigurationError, Problems
from .root import Root
from .settings import Look, Settings

__all__ = [
    "MANAGEMENT",
    "Cluster",
    "Connection",
    "InvalidConfigurationError",
    "Look",
    "Problems",
    "Root",
    "Settings",
]
