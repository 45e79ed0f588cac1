from typing import Any

import pytest

from mesh_trust import InvalidInputError, RootCertificateArgs
from mesh_trust.root_profile import RootProfile, require_as_asked
from mesh_trust.vault_root import vault_profile
from tests.certificates import Recipe, make, rsa_key

PLAIN: RootCertificateArgs = {"common_name": "root", "key_algorithm": "ECDSA-P256"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"common_name": ""}, "^common_name: "),
        ({"common_name": "x" * 65}, "^common_name: "),
        ({"organization": ""}, "^organization: '' .*leave it out"),
        ({"organization": "x" * 65}, "^organization: "),
        ({"organization": " padded"}, "^organization: ' padded' .*without outer spaces"),
        ({"organizational_unit": "x" * 65}, "^organizational_unit: "),
        ({"country": "Germany"}, "^country: 'Germany' .*two capital letters"),
        ({"country": "de"}, "^country: 'de' .*two capital letters"),
        ({"province": "x" * 129}, "^province: "),
        ({"locality": "x" * 129}, "^locality: "),
        ({"key_algorithm": "RSA-2048"}, "^key_algorithm: .*RSA-4096, RSA-3072, ECDSA-P256, ECDSA"),
        ({"key_algorithm": "Ed25519"}, "^key_algorithm: "),
        ({"lifetime_days": 0}, "^lifetime_days: 0 "),
        ({"path_length": 0}, "^path_length: 0 .*1 or more"),
        ({"path_length": True}, "^path_length: True "),
    ],
)
def test_a_profile_that_makes_no_usable_root_is_refused(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        RootProfile.of({**PLAIN, **change})  # type: ignore[typeddict-item]


def test_the_longest_values_pass() -> None:
    profile = RootProfile.of(
        {
            "common_name": "x" * 64,
            "organization": "x" * 64,
            "organizational_unit": "x" * 64,
            "country": "DE",
            "province": "x" * 128,
            "locality": "x" * 128,
        }
    )
    assert profile.country == "DE"


@pytest.mark.parametrize("field", ["organization", "organizational_unit", "province", "locality"])
def test_vault_is_given_no_comma_that_it_would_split_at(field: str) -> None:
    args: Any = {**PLAIN, field: "Example, Inc."}
    assert RootProfile.of(args)
    with pytest.raises(InvalidInputError, match=f"^{field}: 'Example, Inc.' .*two names of it"):
        vault_profile(args)
    assert vault_profile({**PLAIN, "common_name": "root, mesh"}).common_name == "root, mesh"


def test_what_was_made_as_asked_for_passes() -> None:
    certificate_pem = make().certificate_pem
    # The recipe's root is valid for a day more, from yesterday on.
    profile = RootProfile.of({**PLAIN, "lifetime_days": 3651})
    assert require_as_asked("field", certificate_pem, profile)


@pytest.mark.parametrize(
    ("recipe", "difference"),
    [
        (Recipe(common_name="other"), "common name 'other' instead of 'root'"),
        (Recipe(ends=365), "lifetime 366 days instead of 3651 days"),
        (Recipe(path_length=None), "path length none instead of 1"),
        (Recipe(path_length=2), "path length 2 instead of 1"),
        (Recipe(key=rsa_key(2048)), "key RSA 2048 instead of ECDSA 256"),
    ],
)
def test_what_was_made_otherwise_is_refused(recipe: Recipe, difference: str) -> None:
    profile = RootProfile.of({**PLAIN, "lifetime_days": 3651})
    with pytest.raises(InvalidInputError, match=f"it was made with {difference}: "):
        require_as_asked("field", make(recipe).certificate_pem, profile)


def test_a_name_that_was_left_out_or_added_is_a_difference() -> None:
    certificate = make().certificate
    profile = RootProfile.of({**PLAIN, "lifetime_days": 3651, "organization": "Example"})
    assert profile.differences(certificate) == ["organization none instead of 'Example'"]
