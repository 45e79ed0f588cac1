"""The smallest example."""

import pytest
from cryptography import x509

from lab.lab import Lab
from tests.program.chain import verify, workload_certificate
from tests.program.handshake import handshake

from .conftest import ExampleOf, Look
from .example import Example


@pytest.fixture
def example(example_of: ExampleOf, leads_there: dict[str, str]) -> Example:
    example = example_of("one-cluster")
    example.configure(cluster="east", protect=False, **leads_there)
    return example


def test_the_trust_is_set_up_and_taken_down(example: Example, lab: Lab, look: Look) -> None:
    before = look()

    assert {step["op"] for step in example.plan().values()} == {"create"}
    assert look().changes_since(before) == set()

    outputs = example.up()
    root = x509.load_pem_x509_certificate(outputs["rootCertificate"].encode())
    intermediate = handshake(lab, "east")
    intermediate.certificate.verify_directly_issued_by(root)
    verify(workload_certificate(intermediate), intermediate.certificate, root)
    example.up("--expect-no-changes")

    example.destroy()
    assert look().changes_since(before) == set()


WRONG = {
    "cluster": ("east_1", "cluster: 'east_1' is not valid; "),
    "kubeconfig": ("/nowhere", "kubeconfig: '/nowhere' is not valid; "),
    "context": ("nowhere", "'nowhere' is not valid; use one that it has: "),
    "vaultAddress": ("https://vault/v1", "vault_address: 'https://vault/v1' is not valid; "),
    "vaultCaFile": ("/nowhere", "vaultCaFile: '/nowhere' is not valid; "),
}


def test_a_wrong_value_is_told_in_a_line(
    example: Example, leads_there: dict[str, str], look: Look
) -> None:
    before = look()
    right = {"cluster": "east", **leads_there}

    example.assert_each_is_told(right, WRONG)

    assert look().changes_since(before) == set()
