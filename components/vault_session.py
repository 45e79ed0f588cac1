"""How Vault is connected to, by every client of it."""

import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests


def vault_session(address: str, ca_file: Path | None) -> "requests.Session":
    """A session for the Vault at `address`, as the engine's plugin connects to it.

    `ca_file` holds the CA certificates that Vault's own has to chain to, PEM; None means the
    system's.
    """
    # Imported here: a program that asks Vault for nothing starts faster without it.
    import requests

    session = requests.Session()
    session.verify = _system_certificates() if ca_file is None else str(ca_file)
    # A proxy of the environment is not meant for this machine itself.
    session.trust_env = not is_loopback(address)
    return session


def is_loopback(address: str) -> bool:
    """Whether a URL leads to this machine itself."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _system_certificates() -> str | bool:
    # As the plugin takes them, not the ones that requests brings.
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True
