"""The plugins start without the SDK, which they do not use."""

import subprocess
import sys

import pytest

from lab.directory import CHECKOUT

SDK = "pulumi.resource"
"""A module that is imported whenever the SDK is."""


def imported_with(module: str) -> set[str]:
    """The modules that a Python has imported once it has imported `module`."""
    script = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("plugin", ["kubernetes", "language", "vault"])
def test_a_plugin_imports_the_protocol_alone(plugin: str) -> None:
    imported = imported_with(f"lab.plugins.{plugin}.__main__")
    assert "pulumi.runtime.proto" in imported
    assert SDK not in imported


def test_the_sdk_comes_with_the_protocol_otherwise() -> None:
    assert SDK in imported_with("pulumi.runtime.proto")
