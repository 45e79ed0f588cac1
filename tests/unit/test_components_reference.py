"""The reference of the components: as it is made, and whole."""

import json
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import mesh_trust
from mesh_trust import package_reference as reference
from mesh_trust.package import COMPONENTS
from tests.commands import run_command

CHECKOUT = Path(__file__).parents[2]

SECRETS = {
    ("AgentRbac", "reviewer_jwt"),
    ("RootCa", "private_key_pem"),
    ("VaultAdministrator", "password"),
    ("VaultInstall", "root_token"),
    ("VaultTls", "private_key"),
}
"""Outputs that the stack's state has encrypted."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    # In a process of its own: the SDK's analysis leaves files open.
    done = run_command([sys.executable, "-m", "mesh_trust.package"], CHECKOUT)
    read: dict[str, Any] = json.loads(done.stdout)
    return read


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("reference") / "components.md"
    done = run_command([sys.executable, "-m", "mesh_trust.package_reference", file], CHECKOUT)
    assert done.returncode == 0, done.stdout
    return file.read_text()


def test_the_page_is_the_one_that_is_made_of_the_docstrings(page: str) -> None:
    assert page == (CHECKOUT / "docs" / "components.md").read_text(), "make reference"


@pytest.mark.parametrize("component", COMPONENTS, ids=[each.__name__ for each in COMPONENTS])
def test_every_argument_and_output_is_in_it_by_its_name_in_python(
    schema: dict[str, Any], component: type
) -> None:
    content = schema["resources"][f"mesh-trust:index:{component.__name__}"]
    arguments = get_type_hints(component.__init__)["args"]  # type: ignore[misc]

    takes = reference.properties(content["inputProperties"], content["requiredInputs"])
    gives = reference.properties(content["properties"], content["required"], outputs=True)

    assert {
        each.name for each in takes
    } == arguments.__required_keys__ | arguments.__optional_keys__
    assert {each.name for each in gives} == set(component.__annotations__)
    assert {each.name for each in takes if each.required} == set(arguments.__required_keys__)
    assert {each.name for each in gives if each.secret} == {
        name for owner, name in SECRETS if owner == component.__name__
    }


def test_every_link_within_the_page_leads_somewhere(page: str) -> None:
    headings = {
        line.lstrip("# ").lower().replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }
    links = {part.partition(")")[0] for part in page.split("](#")[1:]}

    assert len(links) > 30
    assert links <= headings


def test_every_public_name_is_in_it(page: str) -> None:
    missing = {
        name
        for name in mesh_trust.__all__
        if f"## {name}\n" not in page
        and f"## {name.removesuffix('Args')}\n" not in page
        and f"| `{name}(" not in page
    }
    # What VaultInstall's arguments are made of, among which its fields are.
    assert missing == {"VaultServerArgs"}


@pytest.mark.parametrize(
    ("said", "default", "text"),
    [
        ("Namespace; `gloo-mesh` when absent.", "`gloo-mesh`", "Namespace."),
        ("Counts. 1 when absent.", "1", "Counts."),
        (
            "Made or not; True when absent. Else no.",
            "true",
            "Made or not; True when absent. Else no.",
        ),
        ("`token` (when absent), or `jwt`.", "`token`", "`token` (when absent), or `jwt`."),
        ("Claim; `url` when absent, or else `x`.", "", "Claim; `url` when absent, or else `x`."),
        ("Context; its current one when absent.", "", "Context; its current one when absent."),
        ("Key, PEM.", "", "Key, PEM."),
    ],
)
def test_a_default_is_what_the_docstring_says(said: str, default: str, text: str) -> None:
    [read] = reference.properties({"theField": {"type": "string", "description": said}}, [])

    assert (read.name, read.default, read.text) == ("the_field", default, text)


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("The key; secret.", True),
        ("Its key, PEM; treated as secret. Without it nothing signs.", True),
        ("Its token; goes into a Secret.", True),
        ("Name of the Secret; not secret at all.", False),
        ("Nothing secret belongs here.", False),
    ],
)
def test_what_is_secret_is_marked(said: str, secret: bool) -> None:
    [read] = reference.properties({"key": {"type": "string", "description": said}}, [])

    assert read.secret is secret


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"type": "string"}, "Input[str]"),
        ({"type": "integer", "plain": True}, "int"),
        ({"type": "array", "plain": True, "items": {"type": "number"}}, "Sequence[float]"),
        (
            {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}},
            "Input[Mapping[str, Any]]",
        ),
        ({"$ref": "#/types/mesh-trust:index:SealArgs"}, "[SealArgs](#sealargs)"),
    ],
)
def test_types_are_pythons(content: dict[str, Any], expected: str) -> None:
    [read] = reference.properties({"field": {**content, "description": "A field."}}, [])

    assert read.type == expected
