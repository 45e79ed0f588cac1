"""A server of the lab: how it is started, and how to tell whether it is well."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

from lab.credentials import IdentityFiles
from lab.directory import write_private
from lab.errors import LabError


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
            except requests.exceptions.RequestException as error:
                return f"gives no proper answer: {error}"
            except OSError as error:
                return f"a certificate to ask it with is missing: {error}"
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


def write_servers(path: Path, servers: Sequence[Server]) -> None:
    """Write the servers down (JSON) for those who only look at them."""
    content = [asdict(each) for each in servers]
    write_private(path, json.dumps(content, indent=2, default=str).encode())


def read_servers(path: Path) -> tuple[Server, ...]:
    """Read what `write_servers` wrote; none where there is no file.

    Raises:
        LabError: the file is not what `write_servers` writes.
    """
    try:
        return tuple(_server(each) for each in json.loads(path.read_text()))
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(f"{path} cannot be read ({error!r}): `make up` writes it anew") from error


def _server(content: dict[str, Any]) -> Server:
    return Server(
        content["name"],
        content["address"],
        tuple(content["arguments"]),
        ready=_probe(content["ready"]),
        health=_probe(content["health"]),
    )


def _probe(content: dict[str, Any]) -> Probe:
    identity = content["identity"]
    return Probe(
        content["url"],
        Path(content["authority"]),
        identity and IdentityFiles(Path(identity["certificate"]), Path(identity["private_key"])),
    )
