"""The plugin's executable: `python -m lab.plugins.vault [engine address]`."""

import lab.plugins.without_sdk  # noqa: F401  before all that imports the protocol
from lab.plugins.provider.serve import serve
from lab.plugins.vault.provider import VaultProvider

if __name__ == "__main__":
    serve(VaultProvider())
