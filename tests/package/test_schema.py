"""The contract with programs in other languages is a file, and its change a reviewed act."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pulumi
import pytest

import mesh_trust
from lab.directory import CHECKOUT, LabDirectory
from mesh_trust.package import COMPONENTS
from tests.commands import run_command


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    done = run_command([sys.executable, "-m", "mesh_trust.package"], CHECKOUT)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_the_schema_is_the_committed_one(schema: dict[str, Any]) -> None:
    """`make schema` writes it anew."""
    assert schema == json.loads((CHECKOUT / "package" / "schema.json").read_text())


def test_the_engine_takes_it(
    engine: LabDirectory, environment: dict[str, str], schema: dict[str, Any]
) -> None:
    command: list[str | Path] = [engine.engine / "pulumi", "package", "get-schema", "./package"]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["resources"]) == set(schema["resources"])


def test_every_component_is_in_it(schema: dict[str, Any]) -> None:
    public = {getattr(mesh_trust, name) for name in mesh_trust.__all__}
    assert set(COMPONENTS) == {
        each
        for each in public
        if isinstance(each, type) and issubclass(each, pulumi.ComponentResource)
    }
    assert set(schema["resources"]) == {f"mesh-trust:index:{each.__name__}" for each in COMPONENTS}


def test_everything_in_it_is_described(schema: dict[str, Any]) -> None:
    described = {**schema["resources"], **schema["types"]}
    assert [
        f"{name} {field}"
        for name, each in described.items()
        for properties in (each.get("properties", {}), each.get("inputProperties", {}))
        for field, content in properties.items()
        if not content.get("description")
    ] == []
