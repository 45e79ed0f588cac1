"""A cluster's own CA, as resources, and the checks of what came of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
import pytest

from components import ClusterCa, InvalidInputError
from components.cluster_ca_checks import CaLifetimes, checked_chain

from .conftest import Recorder, make_certificate, run
from .test_parts import CLUSTER_CA

REQUEST = (
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest"
)
SIGNED = "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate"
SET_SIGNED = "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned"
MOUNT = "vault:index/mount:Mount"
LIFETIMES = CaLifetimes(ca_days=1000, intermediate_days=365, generation=1)
ROOT = make_certificate("root", path_length=2, days=3650)


def register(recorder: Recorder, certificate: str, **changes: Any) -> Any:
    recorder.computed[REQUEST] = {"csr": "the request"}
    recorder.computed[MOUNT] = {"accessor": "accessor"}
    recorder.computed[SIGNED] = {"certificate": certificate, "caChains": [certificate, ROOT]}
    recorder.answers["vault:pkiSecret/getBackendIssuers:getBackendIssuers"] = lambda asked: {
        **asked,
        "keys": ["of-root", "of-ca"],
    }
    recorder.answers["vault:pkiSecret/getBackendIssuer:getBackendIssuer"] = lambda asked: {
        **asked,
        "certificate": ROOT if asked["issuerRef"] == "of-root" else certificate,
    }

    def program() -> pulumi.Output[Any]:
        args: Any = {**CLUSTER_CA, "root_certificate_pem": ROOT, **changes}
        ca = ClusterCa("east-ca", args)
        return pulumi.Output.all(ca.mount_path, ca.ca_path, ca.certificate_pem, ca.issuer_id)

    return run(program)


def test_what_is_made(recorder: Recorder) -> None:
    certificate = make_certificate("east", path_length=1, days=1825)

    outputs = register(recorder, certificate, organization="Example", generation=3)

    assert outputs == ["pki_east", "pki_east/root/sign-intermediate", certificate, "of-ca"]
    mount = recorder.of_type(MOUNT)["east-ca-mount"]
    assert (mount["path"], mount["type"]) == ("pki_east", "pki")
    assert mount["defaultLeaseTtlSeconds"] == mount["maxLeaseTtlSeconds"] == 365 * 86_400
    assert recorder.of_type(REQUEST)["east-ca-request"] == {
        "backend": "pki_east",
        # The key stays in Vault.
        "type": "internal",
        "commonName": "east mesh CA 3",
        "organization": "Example",
        "excludeCnFromSans": True,
        "keyType": "rsa",
        "keyBits": 4096,
    }
    assert recorder.of_type(SIGNED)["east-ca-certificate"] == {
        "backend": "pki",
        "csr": "the request",
        "commonName": "east mesh CA 3",
        "organization": "Example",
        "excludeCnFromSans": True,
        "ttl": "43800h",
        "maxPathLength": 1,
    }
    imported = recorder.of_type(SET_SIGNED)["east-ca-import"]
    assert imported["certificate"] == f"{certificate.strip()}\n{ROOT.strip()}"
    chosen = "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers"
    assert recorder.of_type(chosen)["east-ca-default-issuer"]["default"] == "of-ca"


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("RSA-3072", ("rsa", 3072)), ("ECDSA-P256", ("ec", 256)), ("ECDSA-P384", ("ec", 384))],
)
def test_other_keys(recorder: Recorder, algorithm: str, kind: tuple[str, int]) -> None:
    certificate = make_certificate("east", path_length=1, days=1825)

    register(recorder, certificate, key_algorithm=algorithm)

    request = recorder.of_type(REQUEST)["east-ca-request"]
    assert (request["keyType"], request["keyBits"]) == kind


def test_a_ca_that_was_cut_short_does_not_get_into_its_mount(recorder: Recorder) -> None:
    certificate = make_certificate("east", path_length=1, days=400)

    with pytest.raises(pulumi.RunError, match=r"^lifetime_days: 1825 .* cut it to 400 days"):
        register(recorder, certificate)

    assert recorder.of_type(SET_SIGNED) == {}


def test_a_root_that_becomes_known_late_is_checked_before_it_signs(recorder: Recorder) -> None:
    narrow = pulumi.Output.from_input(make_certificate("narrow", path_length=1))

    with pytest.raises(pulumi.RunError, match=r"^root_certificate_pem: .* path length is 1"):
        register(recorder, make_certificate("x", path_length=1), root_certificate_pem=narrow)

    assert recorder.of_type(SIGNED) == {}


def test_the_chain_holds_each_certificate_once() -> None:
    ca = make_certificate("east", path_length=1, days=1000)

    assert checked_chain(ca, [ca, ROOT], ROOT, LIFETIMES) == [ca.strip(), ROOT.strip()]
    assert checked_chain(ca, None, ROOT, LIFETIMES) == [ca.strip(), ROOT.strip()]


def test_a_ca_that_outlives_its_root_is_refused() -> None:
    ca = make_certificate("east", path_length=1, days=1000)
    root = make_certificate("root", path_length=2, days=999)

    with pytest.raises(InvalidInputError, match=r"^lifetime_days: 1000 .* use less than 999"):
        checked_chain(ca, None, root, LIFETIMES)


def test_a_ca_without_enough_time_left_asks_for_the_next() -> None:
    began = datetime.now(UTC) - timedelta(days=636)
    ca = make_certificate("east", path_length=1, days=1000, starts=began)

    with pytest.raises(InvalidInputError, match=r"^generation: 1 .* use 2: this CA ends on"):
        checked_chain(ca, None, ROOT, LIFETIMES)
    checked_chain(ca, None, ROOT, CaLifetimes(1000, 360, 1))
