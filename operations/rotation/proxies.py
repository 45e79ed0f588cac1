"""What Istio's proxies trust, and how old their certificates may be, by what their pods show."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ..finding import State
from .workload import SIDECAR, proxy_of

Found = tuple[State, str, str | None]
"""State, what was seen, and what to do."""

_TAKES_BUNDLE = "PROXY_CONFIG_XDS_AGENT"
_LIFETIME = "SECRET_TTL"
_DEFAULT_LIFETIME = timedelta(hours=24)
"""What a proxy asks for (Istio, pilot/cmd/pilot-agent/options/options.go, SECRET_TTL)."""
_ENDED = ("Succeeded", "Failed")
_UNITS = {"h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
_SHOWN = 5


def proxies_that_trust_one(pods: Iterable[Any]) -> Iterator[Found]:
    """Those that do not take several roots.

    A proxy without PROXY_CONFIG_XDS_AGENT trusts the last certificate of istiod's answer to its
    request alone, whichever of the roots that is (Istio, security/pkg/nodeagent/cache/
    secretcache.go and security/pkg/server/ca/server.go).
    """
    proxies = list(_proxies(pods))
    without = [
        pod for pod, proxy in proxies if _variable(proxy, _TAKES_BUNDLE) not in ("true", "1")
    ]
    if without:
        yield (
            State.FAILED,
            f"{len(without)} of {len(proxies)} pods with Istio's sidecar lack "
            f"{_TAKES_BUNDLE}=true, without which a proxy trusts one root only: {_named(without)}",
            f'set meshConfig.defaultConfig.proxyMetadata.{_TAKES_BUNDLE} to "true" in Istio\'s '
            "values, and restart them: `mesh-trust rotate intermediates --restart-apps`",
        )
        return
    yield (
        State.OK,
        f"all {len(proxies)} pods with Istio's sidecar take several roots ({_TAKES_BUNDLE})",
        None,
    )


def proxies_with_old_certificates(
    pods: Iterable[Any], since: datetime | None, cluster: str, now: datetime | None = None
) -> Iterator[Found]:
    """Those whose certificate may be of before `since`, when istiod got its present CA."""
    proxies = list(_proxies(pods))
    if since is None:
        yield (
            State.UNKNOWN if proxies else State.OK,
            f"since when {len(proxies)} pods with Istio's sidecar get new certificates is not "
            "known, as no istiod runs",
            "see why there is none" if proxies else None,
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
            f"{since:%Y-%m-%dT%H:%M:%SZ}, when istiod got its CA, and may have certificates of "
            f"before: {_named([pod for pod, _ in old])}",
            f"wait until {until:%Y-%m-%dT%H:%M:%SZ}, or restart them: `kubectl rollout restart`, "
            f"or `mesh-trust rotate intermediates --cluster {cluster} --restart-apps --namespace "
            f"{old[0][0].metadata.namespace}`",
        )
        return
    yield (
        State.OK,
        f"all {len(proxies)} pods with Istio's sidecar have certificates of after "
        f"{since:%Y-%m-%dT%H:%M:%SZ}, when istiod got its CA",
        None,
    )


def go_duration(text: str) -> timedelta | None:
    """What Go's `time.ParseDuration` makes of `text`, for the units from milliseconds up."""
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in parts), timedelta())


def _proxies(pods: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    for pod in pods:
        proxy = proxy_of(pod)
        if proxy is not None and pod.status.phase not in _ENDED:
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


def _named(pods: list[Any]) -> str:
    shown = ", ".join(f"{each.metadata.namespace}/{each.metadata.name}" for each in pods[:_SHOWN])
    left = len(pods) - _SHOWN
    return f"{shown} and {left} more" if left > 0 else shown
