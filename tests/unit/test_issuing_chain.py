import pytest

from mesh_trust import InvalidInputError
from mesh_trust.issuing_chain import require_chain
from tests.certificates import Made, Recipe, ec_key, make


def below(upper: Made, name: str, path_length: int | None = None) -> Made:
    issuer = upper.certificate.subject.rfc4514_string().removeprefix("CN=")
    return make(
        Recipe(
            key=ec_key(),
            common_name=name,
            issuer=issuer,
            signer=upper.key,
            path_length=path_length,
        )
    )


ROOT = make(Recipe(path_length=3))
MIDDLE = below(ROOT, "middle", 2)
SIGNING = below(MIDDLE, "signing", 1)


def chain(root: Made, issuer: Made, *above: Made) -> list[Made]:
    found = require_chain(
        "mount",
        "corporate/pki",
        root.certificate_pem,
        issuer.certificate_pem,
        [each.certificate_pem for each in above],
    )
    known = {each.certificate: each for each in (root, issuer, *above)}
    return [known[certificate] for certificate in found]


def test_a_root_that_signs_itself() -> None:
    assert chain(ROOT, ROOT) == [ROOT]
    assert chain(ROOT, ROOT, ROOT) == [ROOT]


def test_a_chain_in_any_order() -> None:
    expected = [SIGNING, MIDDLE, ROOT]
    assert chain(ROOT, SIGNING, SIGNING, MIDDLE, ROOT) == expected
    assert chain(ROOT, SIGNING, MIDDLE) == expected


@pytest.mark.parametrize("above", [(), (SIGNING,), (ROOT, SIGNING)])
def test_a_gap_is_refused(above: tuple[Made, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"^mount: 'corporate/pki' .*'CN=signing' .* below"):
        chain(ROOT, SIGNING, *above)


def test_another_root_of_the_same_name_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="does not stand below the root 'CN=root'"):
        chain(make(Recipe(path_length=3)), SIGNING, MIDDLE, ROOT)


@pytest.mark.parametrize(
    ("root_length", "middle_length", "at_fault"),
    [(1, None, "'CN=root' .* path length 1, and 2 CAs"), (2, 0, "'CN=middle' .* length 0, and 1")],
)
def test_no_room_is_refused(root_length: int, middle_length: int | None, at_fault: str) -> None:
    root = make(Recipe(path_length=root_length))
    with pytest.raises(InvalidInputError, match=at_fault):
        chain(root, below(root, "middle", middle_length))


def test_just_enough_room_passes() -> None:
    root = make(Recipe(path_length=2))
    middle = below(root, "middle", 1)
    assert chain(root, middle) == [middle, root]
    unlimited = make(Recipe(path_length=None))
    assert len(chain(unlimited, below(unlimited, "middle"))) == 2
