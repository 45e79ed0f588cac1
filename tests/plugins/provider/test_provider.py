import pytest

from lab.plugins.provider.provider import (
    Failure,
    Kind,
    refuse_unknown_fields,
    resource_name,
    resource_token,
)


@pytest.mark.parametrize(
    ("urn", "token", "name"),
    [
        ("urn:pulumi:dev::mesh::a:b/c:C::root", "a:b/c:C", "root"),
        ("urn:pulumi:dev::mesh::x:y:Parent$a:b/c:C::root", "a:b/c:C", "root"),
        ("urn:pulumi:dev::mesh::x:y:P$x:y:Q$a:b/c:C::with::colons", "a:b/c:C", "with::colons"),
    ],
)
def test_parts_of_a_urn(urn: str, token: str, name: str) -> None:
    assert (resource_token(urn), resource_name(urn)) == (token, name)


def test_unknown_fields_are_refused_by_name_and_known_ones_let_through() -> None:
    known = frozenset({"path", "type"})
    assert refuse_unknown_fields("a:b:C", {"path": "x", "type": "y"}, known) == []
    assert refuse_unknown_fields("a:b:C", {"path": "x", "typ": "y"}, known, "spec") == [
        Failure("spec.typ", "a:b:C has no field 'typ' in the lab's own plugin; it knows path, type")
    ]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_change_that_replaces_stays_of_its_kind(kind: Kind) -> None:
    replacing = kind.replacing()
    assert replacing.replaces
    assert replacing.name.removesuffix("_REPLACE") == kind.name.removesuffix("_REPLACE")
