"""What programs in other languages than Python get of this package.

`python -m mesh_trust.package` prints its schema, the contract with them.
"""

import json
from importlib.metadata import version

import pulumi
from pulumi.provider.experimental.component import ComponentProvider

import mesh_trust

from .package_schema import Components, package_schema

NAME = "mesh-trust"
"""Name of the package, with which the types of its components begin."""

_VERSION = version("mesh-trust")

_PUBLIC = (getattr(mesh_trust, name) for name in mesh_trust.__all__)
COMPONENTS: Components = [
    each
    for each in _PUBLIC
    if isinstance(each, type) and issubclass(each, pulumi.ComponentResource)
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
