"""Kubeconfig files with everything in them: addresses, CAs and client certificates."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from lab.certificates import Identity


@dataclass(frozen=True)
class Context:
    """Access to one cluster. `server` is its URL, `authority` its CA's certificate (PEM)."""

    name: str
    server: str
    authority: bytes
    identity: Identity


def render(contexts: Iterable[Context]) -> bytes:
    """Render the contexts, the first of them as the current one (YAML, holds private keys)."""
    contexts = list(contexts)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": context.name,
                "cluster": {
                    "server": context.server,
                    "certificate-authority-data": _encode(context.authority),
                },
            }
            for context in contexts
        ],
        "users": [
            {
                "name": f"{context.name}-admin",
                "user": {
                    "client-certificate-data": _encode(context.identity.certificate),
                    "client-key-data": _encode(context.identity.private_key),
                },
            }
            for context in contexts
        ],
        "contexts": [
            {
                "name": context.name,
                "context": {"cluster": context.name, "user": f"{context.name}-admin"},
            }
            for context in contexts
        ],
        "current-context": contexts[0].name,
    }
    return yaml.safe_dump(content, sort_keys=False).encode()


def _encode(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
