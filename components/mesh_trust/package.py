"""What programs in other languages than Python get of this package.

`python -m mesh_trust.package` prints its schema, the contract with them.
"""

import json
from importlib.metadata import version

from pulumi.provider.experimental.component import ComponentProvider

from .agent_rbac import AgentRbac
from .agent_release import AgentRelease
from .cluster_auth_mount import ClusterAuthMount
from .cluster_ca import ClusterCa
from .cluster_jwt_auth_mount import ClusterJwtAuthMount
from .cluster_trust import ClusterTrust
from .external_root_pki import ExternalRootPki
from .intermediate_pki import IntermediatePki
from .istiod_agent import IstiodAgent
from .package_schema import Components, package_schema
from .root_ca import RootCa
from .root_pki import RootPki
from .root_trust_policy import RootTrustPolicy
from .vault_administrator import VaultAdministrator
from .vault_install import VaultInstall
from .vault_tls import VaultTls

NAME = "mesh-trust"
"""Name of the package, with which the types of its components begin."""

_VERSION = version("mesh-trust")

COMPONENTS: Components = [
    AgentRbac,
    AgentRelease,
    ClusterAuthMount,
    ClusterCa,
    ClusterJwtAuthMount,
    ClusterTrust,
    ExternalRootPki,
    IntermediatePki,
    IstiodAgent,
    RootCa,
    RootPki,
    RootTrustPolicy,
    VaultAdministrator,
    VaultInstall,
    VaultTls,
]


def provider() -> ComponentProvider:
    """What serves the components to the engine."""
    made = ComponentProvider(COMPONENTS, NAME, version=_VERSION)
    made.schema = schema()
    return made


def schema() -> str:
    """The package's schema, as Pulumi defines it, in JSON."""
    return package_schema(COMPONENTS, NAME, _VERSION)


if __name__ == "__main__":
    print(json.dumps(json.loads(schema()), indent=2, sort_keys=True))
