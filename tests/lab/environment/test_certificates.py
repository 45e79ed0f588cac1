"""What a TLS client and the lab's servers accept, judged by cryptography's own verifier."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509 import DNSName, load_pem_x509_certificate
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from lab.certificates import Identity, issue_client, issue_server, new_authority


@pytest.fixture(scope="module")
def authority() -> Identity:
    return new_authority("tests")


def _verify_server(identity: Identity, authority: Identity, host: str) -> None:
    verifier = (
        PolicyBuilder()
        .store(Store([load_pem_x509_certificate(authority.certificate)]))
        .build_server_verifier(DNSName(host))
    )
    verifier.verify(load_pem_x509_certificate(identity.certificate), [])


def test_a_server_is_trusted_under_each_of_its_names(authority: Identity) -> None:
    identity = issue_server(authority, "server", ["127.0.0.1", "localhost", "kubernetes.default"])
    _verify_server(identity, authority, "localhost")
    _verify_server(identity, authority, "kubernetes.default")
    names = load_pem_x509_certificate(identity.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(each) for each in names.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_server_is_refused_under_another_name(authority: Identity) -> None:
    identity = issue_server(authority, "server", ["localhost"])
    with pytest.raises(VerificationError):
        _verify_server(identity, authority, "elsewhere")


def test_a_server_is_refused_by_another_authority(authority: Identity) -> None:
    identity = issue_server(authority, "server", ["localhost"])
    with pytest.raises(VerificationError):
        _verify_server(identity, new_authority("tests"), "localhost")


def test_a_client_is_no_server(authority: Identity) -> None:
    with pytest.raises(VerificationError):
        _verify_server(issue_client(authority, "localhost"), authority, "localhost")


def test_a_client_carries_its_user_and_groups(authority: Identity) -> None:
    identity = issue_client(authority, "someone", ["first", "second"])
    subject = load_pem_x509_certificate(identity.certificate).subject.rfc4514_string()
    assert subject == "CN=someone,O=second,O=first"


def test_certificates_are_valid_now_and_for_years(authority: Identity) -> None:
    certificate = load_pem_x509_certificate(authority.certificate)
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now - timedelta(minutes=30)
    assert certificate.not_valid_after_utc > now + timedelta(days=3000)
