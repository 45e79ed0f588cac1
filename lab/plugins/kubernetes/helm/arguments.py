"""The command lines by which helm does what the fields of a release ask for.

Which field counts for which command is as the official plugin has it: `disableWebhooks` is looked
at by an installation only, and `disableCRDHooks`, in spite of its name, switches off all hooks of
an upgrade.
"""

from lab.plugins.kubernetes.helm.fields import is_set, timeout_seconds
from lab.plugins.kubernetes.objects import text, whole
from lab.plugins.provider.values import Properties

_FROM_STANDARD_INPUT = ("--values", "-")

_OF_BOTH = (
    ("atomic", "--atomic"),
    ("renderSubchartNotes", "--render-subchart-notes"),
    ("takeOwnership", "--take-ownership"),
)
_OF_INSTALLATION = (
    ("createNamespace", "--create-namespace"),
    ("disableOpenapiValidation", "--disable-openapi-validation"),
    ("disableWebhooks", "--no-hooks"),
    ("replace", "--replace"),
    ("skipCrds", "--skip-crds"),
)
_OF_UPGRADE = (
    ("cleanupOnFail", "--cleanup-on-fail"),
    ("disableCRDHooks", "--no-hooks"),
    ("forceUpdate", "--force"),
    ("recreatePods", "--recreate-pods"),
    ("resetValues", "--reset-values"),
    ("reuseValues", "--reuse-values"),
)


def installation(release: Properties, chart_path: str) -> list[str]:
    """Return the arguments that install a release, whose values come on standard input."""
    return [
        "install",
        *_common(release),
        *_switched(release, _OF_INSTALLATION),
        "--",
        text(release, "name"),
        chart_path,
    ]


def upgrade(release: Properties, chart_path: str) -> list[str]:
    """Return the arguments that upgrade a release, whose values come on standard input."""
    return [
        "upgrade",
        *_common(release),
        *_switched(release, _OF_UPGRADE),
        "--history-max",
        str(whole(release, "maxHistory") or 0),
        "--",
        text(release, "name"),
        chart_path,
    ]


def uninstallation(release: Properties) -> list[str]:
    """Return the arguments that uninstall a release."""
    waits = is_set(release, "atomic") or not is_set(release, "skipAwait")
    return [
        "uninstall",
        "--namespace",
        text(release, "namespace"),
        *_timeout(release),
        *(["--wait"] if waits else []),
        "--",
        text(release, "name"),
    ]


def lint(chart_path: str) -> list[str]:
    """Return the arguments that look for faults in a chart, whose values come on standard input."""
    return ["lint", *_FROM_STANDARD_INPUT, "--", chart_path]


def _common(release: Properties) -> list[str]:
    arguments = ["--namespace", text(release, "namespace"), *_timeout(release)]
    arguments += [*_switched(release, _OF_BOTH), *_FROM_STANDARD_INPUT]
    if not is_set(release, "skipAwait"):
        arguments.append("--wait")
        if is_set(release, "waitForJobs"):
            arguments.append("--wait-for-jobs")
    for name, flag in (("description", "--description"), ("postrender", "--post-renderer")):
        if text(release, name):
            arguments += [flag, text(release, name)]
    return arguments


def _timeout(release: Properties) -> list[str]:
    return ["--timeout", f"{timeout_seconds(release)}s"]


def _switched(release: Properties, flags: tuple[tuple[str, str], ...]) -> list[str]:
    return [flag for name, flag in flags if is_set(release, name)]
