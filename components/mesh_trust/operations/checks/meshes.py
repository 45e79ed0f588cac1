"""What Gloo knows of a cluster's Istio: its Mesh, and the certificates that it ordered."""

from collections.abc import Iterator
from typing import Any

from mesh_trust.names import GLOO_NAMESPACE

from ..cluster_client import ClusterClient
from ..expected import ExpectedTrust
from ..finding import Finding, State
from .istiod_logs import without_secrets

_GROUP, _VERSION = "internal.gloo.solo.io", "v2"
_CONTROLLER = "see that Gloo's agent and management server run: `kubectl --context {} get pods -n "
_DONE, _UNDER_WAY = ("ISSUED", "FINISHED"), ("PENDING", "REQUESTED")


def mesh(client: ClusterClient, subject: str, istio_namespace: str | None) -> Iterator[Finding]:
    """Whether Gloo has discovered the Istio in `istio_namespace`, any where None, and is up to it.

    A Mesh has no state; what is wrong with one shows in the events around it.
    """
    check = "mesh"
    found = [
        each
        for each in _objects(client, GLOO_NAMESPACE, "meshes")
        if istio_namespace in (None, _namespace(each))
    ]
    if not found:
        seen = f"Gloo has discovered no Mesh in {GLOO_NAMESPACE}"
        if istio_namespace is not None:
            seen += f" of an Istio in {istio_namespace}"
        fix = f"{_CONTROLLER.format(client.context)}{GLOO_NAMESPACE}`"
        yield Finding(check, subject, State.FAILED, seen, fix)
        return
    remarks = list(_remarks(client, found))
    names = ", ".join(each["metadata"]["name"] for each in found)
    if remarks:
        fix = (
            f"see `kubectl --context {client.context} describe meshes.{_GROUP} -n {GLOO_NAMESPACE}`"
        )
        yield Finding(check, subject, State.WARNING, "; ".join(remarks), fix)
        return
    yield Finding(check, subject, State.OK, f"Gloo has discovered {names}")


def issued_certificates(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """How far the orders for istiod's intermediates have come."""
    check, namespace = "issued-certificates", trust.cluster.istio.namespace
    found = _objects(client, namespace, "issuedcertificates")
    fix = (
        f"see `kubectl --context {client.context} describe issuedcertificates.{_GROUP} "
        f"-n {namespace}`, and the log of istiod's agent"
    )
    states = {each["metadata"]["name"]: each.get("status") or {} for each in found}
    failed = [name for name, status in states.items() if status.get("state") == "FAILED"]
    waiting = [name for name, status in states.items() if status.get("state") not in _DONE]
    if failed:
        said = [
            f"IssuedCertificate {namespace}/{name} is FAILED: "
            f"{without_secrets(str(states[name].get('error')))}"
            for name in failed
        ]
        yield Finding(check, trust.subject, State.FAILED, "; ".join(said), fix)
    elif waiting:
        said = [f"{namespace}/{name} is {states[name].get('state')}" for name in waiting]
        seen = f"an intermediate was asked for, and is not there yet: {', '.join(said)}"
        yield Finding(check, trust.subject, State.WARNING, seen, fix)
    elif not states:
        seen = f"Gloo has ordered no intermediate: {namespace} has no IssuedCertificate"
        yield Finding(check, trust.subject, State.WARNING, seen, fix)
    else:
        said = [f"{name} is {status['state']}" for name, status in states.items()]
        yield Finding(check, trust.subject, State.OK, f"IssuedCertificate {', '.join(said)}")


def _remarks(client: ClusterClient, meshes: list[dict[str, Any]]) -> Iterator[str]:
    for each in meshes:
        name, generation = each["metadata"]["name"], each["metadata"].get("generation")
        observed = (each.get("status") or {}).get("observedGeneration")
        if observed is not None and observed != generation:
            yield f"Mesh {name}: Gloo has looked at generation {observed} of {generation} only"
    selector = "involvedObject.kind=Mesh,type=Warning"
    with client.reading(f"events in {GLOO_NAMESPACE}"):
        events = client.core.list_namespaced_event(GLOO_NAMESPACE, field_selector=selector).items
    names = {each["metadata"]["name"] for each in meshes}
    for event in events:
        if event.involved_object.name in names:
            said = without_secrets(event.message or event.reason or "")
            yield f"Mesh {event.involved_object.name}: {said}"


def _namespace(mesh: dict[str, Any]) -> str | None:
    installation = (mesh.get("spec") or {}).get("installation") or {}
    namespace: str | None = installation.get("namespace")
    return namespace


def _objects(client: ClusterClient, namespace: str, plural: str) -> list[dict[str, Any]]:
    what, ask = f"{plural}.{_GROUP} in {namespace}", client.custom.list_namespaced_custom_object
    found = client.found(what, ask, _GROUP, _VERSION, namespace, plural)
    # Where the cluster knows no such objects, Gloo is not there.
    return [] if found is None else list(found["items"])
