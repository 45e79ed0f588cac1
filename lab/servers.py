"""A server of the lab: how it is started, and how to tell whether it is well."""

from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import requests

from lab.credentials import IdentityFiles


@dataclass(frozen=True)
class Probe:
    """A question over HTTPS that a server in good health answers with status 200."""

    url: str
    authority: Path
    identity: IdentityFiles | None = None

    def failure(self, timeout: float = 3.0) -> str | None:
        """Ask, for at most `timeout` seconds, and return what is wrong, or None."""
        certificate = (
            (str(self.identity.certificate), str(self.identity.private_key))
            if self.identity
            else None
        )
        with requests.Session() as session:
            # A proxy set up for the internet knows nothing of this machine's loopback.
            session.trust_env = False
            try:
                answer = session.get(
                    self.url, verify=str(self.authority), cert=certificate, timeout=timeout
                )
            except requests.exceptions.SSLError as error:
                return f"TLS failed: {error}"
            except requests.exceptions.Timeout:
                return f"no answer within {timeout:g} s"
            except requests.exceptions.ConnectionError:
                return "does not accept connections"
        if answer.status_code == HTTPStatus.OK:
            return None
        return f"answers with HTTP status {answer.status_code}"


@dataclass(frozen=True)
class Server:
    """One process of the lab.

    `arguments` begins with the executable's absolute path and holds no secret. `ready` says that
    the server has started, `health` that it does its work.
    """

    name: str
    address: str
    arguments: tuple[str, ...]
    ready: Probe
    health: Probe
