"""istiod and the agent beside it: whether they are there, and set to take a changed root."""

from collections.abc import Iterator
from typing import Any

import yaml

from mesh_trust.agent_containers import AGENT, AGENT_INIT, DISCOVERY, MULTIROOT, PROXY_MULTIROOT
from mesh_trust.names import DEFAULT_REVISION, istiod_deployment

from ..cluster_client import ClusterClient
from ..comparison import PUT_BACK
from ..expected import ExpectedTrust
from ..finding import Finding, State
from ..istiod_environment import config_map_data, istiod_variable


def istiod_ready(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the pods of each istiod are ready, and all of the present kind."""
    check, namespace = "istiod-ready", trust.cluster.istio.namespace
    for revision in trust.cluster.istio.revisions:
        found, name = deployment(client, namespace, revision), istiod_deployment(revision)
        place = f"Deployment {namespace}/{name}"
        fix = f"see `kubectl --context {client.context} describe deployment -n {namespace} {name}`"
        if found is None:
            yield Finding(check, trust.subject, State.FAILED, f"there is no {place}", fix)
            continue
        wanted, status = found.spec.replicas, found.status
        ready, updated = status.ready_replicas or 0, status.updated_replicas or 0
        if not wanted:
            seen = f"{place} is scaled to no pods"
            yield Finding(check, trust.subject, State.WARNING, seen, fix)
        elif status.observed_generation != found.metadata.generation or updated < wanted:
            seen = (
                f"{place} is being rolled out: {updated} of {wanted} pods are of the present kind"
            )
            yield Finding(check, trust.subject, State.FAILED, seen, fix)
        elif ready < wanted:
            seen = f"{place}: {ready} of {wanted} pods are ready"
            yield Finding(check, trust.subject, State.FAILED, seen, fix)
        else:
            seen = f"{place}: all {wanted} pods are ready"
            yield Finding(check, trust.subject, State.OK, seen)


def istiod_agent(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether the agent's containers are in istiod's pods, of the version that is configured."""
    check, agent = "istiod-agent", trust.cluster.agent
    for place, pod in _pods(client, trust):
        # Gloo's documentation calls both by one name.
        init = _named(pod.init_containers, AGENT_INIT) or _named(pod.init_containers, AGENT)
        sidecar = _named(pod.containers, AGENT)
        lacking = ["container"] if sidecar is None else []
        lacking += ["init container"] if init is None else []
        fix = PUT_BACK if agent is not None else "put it there: see docs/istiod-agent.md"
        if sidecar is None or init is None:
            seen = f"{place} has no {' and no '.join(lacking)} {AGENT}"
            yield Finding(check, trust.subject, State.FAILED, seen, fix)
            continue
        version = None if agent is None else agent.args["version"]
        tag = sidecar.image.rpartition(":")[2]
        if version is not None and tag != version:
            seen = f"{place}: the agent is of version {tag}, not {version}"
            yield Finding(check, trust.subject, State.FAILED, seen, fix)
            continue
        yield Finding(check, trust.subject, State.OK, f"{place} has the agent, {sidecar.image}")


def istiod_multiroot(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether istiod takes a bundle of roots that changes while it runs."""
    check, (name, value) = "istiod-multiroot", MULTIROOT
    namespace = trust.cluster.istio.namespace
    for place, pod in _pods(client, trust):
        found = istiod_variable(client, namespace, pod, name)
        if found != value:
            seen = f"{place}: {name} of container {DISCOVERY} is {_instead(found, value)}"
            state, fix = State.FAILED, PUT_BACK
            if trust.cluster.agent is None:
                state, fix = State.WARNING, "set it before the root is rotated"
            yield Finding(check, trust.subject, state, seen, fix)
            continue
        seen = f"{place} has {name}={value}"
        yield Finding(check, trust.subject, State.OK, seen)


def proxy_multiroot(client: ClusterClient, trust: ExpectedTrust) -> Iterator[Finding]:
    """Whether proxies take a bundle of roots that changes while they run."""
    check, (name, value) = "proxy-multiroot", PROXY_MULTIROOT
    namespace = trust.cluster.istio.namespace
    for revision in trust.cluster.istio.revisions:
        mesh = "istio" if revision == DEFAULT_REVISION else f"istio-{revision}"
        data = config_map_data(client, namespace, mesh)
        path = f"defaultConfig.proxyMetadata.{name}"
        found = _proxy_metadata(data.get("mesh", "")).get(name)
        if str(found).lower() != value:
            seen = f"ConfigMap {namespace}/{mesh}: {path} is {_instead(found, value)}"
            fix = (
                f"set meshConfig.{path} to {value!r} where Istio is installed, and restart the "
                "workloads, before the root is rotated"
            )
            yield Finding(check, trust.subject, State.WARNING, seen, fix)
            continue
        seen = f"ConfigMap {namespace}/{mesh} has {name}={value} for proxies"
        yield Finding(check, trust.subject, State.OK, seen)


def deployment(client: ClusterClient, namespace: str, revision: str) -> Any | None:
    """istiod's Deployment; None where there is none.

    Raises:
        UnreachableError: it cannot be read.
    """
    read, name = client.apps.read_namespaced_deployment, istiod_deployment(revision)
    return client.found_once(f"Deployments in {namespace}", read, name, namespace)


def _pods(client: ClusterClient, trust: ExpectedTrust) -> Iterator[tuple[str, Any]]:
    """What each istiod's Deployment makes its pods of; none for one that is not there."""
    namespace = trust.cluster.istio.namespace
    for revision in trust.cluster.istio.revisions:
        found = deployment(client, namespace, revision)
        if found is not None:
            place = f"Deployment {namespace}/{found.metadata.name}"
            yield place, found.spec.template.spec


def _instead(found: object, wanted: str) -> str:
    return "not set" if found in (None, "") else f"{found}, not {wanted}"


def _named(containers: Any, name: str) -> Any | None:
    return next((each for each in containers or () if each.name == name), None)


def _proxy_metadata(mesh: str) -> dict[str, Any]:
    try:
        read = yaml.safe_load(mesh) or {}
        return dict((read.get("defaultConfig") or {}).get("proxyMetadata") or {})
    except (yaml.YAMLError, AttributeError, ValueError):
        return {}
