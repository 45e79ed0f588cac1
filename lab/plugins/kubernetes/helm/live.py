"""A release as its cluster has it."""

import json
import re
from dataclasses import dataclass
from typing import Any

from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.fields import values_of
from lab.plugins.kubernetes.helm.manifest import resource_names
from lab.plugins.kubernetes.helm.values import merged
from lab.plugins.kubernetes.objects import mapping, text, whole
from lab.plugins.provider.values import Properties

_NOT_FOUND = "release: not found"


@dataclass(frozen=True)
class LiveRelease:
    """One revision of a release; `status` is helm's word, such as `deployed` or `failed`."""

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    version: str
    app_version: str
    values: Properties
    manifest: str


def find_release(helm: Helm, namespace: str, name: str) -> LiveRelease | None:
    """Return the last revision of a release, None where there is no such release.

    Without a namespace it is looked for in all. Raises `HelmError`.
    """
    if not namespace:
        namespace = _namespace_of(helm, name)
        if not namespace:
            return None
    try:
        return _revision(helm, namespace, name, 0)
    except HelmError as error:
        if _NOT_FOUND in str(error):
            return None
        raise


def last_revision(helm: Helm, namespace: str, name: str) -> int:
    """Return the number of a release's last revision, 0 where there is no such release.

    Raises `HelmError`.
    """
    try:
        listed = helm.run(
            *("history", "--max", "1", "--output", "json", "--namespace", namespace, "--", name),
            after_cancelling=True,
        )
    except HelmError as error:
        if _NOT_FOUND in str(error):
            return 0
        raise
    revisions = [whole(entry, "revision") or 0 for entry in _decoded(listed)]
    return max(revisions, default=0)


def revision_after(helm: Helm, namespace: str, name: str, revision: int) -> LiveRelease | None:
    """Return the revision that was made after another one, None where none was.

    A rollback makes one more, so it need not be the last. Raises `HelmError`.
    """
    if last_revision(helm, namespace, name) <= revision:
        return None
    try:
        return _revision(helm, namespace, name, revision + 1)
    except HelmError as error:
        if _NOT_FOUND not in str(error):
            raise
        # A limited history has lost it already.
        return find_release(helm, namespace, name)


def with_live(release: Properties, live: LiveRelease) -> Properties:
    """Return the fields of a release, completed by what the cluster has."""
    return {
        **release,
        "name": text(release, "name") or live.name,
        "namespace": text(release, "namespace") or live.namespace,
        "chart": text(release, "chart") or live.chart,
        "version": live.version,
        "values": merged(values_of(release), live.values),
        "resourceNames": resource_names(live.manifest),
        "status": {
            "appVersion": live.app_version,
            "chart": live.chart,
            "name": live.name,
            "namespace": live.namespace,
            "revision": live.revision,
            "status": live.status,
            "version": live.version,
        },
    }


def _revision(helm: Helm, namespace: str, name: str, revision: int) -> LiveRelease:
    """Return one revision, the last one for 0."""
    status = _decoded(_asked(helm, ("status",), namespace, name, revision))
    number = whole(status, "version") or revision
    metadata = _decoded(_asked(helm, ("get", "metadata"), namespace, name, number))
    return LiveRelease(
        name=text(status, "name"),
        namespace=text(status, "namespace"),
        revision=number,
        status=text(status, "info", "status"),
        chart=text(metadata, "chart"),
        version=text(metadata, "version"),
        app_version=text(metadata, "appVersion"),
        values=mapping(status, "config"),
        manifest=text(status, "manifest"),
    )


def _asked(helm: Helm, command: tuple[str, ...], namespace: str, name: str, revision: int) -> str:
    which = ("--revision", str(revision)) if revision else ()
    return helm.run(
        *(*command, *which, "--output", "json", "--namespace", namespace, "--", name),
        after_cancelling=True,
    )


def _namespace_of(helm: Helm, name: str) -> str:
    listed = _decoded(
        helm.run(
            *("list", "--all", "--all-namespaces", "--output", "json"),
            *("--filter", f"^{re.escape(name)}$"),
            after_cancelling=True,
        )
    )
    namespaces = [text(entry, "namespace") for entry in listed if text(entry, "name") == name]
    return namespaces[-1] if namespaces else ""


def _decoded(printed: str) -> Any:
    return json.loads(printed, parse_float=_number)


def _number(written: str) -> float | int:
    number = float(written)
    return int(number) if number.is_integer() else number
