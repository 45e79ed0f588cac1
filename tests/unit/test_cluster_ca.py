"""A cluster's own CA, as resources, and the checks of what came of it."""

from typing import Any

import pulumi
import pytest
from cryptography import x509

from mesh_trust import ClusterCa, InvalidInputError
from mesh_trust.cluster_ca_checks import CaLifetimes, checked_chain
from tests.certificates import Made, Recipe, make

from .conftest import Recorder, run
from .test_parts import CLUSTER_CA

REQUEST = (
    "vault:pkiSecret/secretBackendIntermediateCertRequest:SecretBackendIntermediateCertRequest"
)
SIGNED = "vault:pkiSecret/secretBackendRootSignIntermediate:SecretBackendRootSignIntermediate"
SET_SIGNED = "vault:pkiSecret/secretBackendIntermediateSetSigned:SecretBackendIntermediateSetSigned"
MOUNT = "vault:index/mount:Mount"
LIFETIMES = CaLifetimes(ca_days=1000, intermediate_days=365, generation=1)
ABOVE = make(Recipe(path_length=2))
ROOT = ABOVE.certificate_pem


def below(above: Made = ABOVE, days: float = 1825, **recipe: Any) -> str:
    """A CA of a cluster's own, PEM, that `above` signed for so many days from now."""
    (name,) = above.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    made = Recipe(
        common_name="east",
        issuer=str(name.value),
        signer=above.key,
        **{"starts": 0, "ends": days, "path_length": 1, **recipe},
    )
    return make(made).certificate_pem


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
    certificate = below()

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
    register(recorder, below(), key_algorithm=algorithm)

    request = recorder.of_type(REQUEST)["east-ca-request"]
    assert (request["keyType"], request["keyBits"]) == kind


def test_a_ca_that_was_cut_short_does_not_get_into_its_mount(recorder: Recorder) -> None:
    with pytest.raises(pulumi.RunError, match=r"^lifetime_days: 1825 .* cut it to 400 days"):
        register(recorder, below(days=400))

    assert recorder.of_type(SET_SIGNED) == {}


def test_a_root_that_becomes_known_late_is_checked_before_it_signs(recorder: Recorder) -> None:
    narrow = pulumi.Output.from_input(make().certificate_pem)

    with pytest.raises(pulumi.RunError, match=r"^root_certificate_pem: .* path length is 1"):
        register(recorder, below(), root_certificate_pem=narrow)

    assert recorder.of_type(SIGNED) == {}


def chain(ca: str, *above: str, root: str = ROOT, lifetimes: CaLifetimes = LIFETIMES) -> list[str]:
    return checked_chain(ca, above, root, "pki", lifetimes)


def test_the_chain_holds_each_certificate_once() -> None:
    ca = below(days=1000)

    assert chain(ca, ca, ROOT) == [ca.strip(), ROOT.strip()]
    assert chain(ca) == [ca.strip(), ROOT.strip()]


def test_the_chain_may_lead_over_others() -> None:
    top = make(Recipe(common_name="top", path_length=3))
    between = make(Recipe(issuer="top", signer=top.key, path_length=2))
    ca = below(between, days=1000)

    found = chain(ca, ca, between.certificate_pem, root=top.certificate_pem)

    pems = (ca, between.certificate_pem, top.certificate_pem)
    assert found == [pem.strip() for pem in pems]


def test_what_does_not_stand_below_the_root_is_refused() -> None:
    other = make(Recipe(path_length=2))

    with pytest.raises(InvalidInputError, match=r"^root_mount_path: 'pki' .*not stand below"):
        chain(below(other, days=1000))


def test_a_chain_without_room_is_refused() -> None:
    top = make(Recipe(common_name="top", path_length=3))
    narrow = make(Recipe(issuer="top", signer=top.key, path_length=1))
    ca = below(narrow, days=1000)

    with pytest.raises(InvalidInputError, match=r"^root_mount_path: .* has path length 1, and 2"):
        chain(ca, narrow.certificate_pem, root=top.certificate_pem)


def test_a_ca_that_outlives_its_root_is_refused() -> None:
    root = make(Recipe(path_length=2, ends=999))

    with pytest.raises(InvalidInputError, match=r"^lifetime_days: 1000 .* use less than 99[89]"):
        chain(below(root, days=1000), root=root.certificate_pem)


def test_a_ca_without_enough_time_left_asks_for_the_next() -> None:
    old = make(Recipe(path_length=2, starts=-700))
    ca = below(old, days=364, starts=-636)

    with pytest.raises(InvalidInputError, match=r"^generation: 1 .* use 2: this CA ends on"):
        chain(ca, root=old.certificate_pem)
    chain(ca, root=old.certificate_pem, lifetimes=CaLifetimes(1000, 360, 1))
