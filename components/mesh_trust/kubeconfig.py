"""Reads from a kubeconfig what Vault must know of a cluster's API server."""

import base64
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .certificate_values import require_cas, require_certificates
from .client_configuration import is_content
from .files import content_of, path_of
from .validation import InvalidInputError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where there is one: the kubeconfig of a fleet is a long file."""


@dataclass(frozen=True)
class ApiServer:
    """An API server as clients reach it."""

    address: str
    """`https://host[:port]`."""
    ca_certificate: str
    """CA certificates that its certificate chains to, PEM."""


@dataclass(frozen=True)
class Kubeconfig:
    """A kubeconfig that could be read."""

    named_by: str
    """The field that named it, for messages."""
    place: str
    """Its path; the name of the field where that has its content."""
    _folder: Path | None
    """What paths in it are relative to; None where there is no file."""
    _document: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, kubeconfig: str | Path, field: str = "kubeconfig") -> "Kubeconfig":
        """The one that `kubeconfig`, a path or the content of a file, holds; `field` has it.

        Raises:
            InvalidInputError: it cannot be read, or is not the YAML of one.
        """
        if isinstance(kubeconfig, str) and is_content(kubeconfig):
            return cls(field, field, None, _document(kubeconfig, field, "…"))
        path = path_of(field, str(kubeconfig))
        try:
            content = content_of(field, path).decode()
        except UnicodeDecodeError:
            raise InvalidInputError(field, str(path), "name a YAML file") from None
        return cls(field, str(path), path.parent, _document(content, field, str(path)))

    def api_server(self, context: str) -> ApiServer:
        """The API server that `context` points to.

        Raises:
            InvalidInputError: the context or its cluster is not there, or the cluster has no CA
                certificate.
        """
        return ApiServer(self.address(context), self.ca_certificate(context))

    def address(self, context: str) -> str:
        """Where the API server is that `context` points to, `https://host[:port]`.

        Raises:
            InvalidInputError: the context or its cluster is not there, or has no server.
        """
        name, cluster = self._cluster(context)
        address = cluster.get("server")
        if not isinstance(address, str):
            raise self._wrong(f"give cluster {name} a server")
        return address.rstrip("/")

    def ca_certificate(self, context: str) -> str:
        """The CA certificates of that API server, PEM.

        Raises:
            InvalidInputError: the context or its cluster is not there, or has none.
        """
        name, cluster = self._cluster(context)
        data, file = cluster.get("certificate-authority-data"), cluster.get("certificate-authority")
        if data:
            described, shown = f"certificate-authority-data in {self.place}", "…"
            content = _base64_text(described, str(data))
        elif file:
            described, shown = f"certificate-authority in {self.place}", str(file)
            content = self._content(described, str(file))
            shown = str(self._path(str(file)))
        else:
            raise self._wrong(
                f"give cluster {name} its certificate-authority-data: "
                "Vault has to check who answers its token reviews"
            )
        pem = require_certificates(described, shown, content, "give it the PEM of a certificate")
        return require_cas(described, shown, pem)

    def reached(self, context: str) -> tuple[object, ...]:
        """What tells the server that `context` leads to from others, for comparison.

        Raises:
            InvalidInputError: the context or its cluster is not there.
        """
        _, cluster = self._cluster(context)
        return tuple(cluster.get(member) for member in ("server", "proxy-url", "tls-server-name"))

    def require_context(self, context: str) -> str:
        """Returns `context`, which is there, and whose user's means to log in are on this machine.

        Raises:
            InvalidInputError: one of them is missing.
        """
        name = self._named("contexts", "context", context).get("user")
        # Without one, the API server takes the client for anonymous.
        user = {} if name in (None, "") else self._named("users", "user", name)
        for member in ("client-certificate", "client-key", "tokenFile"):
            if isinstance(user.get(member), str) and user[member]:
                self._content(f"{member} of user {name} in {self.place}", user[member])
        plugin = user.get("exec")
        if isinstance(plugin, dict):
            self._require_command(f"exec command of user {name} in {self.place}", plugin)
        return context

    def _cluster(self, context: str) -> tuple[object, dict[str, Any]]:
        name = self._named("contexts", "context", context).get("cluster")
        return name, self._named("clusters", "cluster", name)

    def _named(self, group: str, member: str, name: object) -> dict[str, Any]:
        listed = self._document.get(group)
        entries = {
            str(entry["name"]): entry[member]
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, dict) and "name" in entry and isinstance(entry.get(member), dict)
        }
        if not isinstance(name, str) or name not in entries:
            known = ", ".join(sorted(entries)) or "none"
            raise InvalidInputError(
                f"{member} in {self.place}", name, f"use one that it has: {known}"
            )
        found: dict[str, Any] = entries[name]
        return found

    def _require_command(self, described: str, plugin: dict[str, Any]) -> None:
        command = plugin.get("command")
        if isinstance(command, str) and command:
            # As kubectl finds it: what has a slash is relative to the file, what has none on PATH.
            beside = os.sep in command and self._folder is not None
            if shutil.which(str(self._folder / command) if beside and self._folder else command):
                return
        hint = plugin.get("installHint")
        raise InvalidInputError(
            described,
            command,
            "install this plugin, or put it on PATH"
            + (f" ({' '.join(hint.split())})" if isinstance(hint, str) else ""),
        )

    def _content(self, described: str, file: str) -> bytes:
        return content_of(described, self._path(file))

    def _path(self, file: str) -> Path:
        return Path(file) if self._folder is None else self._folder / file

    def _wrong(self, fix: str) -> InvalidInputError:
        shown = "…" if self._folder is None else self.place
        return InvalidInputError(self.named_by, shown, fix)


def api_server(kubeconfig: str | Path, context: str) -> ApiServer:
    """The API server that `context` of `kubeconfig`, a path or the content of a file, points to.

    Raises:
        InvalidInputError: the file, the context or its cluster cannot be read or found, or the
            cluster has no CA certificate.
    """
    return Kubeconfig.read(kubeconfig).api_server(context)


def _document(content: str, field: str, shown: str) -> dict[str, Any]:
    try:
        document = yaml.load(content, _Loader)
    except (yaml.YAMLError, ValueError):
        # The latter of a date that is none.
        raise InvalidInputError(field, shown, "name a YAML file") from None
    if not isinstance(document, dict):
        raise InvalidInputError(field, shown, "name a kubeconfig file")
    return document


def _base64_text(described: str, encoded: str) -> bytes:
    try:
        # Wrapped or ended by a line break, as in a YAML block, it is as good.
        return base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        raise InvalidInputError(
            described, "…", "give it the PEM of a certificate in base64"
        ) from None
