"""Serve the plugin: `python -m lab.plugins.kubernetes [engine address]`."""

import lab.plugins.without_sdk  # noqa: F401  before all that imports the protocol
from lab.plugins.kubernetes.provider import KubernetesProvider
from lab.plugins.provider.serve import serve

if __name__ == "__main__":
    serve(KubernetesProvider())
