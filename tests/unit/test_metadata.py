"""What pip is told of the package: all that it needs, no more, and one version everywhere."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lab.directory import CHECKOUT

PROJECT: dict[str, Any] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = {
    canonicalize_name(each.name): each for each in map(Requirement, PROJECT["dependencies"])
}
DISTRIBUTIONS = {
    module: {canonicalize_name(each) for each in names}
    for module, names in packages_distributions().items()
}


def imported(source: str) -> Iterator[str]:
    """The top-level modules that a file's code imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


def third_party(source: str) -> set[str]:
    return {
        each
        for each in imported(source)
        if each not in sys.stdlib_module_names and each != "mesh_trust"
    }


def imports_of_the_package() -> set[str]:
    files = (CHECKOUT / "components" / "mesh_trust").rglob("*.py")
    return {each for file in files for each in third_party(file.read_text())}


def undeclared(modules: set[str]) -> set[str]:
    return {each for each in modules if not DISTRIBUTIONS[each] & DEPENDENCIES.keys()}


def requirements(name: str) -> dict[str, Requirement]:
    """What a file of pins names, by its name."""
    lines = (line.partition("#")[0].strip() for line in (CHECKOUT / name).read_text().splitlines())
    pins = (Requirement(line) for line in lines if line and not line.startswith("-"))
    return {canonicalize_name(each.name): each for each in pins}


def pinned_version(pin: Requirement) -> str:
    [said] = pin.specifier
    assert said.operator == "=="
    return said.version


def test_every_import_is_declared() -> None:
    assert undeclared(imports_of_the_package()) == set()


@pytest.mark.parametrize(
    "source",
    ["import psutil", "def f():\n    from filelock import FileLock", "import grpc._cython"],
)
def test_an_import_that_is_not_declared_is_seen(source: str) -> None:
    assert undeclared(third_party(source)) == third_party(source) != set()


def test_nothing_is_declared_that_is_not_imported() -> None:
    used = set().union(*(DISTRIBUTIONS[each] for each in imports_of_the_package()))
    assert DEPENDENCIES.keys() - used == set()


def test_what_is_pinned_is_in_the_range_and_the_least_that_is() -> None:
    """Nothing older is tested, and nothing newer may be asked for."""
    pins = requirements("constraints.txt")
    for name, declared in DEPENDENCIES.items():
        pin = pinned_version(pins[name])
        assert pin in declared.specifier, f"{declared} and {pin}"
        [least] = [each.version for each in declared.specifier if each.operator == ">="]
        assert pin.startswith(least), f"{declared} begins elsewhere than {pin}"


def test_a_range_is_a_range() -> None:
    """An exact version would fit into no other program."""
    assert {each.operator for declared in DEPENDENCIES.values() for each in declared.specifier} <= {
        ">=",
        "<",
    }


def test_the_program_is_run_with_what_the_package_declares() -> None:
    assert requirements("requirements.txt").keys() == DEPENDENCIES.keys()


def test_the_version_is_one() -> None:
    version = PROJECT["version"]
    policy = yaml.safe_load((CHECKOUT / "policy" / "PulumiPolicy.yaml").read_text())
    assert policy["version"] == version
    assert json.loads((CHECKOUT / "package" / "schema.json").read_text())["version"] == version
    newest = re.search(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == version


@pytest.mark.parametrize(
    "page", sorted((CHECKOUT / "docs").glob("*.md")), ids=lambda page: page.name
)
def test_pages_name_no_other_version(page: Path) -> None:
    named = set(re.findall(r"(?:mesh-trust|package)@v([\d.]+\d)", page.read_text()))
    assert named <= {PROJECT["version"]}
