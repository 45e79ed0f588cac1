"""Command lines of helm, field by field."""

import pytest

from lab.plugins.kubernetes.helm.arguments import installation, uninstallation, upgrade
from lab.plugins.kubernetes.helm.fields import complete
from lab.plugins.provider.values import Properties

PATH = "/charts/example"


def _release(**fields: object) -> Properties:
    given: Properties = {"name": "example", "namespace": "here", "chart": "x"}
    given.update(fields)  # type: ignore[arg-type]
    return complete(given, {"secret": "never on a command line"})


def test_installation() -> None:
    assert installation(_release(), PATH) == [
        *("install", "--namespace", "here", "--timeout", "300s", "--values", "-", "--wait"),
        *("--", "example", PATH),
    ]


def test_upgrade() -> None:
    assert upgrade(_release(), PATH) == [
        *("upgrade", "--namespace", "here", "--timeout", "300s", "--values", "-", "--wait"),
        # Without one, helm has a limit of its own.
        *("--history-max", "0", "--", "example", PATH),
    ]


def test_uninstallation() -> None:
    assert uninstallation(_release(timeout=5)) == [
        *("uninstall", "--namespace", "here", "--timeout", "5s", "--wait", "--", "example"),
    ]


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        ({}, True),
        ({"skipAwait": True}, False),
        ({"skipAwait": True, "atomic": True}, True),
    ],
)
def test_uninstallation_waits(fields: dict[str, object], waits: bool) -> None:
    assert ("--wait" in uninstallation(_release(**fields))) is waits


@pytest.mark.parametrize(
    ("field", "installs", "upgrades"),
    [
        ("atomic", "--atomic", "--atomic"),
        ("cleanupOnFail", None, "--cleanup-on-fail"),
        ("createNamespace", "--create-namespace", None),
        ("disableCRDHooks", None, "--no-hooks"),
        ("disableOpenapiValidation", "--disable-openapi-validation", None),
        ("disableWebhooks", "--no-hooks", None),
        ("forceUpdate", None, "--force"),
        ("recreatePods", None, "--recreate-pods"),
        ("renderSubchartNotes", "--render-subchart-notes", "--render-subchart-notes"),
        ("replace", "--replace", None),
        ("resetValues", None, "--reset-values"),
        ("reuseValues", None, "--reuse-values"),
        ("skipCrds", "--skip-crds", None),
        ("takeOwnership", "--take-ownership", "--take-ownership"),
        ("waitForJobs", "--wait-for-jobs", "--wait-for-jobs"),
        # Looked at by others, or by nobody.
        ("allowNullValues", None, None),
        ("dependencyUpdate", None, None),
        ("devel", None, None),
        ("lint", None, None),
        ("verify", None, None),
    ],
)
def test_switches(field: str, installs: str | None, upgrades: str | None) -> None:
    on, off = _release(**{field: True}), _release(**{field: False})

    for command, flag in ((installation, installs), (upgrade, upgrades)):
        added = set(command(on, PATH)) - set(command(off, PATH))
        assert added == ({flag} if flag else set())


def test_nothing_is_awaited_where_the_program_says_so() -> None:
    release = _release(skipAwait=True, waitForJobs=True)

    assert {"--wait", "--wait-for-jobs"} & {*installation(release, PATH)} == set()
    assert {"--wait", "--wait-for-jobs"} & {*upgrade(release, PATH)} == set()


@pytest.mark.parametrize(
    ("fields", "flag", "value"),
    [
        ({"description": "--why"}, "--description", "--why"),
        ({"postrender": "./render"}, "--post-renderer", "./render"),
        ({"timeout": 7}, "--timeout", "7s"),
        ({"maxHistory": 3}, "--history-max", "3"),
    ],
)
def test_fields_with_a_value(fields: dict[str, object], flag: str, value: str) -> None:
    arguments = upgrade(_release(**fields), PATH)

    assert arguments[arguments.index(flag) + 1] == value


def test_values_are_never_on_a_command_line() -> None:
    release = _release()

    for arguments in (installation(release, PATH), upgrade(release, PATH)):
        assert not any("never" in argument for argument in arguments)
