"""What an update of a release would change: the program's words, old and new, and the release."""

import pytest

from lab.plugins.kubernetes.helm.patch import changes
from lab.plugins.provider.values import UNKNOWN, Properties

OLD: Properties = {"name": "a", "values": {"port": 1, "list": [1, 2], "deep": {"x": True}}}


def _kinds(old_inputs: Properties, news: Properties, state: Properties) -> dict[str, str]:
    return {path: change.kind.name for path, change in changes(old_inputs, news, state).items()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"port": 1, "list": [1, 2], "deep": {"x": True}}, {}),
        ({"port": 2, "list": [1, 2], "deep": {"x": True}}, {"values.port": "UPDATE"}),
        ({"port": "1", "list": [1, 2], "deep": {"x": True}}, {"values.port": "UPDATE"}),
        ({"port": True, "list": [1, 2], "deep": {"x": 1}},
         {"values.port": "UPDATE", "values.deep.x": "UPDATE"}),
        ({"list": [1, 2], "deep": {"x": True}}, {"values.port": "DELETE"}),
        ({"port": None, "list": [1, 2], "deep": {"x": True}}, {"values.port": "DELETE"}),
        ({"port": 1, "list": [1, 3], "deep": {"x": True}}, {"values.list[1]": "UPDATE"}),
        ({"port": 1, "list": [1], "deep": {"x": True}}, {"values.list[1]": "DELETE"}),
        ({"port": 1, "list": [1, 2, {"y": 1}], "deep": {"x": True}}, {"values.list[2]": "ADD"}),
        ({"port": 1, "list": {"a": 1}, "deep": {"x": True}}, {"values.list": "UPDATE"}),
        ({"port": 1, "list": [1, 2], "deep": {}}, {"values.deep.x": "DELETE"}),
        ({"port": 1, "list": [1, 2], "deep": 1}, {"values.deep": "UPDATE"}),
        ({"port": 1, "list": [1, 2], "deep": {"x": True, "a.b": {}}},
         {'values.deep["a.b"]': "ADD"}),
        ({"port": UNKNOWN, "list": [UNKNOWN, 2], "deep": {"x": True, "new": UNKNOWN}},
         {"values.port": "UPDATE", "values.list[0]": "UPDATE", "values.deep.new": "ADD"}),
        ({"port": 1, "list": UNKNOWN, "deep": UNKNOWN},
         {"values.list": "UPDATE", "values.deep": "UPDATE"}),
    ],
)  # fmt: skip
def test_values(values: Properties, expected: dict[str, str]) -> None:
    assert _kinds(OLD, {"name": "a", "values": values}, {**OLD, "status": {}}) == expected


def test_objects_in_lists() -> None:
    old: Properties = {"values": {"list": [{"a": 1, "b": 2}, {"c": 3}]}}
    new: Properties = {"values": {"list": [{"a": 9}, {"c": 3, "d": 4}]}}

    assert _kinds(old, new, old) == {
        "values.list[0].a": "UPDATE",
        "values.list[0].b": "DELETE",
        "values.list[1].d": "ADD",
    }


def test_nulls_in_lists_are_equal() -> None:
    old: Properties = {"values": {"list": [None, 1]}}

    assert _kinds(old, {"values": {"list": [None, 2]}}, old) == {"values.list[1]": "UPDATE"}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"values": {"a": 1}}, {}),
        ({"values": {"a": 1, "theirs": 2}}, {}),
        ({"values": {"a": 2}}, {"values.a": "UPDATE"}),
        ({"values": {}}, {"values.a": "ADD"}),
        ({}, {"values": "ADD"}),
    ],
)
def test_drift(state: Properties, expected: dict[str, str]) -> None:
    same: Properties = {"values": {"a": 1}}

    assert _kinds(same, same, state) == expected


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        ({"name": "b", "namespace": "x"}, {"name": "UPDATE_REPLACE"}),
        ({"name": "a", "namespace": UNKNOWN}, {"namespace": "UPDATE_REPLACE"}),
        ({"name": "a"}, {"namespace": "DELETE_REPLACE"}),
        ({"name": "a", "namespace": "x", "values": {"name": "b"}}, {"values": "ADD"}),
    ],
)
def test_identity(news: Properties, expected: dict[str, str]) -> None:
    old: Properties = {"name": "a", "namespace": "x"}

    assert _kinds(old, news, old) == expected


def test_only_a_deletion_is_of_an_input() -> None:
    old: Properties = {"values": {"a": 1, "b": 1}}

    found = changes(old, {"values": {"b": 2, "c": 1}}, old)

    assert {path: change.of_input for path, change in found.items()} == {
        "values.a": True,
        "values.b": False,
        "values.c": False,
    }
