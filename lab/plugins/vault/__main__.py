"""The plugin's executable: `python -m lab.plugins.vault [engine address]`."""

from lab.plugins.provider.serve import serve
from lab.plugins.vault.provider import VaultProvider

if __name__ == "__main__":
    serve(VaultProvider())
