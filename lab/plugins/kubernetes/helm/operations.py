"""Installs, upgrades and uninstalls a release, and tells how far that came."""

import json
import re
from collections.abc import Callable

from lab.plugins.kubernetes.helm import arguments, fields
from lab.plugins.kubernetes.helm.chart import Chart, prepared_chart
from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.live import (
    LiveRelease,
    find_release,
    last_revision,
    revision_after,
)
from lab.plugins.kubernetes.objects import text
from lab.plugins.provider.values import Properties

_FAULT = re.compile(r"^\[ERROR\] (.*(?:\n(?!\[|==>|\n).*)*)", re.MULTILINE)


class ReleaseFailed(Exception):  # noqa: N818 - named for what it is
    """A release whose cluster has it, but not as it should be; `str()` is helm's reason."""

    def __init__(self, live: LiveRelease, reason: str) -> None:
        super().__init__(reason)
        self.live = live


def install(helm: Helm, release: Properties) -> LiveRelease:
    """Install a release; raises `HelmError` where nothing of it is left, else `ReleaseFailed`."""
    return _write(helm, release, arguments.installation, lints=False)


def upgrade(helm: Helm, release: Properties) -> LiveRelease:
    """Upgrade a release; raises `HelmError` where no revision was made, else `ReleaseFailed`."""
    return _write(helm, release, arguments.upgrade, lints=fields.is_set(release, "lint"))


def uninstall(helm: Helm, release: Properties) -> str:
    """Uninstall a release and return what helm has to say of it; raises `HelmError`.

    One that is already gone is an error.
    """
    printed = helm.run(*arguments.uninstallation(release))
    return printed.rpartition('release "')[0].removesuffix("\n")


def _write(
    helm: Helm,
    release: Properties,
    command: Callable[[Properties, str], list[str]],
    *,
    lints: bool,
) -> LiveRelease:
    namespace, name = text(release, "namespace"), text(release, "name")
    # JSON is YAML; on standard input it is seen by nobody else, and never lies in a file.
    values = json.dumps(fields.values_of(release)).encode()
    with prepared_chart(helm, release) as chart:
        if lints:
            _lint(helm, chart, values)
        before = last_revision(helm, namespace, name)
        try:
            helm.run(
                *command(release, chart.path),
                content=values,
                grace_seconds=_seconds_to_undo(release),
            )
        except HelmError as error:
            live = revision_after(helm, namespace, name, before)
            if live is None:
                raise
            raise ReleaseFailed(live, str(error)) from error
    live = find_release(helm, namespace, name)
    if live is None:
        raise HelmError("the release is gone again: something else uninstalled it")
    return live


def _seconds_to_undo(release: Properties) -> float:
    return fields.timeout_seconds(release) if fields.is_set(release, "atomic") else 0


def _lint(helm: Helm, chart: Chart, values: bytes) -> None:
    try:
        helm.run(*arguments.lint(chart.path), content=values)
    except HelmError as error:
        faults = "; ".join(_FAULT.findall(error.output)) or str(error)
        raise HelmError(f"malformed chart or values: {faults}") from error
