"""How Vault is connected to, by every client of it."""

import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests
    from requests.adapters import BaseAdapter

REQUEST_SECONDS = 10
"""How long a server may take for one answer."""


def vault_client(
    address: str,
    token: str | None,
    ca_file: Path | None,
    namespace: str | None,
    seconds: int = REQUEST_SECONDS,
    transport: "BaseAdapter | None" = None,
) -> Any:
    """An `hvac.Client` of the Vault at `address`; asks nothing yet.

    Without a `token` it is the one in VAULT_TOKEN, or what `vault login` has left; an empty one is
    none at all. `ca_file` and `transport` as in `vault_session`; an answer may take `seconds`.
    """
    # Imported here: a program that asks Vault for nothing starts faster without it.
    import hvac

    return hvac.Client(
        url=address,
        token=token,
        namespace=namespace,
        session=vault_session(address, ca_file, transport),
        timeout=seconds,
    )


def vault_session(
    address: str, ca_file: Path | None, transport: "BaseAdapter | None" = None
) -> "requests.Session":
    """A session for the Vault at `address`, as the engine's plugin connects to it.

    `ca_file` holds the CA certificates that Vault's own has to chain to, PEM; None means the
    system's. `transport` makes the connections, where that is not done by name and route.
    """
    # Imported here: a program that asks Vault for nothing starts faster without it.
    import requests

    session = requests.Session()
    session.verify = _system_certificates() if ca_file is None else str(ca_file)
    # A proxy of the environment is not meant for this machine itself.
    session.trust_env = transport is None and not is_loopback(address)
    if transport is not None:
        session.mount("https://", transport)
    return session


def is_loopback(address: str) -> bool:
    """Whether a URL surely leads to this machine itself, so that nobody is on the way.

    The unspecified address does so, too (`ip(7)`, INADDR_ANY). Names below `localhost` do not
    count: not every resolver keeps them from a name server.
    """
    host = urlsplit(address).hostname or ""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return found.is_loopback or found.is_unspecified


def _system_certificates() -> str | bool:
    # As the plugin takes them, not the ones that requests brings.
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True
