"""istiod as a process of this machine, which has its CA from Vault by the agent beside it."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from kubernetes import client
from rich.console import Console

from lab.istiods.servers import istiod_name
from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.certificates import Recipe, make
from tests.nodes.certificate_service import CertificateService
from tests.nodes.mesh import NotTrustedError, Workload, established, handshake
from tests.nodes.pods import api_client, until

from .program import Program, clusters
from .test_up import exported_root

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

CLUSTER = "east"
SECONDS = 240.0


@pytest.fixture
def lab(toolchain: Toolchain, tmp_path: Path) -> Iterator[Lab]:
    """One with an istiod for its one workload cluster."""
    lab = Lab(tmp_path / "lab", toolchain)
    try:
        lab.up(Console(file=io.StringIO()), [CLUSTER], istiods=True)
        yield lab
    finally:
        lab.clean()


@pytest.fixture
def workload(lab: Lab) -> Workload:
    [address] = [each.address for each in lab.status() if each.name == istiod_name(CLUSTER)]
    return Workload(lab, CLUSTER, CertificateService(address.removeprefix("https://")))


def test_a_workloads_certificate_is_of_the_exported_root_and_of_no_other(
    lab: Lab, workload: Workload, tmp_path: Path
) -> None:
    until(lambda: not _ailing(lab), "istiod is ready", SECONDS)
    [own] = established(workload).roots

    program = Program(lab, tmp_path)
    program.configure(clusters=clusters(CLUSTER))
    program.up()
    root = exported_root(program)
    assert root != own
    until(lambda: workload.read_trust() == (root,), "the root in the cluster", SECONDS)
    certificate = established(workload)

    assert certificate.identity == "spiffe://cluster.local/ns/default/sa/default"
    assert certificate.roots == (root,)
    for lower, upper in zip(certificate.chain, (*certificate.chain[1:], root), strict=True):
        lower.verify_directly_issued_by(upper)
    assert handshake(workload, workload) == (certificate.identity, certificate.identity)
    for other in (own, make(Recipe(common_name="another root")).certificate):
        assert isinstance(other, x509.Certificate)
        with pytest.raises(NotTrustedError, match="certificate verify failed"):
            handshake(replace(workload, trusted=(other,)), workload)

    policies = client.CustomObjectsApi(api_client(lab, CLUSTER))
    policy = policies.get_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", CLUSTER
    )
    assert policy["status"]["state"] == "ACCEPTED"
    assert not Path("/etc/cacerts").exists()

    program.destroy()
    until(lambda: workload.read_trust() not in ((), (root,)), "a root of istiod's own", SECONDS)
    assert established(workload).roots != (root,)


def _ailing(lab: Lab) -> list[str]:
    return [each.name for each in lab.status() if each.failure is not None]
