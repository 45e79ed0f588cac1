"""The promise of the whole setup: no CA's key in a Secret."""

from collections.abc import Iterator
from typing import Any

from ..cluster_client import ClusterClient, each_of
from ..finding import Finding, State

_KEY = "ca-key.pem"
# Istio's own, whatever the key is called in them.
_OF_ISTIO = {"cacerts": (_KEY, "tls.key"), "istio-ca-secret": (_KEY, "tls.key")}
# Large or many, and none of them can hold one.
_SELECTOR = "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token"


def ca_keys(client: ClusterClient, subject: str) -> Iterator[Finding]:
    """Whether a Secret of any namespace has a key by which istiod could be a CA without Vault.

    Only the names of keys are looked at.
    """
    check, found = "ca-keys", []
    for secret in _secrets(client):
        name, data = secret.metadata.name, secret.data or {}
        if any(key in data for key in _OF_ISTIO.get(name, (_KEY,))):
            found.append(f"{secret.metadata.namespace}/{name}")
    if found:
        namespace, _, name = found[0].partition("/")
        seen = f"a CA's key lies in a Secret: {', '.join(found)}"
        fix = (
            "see that istiod does without it, delete it, and give up what it has signed: "
            f"`kubectl --context {client.context} delete secret -n {namespace} {name}`"
        )
        yield Finding(check, subject, State.FAILED, seen, fix)
        return
    yield Finding(check, subject, State.OK, "no Secret of any namespace has a CA's key")


def _secrets(client: ClusterClient) -> Iterator[Any]:
    with client.reading("Secrets of all namespaces"):
        yield from each_of(client.core.list_secret_for_all_namespaces, field_selector=_SELECTOR)
