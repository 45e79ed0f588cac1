"""Reads from a kubeconfig what Vault must know of a cluster's API server."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .validation import InvalidInputError, require_certificates


@dataclass(frozen=True)
class ApiServer:
    """An API server as clients reach it."""

    address: str
    """`https://host[:port]`."""
    ca_certificate: str
    """CA certificates that its certificate chains to, PEM."""


def api_server(kubeconfig: Path, context: str) -> ApiServer:
    """The API server that `context` of the file `kubeconfig` points to.

    Raises:
        InvalidInputError: the file, the context or its cluster cannot be read or found, or the
            cluster has no CA certificate.
    """
    document = _load(kubeconfig)
    cluster_name = _named(document, "contexts", "context", context, kubeconfig).get("cluster")
    cluster = _named(document, "clusters", "cluster", cluster_name, kubeconfig)
    address = cluster.get("server")
    if not isinstance(address, str):
        raise InvalidInputError(
            "kubeconfig", str(kubeconfig), f"give cluster {cluster_name} a server"
        )
    return ApiServer(address.rstrip("/"), _ca_certificate(cluster, cluster_name, kubeconfig))


def require_context(kubeconfig: Path, context: str) -> str:
    """Returns `context`, which the file `kubeconfig` has.

    Raises:
        InvalidInputError: the file cannot be read, or has no such context.
    """
    _named(_load(kubeconfig), "contexts", "context", context, kubeconfig)
    return context


def _load(kubeconfig: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(kubeconfig.read_text())
    except OSError as error:
        raise InvalidInputError(
            "kubeconfig", str(kubeconfig), f"name a readable file ({error.strerror})"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InvalidInputError("kubeconfig", str(kubeconfig), "name a YAML file") from None
    if not isinstance(document, dict):
        raise InvalidInputError("kubeconfig", str(kubeconfig), "name a kubeconfig file")
    return document


def _named(
    document: dict[str, Any], group: str, member: str, name: object, kubeconfig: Path
) -> dict[str, Any]:
    listed = document.get(group)
    entries = {
        str(entry["name"]): entry[member]
        for entry in (listed if isinstance(listed, list) else ())
        if isinstance(entry, dict) and "name" in entry and isinstance(entry.get(member), dict)
    }
    if not isinstance(name, str) or name not in entries:
        known = ", ".join(sorted(entries)) or "none"
        raise InvalidInputError(f"{member} in {kubeconfig}", name, f"use one that it has: {known}")
    found: dict[str, Any] = entries[name]
    return found


def _ca_certificate(cluster: dict[str, Any], cluster_name: object, kubeconfig: Path) -> str:
    data, file = cluster.get("certificate-authority-data"), cluster.get("certificate-authority")
    if data:
        field, value = f"certificate-authority-data in {kubeconfig}", "…"
        content = _base64_text(field, str(data))
    elif file:
        path = kubeconfig.parent / str(file)
        field, value = f"certificate-authority in {kubeconfig}", str(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InvalidInputError(
                field, value, f"name a readable file ({error.strerror})"
            ) from None
    else:
        raise InvalidInputError(
            "kubeconfig",
            str(kubeconfig),
            f"give cluster {cluster_name} its certificate-authority-data: "
            "Vault has to check who answers its token reviews",
        )
    return require_certificates(field, value, content, "give it the PEM of a certificate")


def _base64_text(field: str, encoded: str) -> bytes:
    try:
        # Wrapped or ended by a line break, as in a YAML block, it is as good.
        return base64.b64decode("".join(encoded.split()), validate=True)
    except ValueError:
        raise InvalidInputError(field, "…", "give it the PEM of a certificate in base64") from None
