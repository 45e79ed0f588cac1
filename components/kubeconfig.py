"""Reads from a kubeconfig what Vault must know of a cluster's API server."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .validation import InvalidInputError


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
    try:
        entries = {entry["name"]: dict(entry[member]) for entry in document.get(group) or []}
    except (KeyError, TypeError, ValueError):
        raise InvalidInputError(
            "kubeconfig", str(kubeconfig), f"give each of its {group} a name and a {member}"
        ) from None
    if name not in entries:
        known = ", ".join(sorted(map(str, entries))) or "none"
        raise InvalidInputError(member, name, f"use one that {kubeconfig} has: {known}")
    return entries[name]


def _ca_certificate(cluster: dict[str, Any], cluster_name: object, kubeconfig: Path) -> str:
    if encoded := cluster.get("certificate-authority-data"):
        try:
            return str(base64.b64decode(encoded, validate=True), "ascii")
        except (binascii.Error, TypeError, ValueError):
            raise InvalidInputError(
                "certificate-authority-data", "…", f"give cluster {cluster_name} a base64 PEM"
            ) from None
    if file := cluster.get("certificate-authority"):
        path = kubeconfig.parent / str(file)
        try:
            return str(path.read_text("ascii"))
        except OSError as error:
            raise InvalidInputError(
                "certificate-authority", str(path), f"name a readable file ({error.strerror})"
            ) from None
        except UnicodeDecodeError:
            raise InvalidInputError("certificate-authority", str(path), "name a PEM file") from None
    raise InvalidInputError(
        "kubeconfig",
        str(kubeconfig),
        f"give cluster {cluster_name} its certificate-authority-data: "
        "Vault has to check who answers its token reviews",
    )
