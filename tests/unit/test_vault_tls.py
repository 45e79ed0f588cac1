from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError, VaultTls
from mesh_trust.vault_tls import ServerNames, require_lifetimes, require_names

from .conftest import Recorder, run

CERTIFICATE = "tls:index/locallySignedCert:LocallySignedCert"


def test_servers_are_called_by_service_pod_and_loopback() -> None:
    names = ServerNames.of("vault", "secrets")

    assert {
        *("vault", "vault.secrets.svc", "vault.secrets.svc.cluster.local", "vault-active.secrets"),
        *("*.vault-internal", "*.vault-internal.secrets.svc", "localhost"),
    } <= set(names.dns_names)
    assert names.ip_addresses == ("127.0.0.1", "::1")


def test_further_names_are_added_by_their_kind() -> None:
    plain = ServerNames.of("vault", "secrets")
    names = ServerNames.of("vault", "secrets", ["vault.example.com", "192.0.2.7", "2001:db8::7"])

    assert set(names.dns_names) - set(plain.dns_names) == {"vault.example.com"}
    assert names.ip_addresses == ("127.0.0.1", "::1", "192.0.2.7", "2001:db8::7")


def test_the_ca_signs_for_these_servers_alone(recorder: Recorder) -> None:
    recorder.computed["tls:index/privateKey:PrivateKey"] = {"privateKeyPem": "key"}
    recorder.computed["tls:index/selfSignedCert:SelfSignedCert"] = {"certPem": "ca"}
    recorder.computed["tls:index/certRequest:CertRequest"] = {"certRequestPem": "request"}
    recorder.computed[CERTIFICATE] = {"certPem": "certificate"}

    def program() -> pulumi.Output[Any]:
        made = VaultTls(
            "v",
            {
                "dns_names": ["vault"],
                "ip_addresses": ["127.0.0.1"],
                "lifetime_days": 10,
                "renewal_days": 4,
            },
        )
        return pulumi.Output.all(
            made.ca_certificate, made.certificate, made.private_key, made.private_key.is_secret()
        )

    assert run(program) == ["ca", "certificate", "key", True]
    [ca] = recorder.of_type("tls:index/selfSignedCert:SelfSignedCert").values()
    [certificate] = recorder.of_type(CERTIFICATE).values()
    [request] = recorder.of_type("tls:index/certRequest:CertRequest").values()
    assert (ca["isCaCertificate"], ca["validityPeriodHours"]) == (True, 3650 * 24)
    # No certificate of it outlives it.
    assert ca["earlyRenewalHours"] >= certificate["validityPeriodHours"]
    assert (certificate["validityPeriodHours"], certificate["earlyRenewalHours"]) == (240, 96)
    assert certificate["caCertPem"] == "ca"
    assert "isCaCertificate" not in certificate
    assert set(certificate["allowedUses"]) == {"digital_signature", "server_auth", "client_auth"}
    assert (request["dnsNames"], request["ipAddresses"]) == (["vault"], ["127.0.0.1"])


@pytest.mark.parametrize("days", [(2, 1), (365, 60), (1825, 1824)])
def test_lifetimes_that_can_be_kept(days: tuple[int, int]) -> None:
    assert require_lifetimes(*days) == days


@pytest.mark.parametrize(
    ("lifetime", "renewal", "field"),
    [
        (1, 1, "certificate_lifetime_days"),
        (1826, 60, "certificate_lifetime_days"),
        ("365", 60, "certificate_lifetime_days"),
        (60, 60, "certificate_renewal_days"),
        (60, 0, "certificate_renewal_days"),
    ],
)
def test_lifetimes_that_cannot(lifetime: Any, renewal: Any, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        require_lifetimes(lifetime, renewal)


@pytest.mark.parametrize("names", [[], ["vault"], ["*.example.com", "192.0.2.7", "2001:db8::7"]])
def test_names_that_a_certificate_can_have(names: list[str]) -> None:
    assert require_names("names", names) == tuple(names)


@pytest.mark.parametrize(
    ("names", "field"),
    [
        ("vault.example.com", "names"),
        ([7], r"names\[0\]"),
        (["vault", "https://vault"], r"names\[1\]"),
        (["vault:8200"], r"names\[0\]"),
        (["Vault.example.com"], r"names\[0\]"),
        (["a_b"], r"names\[0\]"),
        ([""], r"names\[0\]"),
        ([".".join(["a" * 60] * 5)], r"names\[0\]"),
    ],
)
def test_names_that_it_cannot(names: Any, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        require_names("names", names)
