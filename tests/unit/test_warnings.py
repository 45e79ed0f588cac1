"""A warning arrives, whatever else the program has to do."""

import ast
from pathlib import Path
from typing import Any

import pulumi
import pytest

import mesh_trust
from mesh_trust.warning import warn

from .conftest import run

PACKAGE = Path(mesh_trust.__file__).parent


def arrived_when_said(say: Any, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What has arrived by the time that `say`, which gets a resource, returns."""
    seen: list[str] = []

    def program() -> pulumi.Output[Any]:
        say(pulumi.ComponentResource("test:index:Parent", "parent"))
        seen.extend(each.getMessage() for each in caplog.records)
        return pulumi.Output.from_input(None)

    run(program)
    return seen


@pytest.mark.usefixtures("recorder")
def test_it_has_arrived_when_it_was_said(caplog: pytest.LogCaptureFixture) -> None:
    assert arrived_when_said(lambda _: warn("all of it"), caplog) == ["all of it"]


@pytest.mark.usefixtures("recorder")
def test_one_of_a_resource_is_sent_later(caplog: pytest.LogCaptureFixture) -> None:
    """The control: why there is a function for it."""

    def say(resource: pulumi.Resource) -> None:
        pulumi.log.warn("of a resource", resource)

    assert arrived_when_said(say, caplog) == []


def test_nothing_warns_in_another_way() -> None:
    calls = {
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("warn", "warning")
        if ast.unparse(node).startswith(("pulumi.log.", "log."))
    }
    assert calls == {"warning.py"}
