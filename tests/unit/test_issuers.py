import pytest

from components.issuers import select_issuer

from .conftest import make_certificate


def test_an_issuer_is_found_by_its_certificate() -> None:
    wanted, same_name = make_certificate("root"), make_certificate("root")

    assert select_issuer(wanted, "pki", [("one", same_name), ("two", wanted)]) == "two"


def test_a_missing_issuer_is_named() -> None:
    wanted, same_name = make_certificate("root"), make_certificate("root")

    with pytest.raises(LookupError, match="mount 'pki' has no issuer with the root certificate"):
        select_issuer(wanted, "pki", [("one", same_name)])
    with pytest.raises(LookupError, match=r"mount 'pki' has no issuers any more: `pulumi refresh`"):
        select_issuer(wanted, "pki", [])
