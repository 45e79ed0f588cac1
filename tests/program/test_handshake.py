"""The agent's own exchange with Vault, and everything near it that has to fail."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.verification import VerificationError
from hvac.exceptions import Forbidden, InvalidRequest
from kubernetes import client

from lab.lab import Lab

from .chain import verify, workload_certificate
from .handshake import Agent, Instructions, handshake, service_account_token
from .inventory import kubernetes_client, vault_client
from .program import Program
from .test_up import exported_root

CLUSTERS = ("east", "west")


pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture
def east(lab: Lab, deployed: Program) -> Iterator[Agent]:
    """The agent of the cluster east, logged in."""
    assert deployed.deployed
    with Agent(Instructions.of(lab, "east")) as agent:
        agent.log_in(service_account_token(lab, "east", "istiod", "istio-system"))
        yield agent


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_workloads_certificate_chains_to_the_exported_root(
    lab: Lab, program: Program, cluster: str
) -> None:
    intermediate = handshake(lab, cluster, ttl="240h")

    root = exported_root(program)
    assert intermediate.issuing_ca == root
    certificate = intermediate.certificate
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)
    remaining = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(hours=239) < remaining <= timedelta(hours=240)
    verify(workload_certificate(intermediate), certificate, root)


def test_another_root_does_not_verify(lab: Lab) -> None:
    """The check above can fail: the other end of the chain is not taken for granted."""
    east, west = handshake(lab, "east"), handshake(lab, "west")

    with pytest.raises(VerificationError):
        verify(workload_certificate(east), east.certificate, west.certificate)
    with pytest.raises(VerificationError):
        verify(workload_certificate(east), west.certificate, west.issuing_ca)


def test_an_intermediate_gets_a_year_and_no_more(lab: Lab) -> None:
    """The guide's own mount would have cut this one to 32 days."""
    intermediate = handshake(lab, "east", ttl="43800h")

    lifetime = intermediate.certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=364) < lifetime <= timedelta(days=365)


@pytest.fixture
def strangers(lab: Lab) -> Iterator[None]:
    """Another account beside istiod, and one named istiod in another namespace."""
    core = client.CoreV1Api(kubernetes_client(lab, "east"))
    account = {"metadata": {"name": "stranger"}}
    namesake = {"metadata": {"name": "istiod"}}
    core.create_namespaced_service_account("istio-system", account)  # type: ignore[arg-type]
    core.create_namespaced_service_account("default", namesake)  # type: ignore[arg-type]
    yield
    core.delete_namespaced_service_account("stranger", "istio-system")
    core.delete_namespaced_service_account("istiod", "default")


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize(
    ("account", "namespace"), [("stranger", "istio-system"), ("istiod", "default")]
)
def test_another_account_may_not_log_in(lab: Lab, account: str, namespace: str) -> None:
    token = service_account_token(lab, "east", account, namespace)
    with Agent(Instructions.of(lab, "east")) as agent, pytest.raises(Forbidden):
        agent.log_in(token)


def test_another_clusters_istiod_may_not_log_in(lab: Lab) -> None:
    token = service_account_token(lab, "east", "istiod", "istio-system")
    with Agent(Instructions.of(lab, "west")) as agent, pytest.raises(Forbidden):
        agent.log_in(token)


def test_another_role_of_the_same_mount_is_not_there(lab: Lab) -> None:
    west = Instructions.of(lab, "west").role
    token = service_account_token(lab, "east", "istiod", "istio-system")
    instructions = replace(Instructions.of(lab, "east"), role=west)
    with Agent(instructions) as agent, pytest.raises(InvalidRequest):
        agent.log_in(token)


@pytest.mark.parametrize(
    "path",
    [
        "pki_int_west/intermediate/generate/exported",
        "pki_int_east/intermediate/generate/internal",
        "pki_int_east/root/generate/exported",
        "pki_int_east/root/generate/internal",
        "pki_int_east/config/ca",
        "pki/root/sign-self-issued",
        "pki/root/generate/exported",
        "pki/sign-verbatim",
        "pki/config/ca",
        "pki/config/issuers",
        "sys/mounts/other",
        "sys/policy/gen-int-ca-istio-east-mesh",
        "auth/kube-east-mesh-auth/config",
    ],
)
def test_the_agent_may_write_nowhere_else(east: Agent, path: str) -> None:
    with pytest.raises(Forbidden):
        east.write(path, common_name="any")


@pytest.mark.parametrize(
    "path",
    [
        "pki_int_east/keys?list=true",
        "pki_int_west/keys?list=true",
        "pki/keys?list=true",
        "pki/config/issuers",
        "auth/kube-east-mesh-auth/config",
    ],
)
def test_the_agent_may_read_neither_keys_nor_settings(east: Agent, path: str) -> None:
    with pytest.raises(Forbidden):
        east.read(path)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("max_path_length", 3), ("not_after", "2999-01-01T00:00:00Z"), ("skid", "00:01")],
)
def test_the_agent_may_not_outgrow_its_mount(east: Agent, parameter: str, value: object) -> None:
    _, csr = east.generate("istiod")

    with pytest.raises(Forbidden):
        east.sign(csr, common_name="istiod", **{parameter: value})
    east.sign(csr, common_name="istiod")


def test_the_root_certificate_needs_no_token(lab: Lab, program: Program) -> None:
    answer = vault_client(lab, token="").adapter.get("/v1/pki/ca/pem")

    assert x509.load_pem_x509_certificate(answer.content) == exported_root(program)
