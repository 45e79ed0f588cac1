"""A server of the lab: how it is started, and how to tell whether it is well."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import requests

from lab.credentials import IdentityFiles
from lab.directory import write_private
from lab.errors import LabError
from lab.ports import LOOPBACK
from lab.sessions import session_with


@dataclass(frozen=True)
class Probe:
    """A question over HTTPS that a server in good health answers with status 200."""

    url: str
    authority: Path
    identity: IdentityFiles | None = None

    def failure(self, timeout: float = 3.0) -> str | None:
        """Ask, for at most `timeout` seconds, and return what is wrong, or None."""
        answer = _ask(self.url, self.authority, self.identity, timeout)
        if isinstance(answer, str):
            return answer
        if answer.status_code == HTTPStatus.OK:
            return None
        return f"answers with HTTP status {answer.status_code}"


@dataclass(frozen=True)
class NodeProbe:
    """A look at a node through its cluster's API server. `url` is that of the Node."""

    url: str
    authority: Path
    identity: IdentityFiles

    def failure(self, timeout: float = 3.0) -> str | None:
        """Ask, for at most `timeout` seconds, and return why the node is not ready, or None."""
        answer = _ask(self.url, self.authority, self.identity, timeout)
        if isinstance(answer, str):
            return answer
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return "is not registered"
        if answer.status_code != HTTPStatus.OK:
            return f"its API server answers with HTTP status {answer.status_code}"
        for condition in answer.json()["status"].get("conditions", ()):
            if condition["type"] == "Ready":
                ready = condition["status"] == "True"
                return None if ready else f"is not ready: {condition['message']}"
        return "has not said how it does"


@dataclass(frozen=True)
class AddressProbe:
    """Whether an interface of the host is there, with its address."""

    interface: str
    address: str

    def failure(self, timeout: float = 3.0) -> str | None:  # noqa: ARG002
        """Look, and return what is missing, or None."""
        addresses = psutil.net_if_addrs().get(self.interface)
        if addresses is None:
            return f"interface {self.interface} is missing"
        if not any(each.address == self.address for each in addresses):
            return f"interface {self.interface} does not have the address {self.address}"
        return None


@dataclass(frozen=True)
class HeartbeatProbe:
    """A file that a process touches while it does its work, at least every `seconds`."""

    path: Path
    seconds: float

    def failure(self, timeout: float = 3.0) -> str | None:  # noqa: ARG002
        """Look at the file, and return what is wrong, or None."""
        try:
            age = time.time() - self.path.stat().st_mtime
        except FileNotFoundError:
            return "has not begun its work"
        return None if age <= self.seconds else f"has not worked for {age:.0f} s"


AnyProbe = Probe | NodeProbe | AddressProbe | HeartbeatProbe


def is_in_network_of_nodes(probe: AnyProbe) -> bool:
    """Tell whether it asks at an address that is there only while the nodes' network is."""
    return isinstance(probe, Probe | NodeProbe) and urlsplit(probe.url).hostname != LOOPBACK


@dataclass(frozen=True)
class Server:
    """One process of the lab.

    `arguments` begins with the executable's absolute path and holds no secret. `ready` says that
    the server has started, `health` that it does its work.
    """

    name: str
    address: str
    arguments: tuple[str, ...]
    ready: AnyProbe
    health: AnyProbe


def write_servers(path: Path, servers: Sequence[Server]) -> None:
    """Write the servers down (JSON) for those who only look at them."""
    content = [
        asdict(each) | {"ready": _described(each.ready), "health": _described(each.health)}
        for each in servers
    ]
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


def _described(probe: AnyProbe) -> dict[str, Any]:
    return {"kind": type(probe).__name__, **asdict(probe)}


def _probe(content: dict[str, Any]) -> AnyProbe:
    match content["kind"]:
        case "Probe":
            identity = content["identity"] and _identity(content["identity"])
            return Probe(content["url"], Path(content["authority"]), identity)
        case "NodeProbe":
            return NodeProbe(
                content["url"], Path(content["authority"]), _identity(content["identity"])
            )
        case "AddressProbe":
            return AddressProbe(content["interface"], content["address"])
        case "HeartbeatProbe":
            return HeartbeatProbe(Path(content["path"]), content["seconds"])
        case kind:
            raise ValueError(f"unknown probe {kind!r}")


def _identity(content: dict[str, Any]) -> IdentityFiles:
    return IdentityFiles(Path(content["certificate"]), Path(content["private_key"]))


def _ask(
    url: str, authority: Path, identity: IdentityFiles | None, timeout: float
) -> requests.Response | str:
    """Ask over HTTPS, and return the answer, or why there is none."""
    with session_with(authority, identity) as session:
        try:
            return session.get(url, timeout=timeout)
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
