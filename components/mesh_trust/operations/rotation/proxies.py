"""What Istio's proxies trust, and how old their certificates may be, by what their pods show."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mesh_trust.agent_containers import PROXY_MULTIROOT

from ..finding import State
from ..istiod_chain import IstiodChain
from .rollout import completed, time_to_end
from .workload import ENDED, SIDECAR, proxy_of

Found = tuple[State, str, str | None]
"""State, what was seen, and what to do."""

_TAKES_BUNDLE, _ = PROXY_MULTIROOT
_LIFETIME = "SECRET_TTL"
_DEFAULT_LIFETIME = timedelta(hours=24)
"""What a proxy asks for (Istio, pilot/cmd/pilot-agent/options/options.go, SECRET_TTL)."""
_UNITS = {"h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_SHOWN = 5


def proxies_that_trust_one(pods: Iterable[Any], context: str) -> Iterator[Found]:
    """Those that do not take several roots; `context` is that of their cluster, for kubectl.

    A proxy without PROXY_CONFIG_XDS_AGENT trusts the last certificate of istiod's answer to its
    request alone, whichever of the roots that is (Istio, security/pkg/nodeagent/cache/
    secretcache.go and security/pkg/server/ca/server.go).
    """
    proxies = list(_proxies(pods))
    without = [
        (pod, proxy)
        for pod, proxy in proxies
        if _variable(proxy, _TAKES_BUNDLE) not in ("true", "1")
    ]
    if without:
        yield (
            State.FAILED,
            f"{len(without)} of {len(proxies)} pods with Istio's sidecar lack "
            f"{_TAKES_BUNDLE}=true, without which a proxy trusts one root only: "
            f"{_named([pod for pod, _ in without])}",
            f'set meshConfig.defaultConfig.proxyMetadata.{_TAKES_BUNDLE} to "true" in Istio\'s '
            f"values, and {_restart([pod for pod, _ in without], context)}",
        )
        return
    yield (
        State.OK,
        f"all {len(proxies)} pods with Istio's sidecar take several roots ({_TAKES_BUNDLE})",
        None,
    )


def proxies_with_old_certificates(
    pods: Iterable[Any], since: datetime | None, context: str, now: datetime | None = None
) -> Iterator[Found]:
    """Those whose certificate may be of before `since`.

    That is from when on nobody signs but istiods that have their present CA. `context` is that of
    the pods' cluster, for kubectl.
    """
    proxies = list(_proxies(pods))
    if since is None:
        yield (
            State.UNKNOWN if proxies else State.OK,
            f"since when {len(proxies)} pods with Istio's sidecar get new certificates is not "
            "known, as no istiod runs, or it is being rolled out",
            f"see `kubectl --context {context} get deployments -A -l app=istiod`"
            if proxies
            else None,
        )
        return
    moment = now or datetime.now(UTC)
    old = [
        (pod, since + _lifetime(proxy))
        for pod, proxy in proxies
        if _started(pod) <= since and moment < since + _lifetime(proxy)
    ]
    if old:
        until = max(renewed for _, renewed in old)
        yield (
            State.FAILED,
            f"{len(old)} of {len(proxies)} pods with Istio's sidecar have run since before "
            f"{since:%Y-%m-%dT%H:%M:%SZ}, from when on istiod signs with its present CA alone, and "
            f"may have certificates of before: {_named([pod for pod, _ in old])}",
            f"wait until {until:%Y-%m-%dT%H:%M:%SZ}, or "
            f"{_restart([pod for pod, _ in old], context)}",
        )
        return
    yield (
        State.OK,
        f"all {len(proxies)} pods with Istio's sidecar have certificates of after "
        f"{since:%Y-%m-%dT%H:%M:%SZ}, from when on istiod signs with its present CA alone",
        None,
    )


def signs_alone_since(chains: Sequence[IstiodChain], istiods: Sequence[Any]) -> datetime | None:
    """From when on at the latest nobody signs but `chains`, those of the Deployments `istiods`.

    A pod of istiod that is replaced signs with the CA of before until it has ended, which is after
    the new one has its own. None: there is no istiod, or one is being rolled out.
    """
    rollouts = [completed(each) for each in istiods]
    known = [each for each in rollouts if each is not None]
    if not chains or len(known) < len(rollouts):
        return None
    return max([*known, *(each.since for each in chains)]) + max(map(time_to_end, istiods))


def go_duration(text: str) -> timedelta | None:
    """What Go's `time.ParseDuration` makes of `text`, for the units from milliseconds up."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())


def _proxies(pods: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for pod in pods:
        proxy = proxy_of(pod)
        if proxy is not None and pod.status.phase not in ENDED:
            yield pod, proxy


def _variable(proxy: Any, name: str) -> str | None:
    return next((each.value for each in proxy.env or () if each.name == name), None)


def _lifetime(proxy: Any) -> timedelta:
    return go_duration(_variable(proxy, _LIFETIME) or "") or _DEFAULT_LIFETIME


def _started(pod: Any) -> datetime:
    """When its proxy began to run; what does not run yet begins later than anything else."""
    statuses = (
        *(pod.status.init_container_statuses or ()),
        *(pod.status.container_statuses or ()),
    )
    for each in statuses:
        if each.name == SIDECAR and each.state.running is not None:
            started: datetime = each.state.running.started_at
            return started
    return datetime.max.replace(tzinfo=UTC)


def _restart(pods: list[Any], context: str) -> str:
    """How to restart `pods` alone: after a new CA of istiod all pods would be old again."""
    namespaces = ", ".join(sorted({each.metadata.namespace for each in pods}))
    return (
        "restart what they belong to, Deployments, StatefulSets and DaemonSets of "
        f"{namespaces}: `kubectl --context {context} -n NAMESPACE rollout restart KIND/NAME`"
    )


def _named(pods: list[Any]) -> str:
    shown = ", ".join(f"{each.metadata.namespace}/{each.metadata.name}" for each in pods[:_SHOWN])
    left = len(pods) - _SHOWN
    return f"{shown} and {left} more" if left > 0 else shown
