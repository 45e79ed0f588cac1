"""The components among others' resources."""

from typing import Any

import pytest
from cryptography import x509
from kubernetes import client

from lab.lab import Lab
from tests.program.handshake import handshake
from tests.program.inventory import kubernetes_client, vault_client

from .conftest import ExampleOf, Look, TokenOf
from .example import Example

NAMES = ("prod/mesh-root", "prod/mesh-east")


@pytest.fixture
def example(example_of: ExampleOf, leads_there: dict[str, str]) -> Example:
    example = example_of("in-your-program")
    example.configure(environment="prod", **leads_there)
    return example


def test_names_labels_and_protection_are_the_programs(
    example: Example, lab: Lab, look: Look, token_of: TokenOf
) -> None:
    example.environment["VAULT_TOKEN"] = token_of("in-your-program")
    before = look()

    outputs = example.up()

    root = x509.load_pem_x509_certificate(outputs["meshRoot"].encode())
    handshake(lab, "east").certificate.verify_directly_issued_by(root)
    assert outputs["meshLogin"] == "auth/prod/mesh-east/login"
    vault = vault_client(lab)
    assert {f"{name}/" for name in NAMES} <= set(vault.sys.list_mounted_secrets_engines()["data"])
    assert vault.read("auth/prod/mesh-east/role/istiod")["data"]["token_policies"] == [
        "prod-mesh-east"
    ]
    assert "prod/mesh-root/issuers" in vault.sys.read_policy("prod-mesh-auditors")["data"]["rules"]
    api = kubernetes_client(lab, "east")
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)
    for made in (
        core.read_namespace("shop"),
        core.read_namespaced_service_account("vault-token-reviewer", "istio-system"),
        rbac.read_cluster_role("gloo-mesh-istiod-agent"),
    ):
        assert made.metadata.labels["team"] == "platform"
    example.run("preview", "--expect-no-changes")

    refused = example.attempt("destroy", "--yes", "--skip-preview")
    assert refused.exit_code != 0
    assert "protected" in refused.output
    handshake(lab, "east")

    example.configure(protect=False)
    example.up()
    example.destroy()
    assert look().changes_since(before) == set()


WRONG = {
    "environment": ("prod*", "mount_path: 'prod*/mesh-root' is not valid; "),
    "kubeconfig": ("/nowhere", "kubeconfig: '/nowhere' is not valid; "),
    "context": ("nowhere", "'nowhere' is not valid; use one that it has: "),
    "vaultAddress": ("https://vault/v1", "vault_address: 'https://vault/v1' is not valid; "),
    "vaultCaFile": ("/nowhere", "vaultCaFile: '/nowhere' is not valid; "),
}


def test_a_wrong_value_is_told_in_a_line(
    example: Example, leads_there: dict[str, str], look: Look
) -> None:
    before = look()
    right = {"environment": "prod", **leads_there}

    example.assert_each_is_told(right, WRONG)

    assert look().changes_since(before) == set()
