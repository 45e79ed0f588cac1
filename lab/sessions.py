"""HTTPS sessions with the lab's servers."""

from pathlib import Path

import requests

from lab.credentials import IdentityFiles


def session_with(authority: Path, identity: IdentityFiles | None = None) -> requests.Session:
    """Return a session that trusts one CA only, and presents a client's certificate if given."""
    session = requests.Session()
    # A proxy set up for the internet knows nothing of this machine's networks.
    session.trust_env = False
    session.verify = str(authority)
    if identity is not None:
        session.cert = (str(identity.certificate), str(identity.private_key))
    return session
