"""The root that workloads of each namespace start from: Istio's ConfigMap istio-ca-root-cert."""

from collections.abc import Iterator, Mapping, Sequence

from cryptography import x509

from mesh_trust.root_checks import fingerprint, named

from ..cluster_client import ClusterClient
from ..expected import Expected, ExpectedTrust
from ..finding import Finding, State
from ..root_maps import ROOT_MAP, roots_in_map

# Istio writes into none of these (pkg/config/constants, IgnoredNamespaces).
_WITHOUT = frozenset(("kube-node-lease", "kube-public", "kube-system", "local-path-storage"))
_NAMED = 5


def istio_roots(
    client: ClusterClient, trust: ExpectedTrust, expected: Expected
) -> Iterator[Finding]:
    """Whether all namespaces have the stack's root, and no other than its generations."""
    with client.reading("namespaces"):
        namespaces = [
            each.metadata.name
            for each in client.core.list_namespace().items
            if each.status.phase == "Active"
        ]
    with client.reading("ConfigMaps of all namespaces"):
        selector = f"metadata.name={ROOT_MAP}"
        maps = client.core.list_config_map_for_all_namespaces(field_selector=selector).items
    bundles = {each.metadata.namespace: roots_in_map(each) for each in maps}
    yield _judged(client, trust, expected, namespaces, bundles)


def _judged(
    client: ClusterClient,
    trust: ExpectedTrust,
    expected: Expected,
    namespaces: Sequence[str],
    bundles: Mapping[str, Sequence[x509.Certificate]],
) -> Finding:
    def finding(state: State, seen: str, fix: str | None = None) -> Finding:
        return Finding("istio-root", trust.subject, state, seen, fix)

    istiod = trust.cluster.istio.namespace
    log = f"see istiod's log: `kubectl --context {client.context} logs -n {istiod} -l app=istiod`"
    if not bundles:
        return finding(State.FAILED, f"no namespace has a ConfigMap {ROOT_MAP}", log)
    root = fingerprint(expected.root)
    without_root = [name for name, each in bundles.items() if root not in map(fingerprint, each)]
    if without_root:
        first = bundles[without_root[0]]
        there = ", ".join(map(named, first)) or "no certificate"
        seen = (
            f"{ROOT_MAP} of {_some(without_root)} has not the stack's root (SHA-256 {root}), but "
            f"{there}"
        )
        return finding(State.FAILED, seen, f"istiod has another CA, or an old one: {log}")
    foreign = {
        fingerprint(each): named(each) for bundle in bundles.values() for each in bundle
    }.keys() - expected.trusted
    if foreign:
        holders = [name for name, each in bundles.items() if foreign & set(map(fingerprint, each))]
        seen = (
            f"{ROOT_MAP} of {_some(holders)} has roots besides that are none of the stack's: "
            f"SHA-256 {', '.join(sorted(foreign))}"
        )
        return finding(State.WARNING, seen, f"find out who gives them to istiod; {log}")
    incomplete = [
        name for name, each in bundles.items() if expected.trusted - set(map(fingerprint, each))
    ]
    if incomplete:
        seen = f"{ROOT_MAP} of {_some(incomplete)} has not all generations of the root"
        fix = f"switch to none before, as `mesh-trust rotate plan` tells; {log}"
        return finding(State.WARNING, seen, fix)
    lacking = sorted(set(namespaces) - bundles.keys() - _WITHOUT)
    if lacking:
        seen = f"{_some(lacking)} has no {ROOT_MAP}; the others have the stack's root"
        fix = f"right where istiod's discoverySelectors leave them out; otherwise {log}"
        return finding(State.WARNING, seen, fix)
    return finding(State.OK, f"{ROOT_MAP} of all {len(bundles)} namespaces has the stack's root")


def _some(names: Sequence[str]) -> str:
    kind = "namespace" if len(names) == 1 else "namespaces"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{kind} {', '.join(sorted(names)[:_NAMED])}{more}"
