"""HashiCorp Vault as the intermediate CA of an Istio / Gloo Mesh fleet, as Pulumi components.

Its names are those of `__init__.pyi`. Each is loaded when it is used first: all of them take SDKs
that the command `mesh-trust` has no use for most of the time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
