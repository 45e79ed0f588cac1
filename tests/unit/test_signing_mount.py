"""What a mount of others has to be like, as far as no Vault is needed to tell."""

from dataclasses import replace

import pytest

from mesh_trust import InvalidInputError
from mesh_trust.lifetimes import SECONDS_PER_DAY, MountLifetimes
from mesh_trust.signing_mount import SigningMount
from tests.certificates import Recipe, ec_key, make

ROOT = make(Recipe(path_length=2, ends=1000.5))
BELOW = make(Recipe(key=ec_key(), common_name="below", issuer="root", signer=ROOT.key, ends=300.5))
YEAR = MountLifetimes(365 * SECONDS_PER_DAY, 365 * SECONDS_PER_DAY)
SIGNS_ITSELF = SigningMount("pki", "id", ROOT.certificate_pem, (), True, YEAR)
SIGNS_BELOW = replace(SIGNS_ITSELF, issuer_pem=BELOW.certificate_pem)


@pytest.mark.parametrize(
    ("mount", "days", "message"),
    [
        (SIGNS_ITSELF, 366, "asks for 366 days, the mount allows 365 days .* root has 1000 days"),
        (
            replace(SIGNS_ITSELF, lifetimes=MountLifetimes(32 * SECONDS_PER_DAY, 10**9)),
            365,
            "allows 32 days by default and 11574 days at most, .*: use 32 or less",
        ),
        (SIGNS_BELOW, 365, "and the chain up to the root has 300 days left .*: use 300 or less"),
        (replace(SIGNS_ITSELF, signs=False), 365, "'pki' .* no key there"),
    ],
)
def test_a_mount_that_is_not_fit_is_refused(mount: SigningMount, days: int, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        mount.require_fit("signing_mount", ROOT.certificate_pem, "days", days)


def test_its_neighbours_pass() -> None:
    SIGNS_ITSELF.require_fit("signing_mount", ROOT.certificate_pem, "days", 365)
    SIGNS_BELOW.require_fit("signing_mount", ROOT.certificate_pem, "days", 300)
