"""What differs, in words."""

import pytest

from mesh_trust.operations.comparison import differences
from tests.certificates import Recipe, make


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"a": 1}, {"a": 1, "more": 2}),
        ({"names": ["b", "a"]}, {"names": ["a", "b"]}),
        ({"pem": "text\n"}, {"pem": "text"}),
        ({"a": {"b": [{"c": 1}]}}, {"a": {"b": [{"c": 1}]}}),
    ],
)
def test_alike(expected: object, found: object) -> None:
    assert differences(expected, found) == []


@pytest.mark.parametrize(
    ("expected", "found", "said"),
    [
        ({"a": 1}, {"a": 2}, "a is 2, not 1"),
        ({"a": 1}, {}, "a is not there, not 1"),
        ({"a": False}, {"a": True}, "a is True, not False"),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "a.b is 'y', not 'x'"),
        ({"a": ["x"]}, {"a": ["x", "y"]}, "a is ['x', 'y'], not ['x']"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b is 2, not 1"),
        ({"a": [{"b": 1}]}, {"a": []}, "a is [], not [{'b': 1}]"),
    ],
)
def test_different(expected: object, found: object, said: str) -> None:
    assert differences(expected, found) == [said]


def test_what_is_there_besides_counts_where_it_should_not_be() -> None:
    expected, found = {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}

    assert differences(expected, found, "spec") == []
    assert differences(expected, found, "spec", closed=True) == [
        "spec.a.c is 2, and should not be there"
    ]


def test_certificates_are_named_and_keys_are_not_shown() -> None:
    made = make(Recipe())

    [said] = differences({"ca": made.certificate_pem}, {"ca": made.private_key_pem})

    assert said.startswith("ca is another text, not SHA-256 ")
    assert "BEGIN" not in said
