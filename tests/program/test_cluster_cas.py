"""Clusters that have their requests signed by a CA of their own, below the root.

The environment is set up with no more rights in Vault than the documentation asks for.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.verification import VerificationError
from hvac.exceptions import Forbidden

from lab.lab import Lab

from .chain import verify, workload_certificate
from .handshake import Agent, Instructions, Intermediate, handshake, service_account_token
from .inventory import vault_client
from .program import Program
from .test_logins import key_set
from .test_up import exported_root
from .token_policy import further_rules, hcl_of, limited_token, readme_rules

CLUSTERS = ("east", "west")


def configure(
    program: Program, keys: Path, roots: Mapping[str, Any] | None = None, **changes: Any
) -> None:
    """East and west, of which west has its tokens checked with keys, so that all is in one.

    `roots` are further keys of the configuration, `changes` fields of east.
    """
    clusters = [
        {"name": "east", "context": "east", **changes},
        {
            "name": "west",
            "context": "west",
            "reviewerMode": "jwt",
            "issuerKeysFile": str(keys),
        },
    ]
    program.configure(clusters=clusters, signingCa="cluster", rootPathLength=2, **(roots or {}))


def rules() -> list[str]:
    return [
        *readme_rules(),
        *further_rules("administrator"),
        *further_rules("reviewerMode: jwt"),
        *of_both(further_rules("signingCa: cluster")),
    ]


def of_both(own_ca: list[str]) -> list[str]:
    """Rules of cluster east, and the same of west."""
    assert any("pki_east" in rule for rule in own_ca)
    return [
        *own_ca,
        *(rule.replace("pki_east", "pki_west") for rule in own_ca if "pki_east" in rule),
    ]


@pytest.fixture(scope="module")
def keys(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "west.json"
    path.write_bytes(key_set(lab, "west"))
    return path


@pytest.fixture(scope="module", autouse=True)
def environment(program: Program, keys: Path) -> Iterator[None]:
    """The environment of this module; after it there is none."""
    if program.deployed:
        program.destroy()
    configure(program, keys)
    program.deployed = True
    with limited_token(program, rules()):
        program.up()
    yield
    program.destroy()
    program.configure_as_committed()


def own_ca(lab: Lab, cluster: str) -> x509.Certificate:
    """The CA that signs in the cluster's own mount."""
    answer = vault_client(lab, token="").adapter.get(f"/v1/pki_{cluster}/ca/pem")
    return x509.load_pem_x509_certificate(answer.content)


def path_length(certificate: x509.Certificate) -> int | None:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length


def test_a_second_up_changes_nothing(program: Program) -> None:
    program.run("preview", "--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_it_is_previewed_with_rules_that_only_look(program: Program) -> None:
    page = "docs/preview-in-ci.md"
    looking = [
        *hcl_of(page),
        *further_rules("reviewerMode: jwt", page),
        *of_both(further_rules("signingCa: cluster", page)),
    ]
    preview = ("preview", "--refresh", "--expect-no-changes")
    with limited_token(program, looking):
        program.run(*preview)
    for left_out in ("auth/jwt-*", "pki_west/issuer/*"):
        with limited_token(program, [each for each in looking if f'"{left_out}"' not in each]):
            refused = program.attempt(*preview)
        assert refused.exit_code != 0
        assert "permission denied" in refused.output, left_out


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_workloads_certificate_chains_to_the_exported_root(
    lab: Lab, program: Program, cluster: str
) -> None:
    intermediate = handshake(lab, cluster)

    root, between = exported_root(program), own_ca(lab, cluster)
    assert intermediate.issuing_ca == between
    assert intermediate.ca_chain == (intermediate.certificate, between, root)
    lengths = [path_length(each) for each in (root, between, intermediate.certificate)]
    assert lengths == [2, 1, 0]
    assert between.subject.rfc4514_string() == f"CN={cluster} mesh CA 1"
    lifetime = between.not_valid_after_utc - between.not_valid_before_utc
    assert timedelta(days=1825) <= lifetime < timedelta(days=1826)
    verify(workload_certificate(intermediate), intermediate.certificate, root, between)


def test_only_its_own_ca_completes_the_chain(lab: Lab, program: Program) -> None:
    intermediate, root = handshake(lab, "east"), exported_root(program)
    leaf = workload_certificate(intermediate)

    with pytest.raises(VerificationError):
        verify(leaf, intermediate.certificate, root)
    with pytest.raises(VerificationError):
        verify(leaf, intermediate.certificate, root, own_ca(lab, "west"))


def test_an_intermediate_gets_a_year_and_no_more(lab: Lab) -> None:
    intermediate = handshake(lab, "east", ttl="43800h")

    lifetime = intermediate.certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=364) < lifetime <= timedelta(days=365)


@pytest.mark.parametrize(
    "path",
    [
        "pki/root/sign-intermediate",
        "pki_west/root/sign-intermediate",
        "pki_east/root/sign-self-issued",
        "pki_east/sign-verbatim",
        "pki_east/root/generate/internal",
        "pki_east/intermediate/set-signed",
        "pki_east/config/issuers",
        "pki_east/revoke",
    ],
)
def test_the_agent_is_signed_for_in_its_own_mount_only(lab: Lab, path: str) -> None:
    with Agent(Instructions.of(lab, "east")) as agent:
        agent.log_in(service_account_token(lab, "east", "istiod", "istio-system"))
        _, csr = agent.generate("istiod")
        with pytest.raises(Forbidden):
            agent.write(path, csr=csr, common_name="istiod")
        agent.sign(csr, common_name="istiod")


def test_no_key_of_these_cas_ever_left_vault(program: Program) -> None:
    requests = [
        each["outputs"]
        for each in program.state(show_secrets=True)["deployment"]["resources"]
        if each["type"].endswith("SecretBackendIntermediateCertRequest")
    ]

    assert len(requests) == len(CLUSTERS)
    for outputs in requests:
        assert "PRIVATE KEY" not in str(outputs)
        assert outputs["type"] == "internal"


def test_a_cluster_is_cut_off_by_one_revocation(lab: Lab, program: Program) -> None:
    east, root = own_ca(lab, "east"), exported_root(program)

    vault_client(lab).write_data("pki/revoke", data={"serial_number": serial(east)})

    revoked = x509.load_pem_x509_crl(
        vault_client(lab, token="").adapter.get("/v1/pki/crl/pem").content
    )
    assert revoked.is_signature_valid(root.public_key())  # type: ignore[arg-type]
    assert revoked.get_revoked_certificate_by_serial_number(east.serial_number) is not None
    west = own_ca(lab, "west")
    assert revoked.get_revoked_certificate_by_serial_number(west.serial_number) is None


@pytest.mark.soak
def test_the_next_ca_of_one_cluster_touches_nothing_else(
    lab: Lab, program: Program, keys: Path
) -> None:
    before: dict[str, Intermediate] = {name: handshake(lab, name) for name in CLUSTERS}
    old = own_ca(lab, "east")
    configure(program, keys, caGeneration=2)

    assert program.steps().keys() == {
        "east-ca-request",
        "east-ca-certificate",
        "east-ca-import",
        "east-ca-default-issuer",
    }
    program.up()

    after, root = handshake(lab, "east"), exported_root(program)
    assert after.issuing_ca.subject.rfc4514_string() == "CN=east mesh CA 2"
    assert after.issuing_ca.public_key() != old.public_key()
    verify(workload_certificate(after), after.certificate, root, own_ca(lab, "east"))
    # Everyone trusts the root, so that what was issued before goes on to be good.
    verify(workload_certificate(before["east"]), before["east"].certificate, root, old)
    assert handshake(lab, "west").issuing_ca == before["west"].issuing_ca
    program.run("preview", "--expect-no-changes")


@pytest.mark.soak
def test_the_next_root_has_the_clusters_cas_made_anew(
    lab: Lab, program: Program, keys: Path
) -> None:
    first, following = {"name": "first"}, {"name": "2027", "keyAlgorithm": "ECDSA-P256"}
    lists = [f'path "pki_{name}/certs" {{ capabilities = ["list"] }}' for name in CLUSTERS]
    documented = [*rules(), *further_rules("rootGenerations"), *lists]

    def to(signing: str, *entries: Mapping[str, Any]) -> None:
        configure(program, keys, {"rootGenerations": [*entries], "rootSigning": signing})

    with limited_token(program, documented):
        to("first", first, following)
        program.up()
        before, old, old_root = handshake(lab, "east"), own_ca(lab, "east"), exported_root(program)
        assert before.issuing_ca == old

        to("2027", first, following)
        program.up()
        program.run("preview", "--expect-no-changes")
        after, root = handshake(lab, "east"), exported_root(program)
        assert root != old_root
        assert after.issuing_ca == own_ca(lab, "east") != old
        verify(workload_certificate(after), after.certificate, root, after.issuing_ca)
        verify(workload_certificate(before), before.certificate, old_root, old)

        # What counts is what the CAs have signed, not they themselves.
        to("2027", following)
        outcome = program.attempt("preview")
        assert outcome.exit_code != 0
        living = serial(before.certificate)
        assert f"(cluster east, serial {living}, until " in outcome.output
        assert "`vault write pki_east/revoke serial_number=…`" in outcome.output
        vault = vault_client(lab)
        for name in CLUSTERS:
            # Nothing, where the tests before this one have not asked for any.
            listed = vault.list(f"pki_{name}/certs") or {"data": {"keys": ()}}
            for each in listed["data"]["keys"]:
                pem = vault.read(f"pki_{name}/cert/{each}")["data"]["certificate"]
                issuer = x509.load_pem_x509_certificate(pem.encode()).issuer.rfc4514_string()
                if issuer.startswith(f"CN={name} mesh CA"):
                    vault.write_data(f"pki_{name}/revoke", data={"serial_number": each})
        program.up()
        program.run("preview", "--expect-no-changes")
        assert handshake(lab, "east").issuing_ca == after.issuing_ca


def serial(certificate: x509.Certificate) -> str:
    """The serial number as Vault writes it."""
    number = certificate.serial_number
    return number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
