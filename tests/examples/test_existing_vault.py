"""A setup that was made by hand is taken over by an example, and stays what it is."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from kubernetes import client

from lab.lab import Lab
from tests.certificates import Made, Recipe, make, rsa_key
from tests.printed import commands_in, named_in, run_as_printed
from tests.program.guide import reviewer_token, take_reviewer_away
from tests.program.handshake import handshake
from tests.program.inventory import kubernetes_client, vault_client

from .conftest import ExampleOf, Look
from .example import Example

ROLE = "gen-int-ca-istio-east-mesh"
AUTH = "kube-east-mesh-auth"
POLICIES = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")
MOUNTS = ("pki", "pki_int_east")


@pytest.fixture(scope="module")
def root() -> Made:
    """A root as the guide's openssl command makes it, without key usage."""
    return make(Recipe(key=rsa_key(3072), usage=None, path_length=None))


@pytest.fixture
def by_hand(lab: Lab, root: Made, look: Look) -> Iterator[None]:
    """What the guide makes for the cluster `east`, with plain clients."""
    before = look()
    vault, api = vault_client(lab), kubernetes_client(lab, "east")
    for path in MOUNTS:
        vault.sys.enable_secrets_engine("pki", path)
    vault.write("pki/config/ca", pem_bundle=f"{root.private_key_pem}{root.certificate_pem}")
    vault.sys.enable_auth_method("kubernetes", path=AUTH)
    vault.write(
        f"auth/{AUTH}/config",
        token_reviewer_jwt=reviewer_token(api),
        kubernetes_host=api.configuration.host,
        kubernetes_ca_cert=Path(api.configuration.ssl_ca_cert).read_text(),
        disable_local_ca_jwt=True,
        issuer="https://kubernetes.default.svc.cluster.local",
    )
    vault.write(
        f"auth/{AUTH}/role/{ROLE}",
        bound_service_account_names="istiod-service-account",
        bound_service_account_namespaces="istio-system",
        policies=ROLE,
        ttl="720h",
    )
    vault.sys.create_or_update_policy(
        ROLE,
        'path "pki_int_east/*" { capabilities = ["create", "read", "update", "delete", "list"] }\n'
        'path "pki/root/sign-intermediate" { capabilities = ["create", "read", "update"] }',
    )
    client.CustomObjectsApi(api).create_namespaced_custom_object(
        *POLICIES, root_trust_policy(vault.url)
    )
    yield
    # What the example had taken over has gone with it; else all of it is still there.
    for path in MOUNTS:
        vault.sys.disable_secrets_engine(path)
    vault.sys.disable_auth_method(AUTH)
    vault.sys.delete_policy(ROLE)
    take_reviewer_away(api)
    with contextlib.suppress(client.ApiException):
        client.CustomObjectsApi(api).delete_namespaced_custom_object(*POLICIES, "east")
    assert look().changes_since(before) == set()


def root_trust_policy(vault_address: str) -> dict[str, Any]:
    """The guide's, for the cluster `east`."""
    vault = {
        "caPath": "pki/root/sign-intermediate",
        "csrPath": "pki_int_east/intermediate/generate/exported",
        "server": vault_address,
        "kubernetesAuth": {"mountPath": f"/v1/auth/{AUTH}", "role": ROLE},
    }
    return {
        "apiVersion": "admin.gloo.solo.io/v2",
        "kind": "RootTrustPolicy",
        "metadata": {"name": "east", "namespace": "gloo-mesh"},
        "spec": {
            "applyToMeshes": [{"istio": {"clusterSelector": {"mesh": "east"}}}],
            "config": {"agentCa": {"vault": vault}},
        },
    }


@pytest.fixture
def example(
    by_hand: None,  # noqa: ARG001 - what the example takes over is there before it
    example_of: ExampleOf,
    leads_there: dict[str, str],
    root: Made,
    tmp_path: Path,
) -> Example:
    example = example_of("existing-vault")
    example.configure(cluster="east", **leads_there)
    for key, content in {
        "rootCertificate": root.certificate_pem,
        "rootPrivateKey": root.private_key_pem,
    }.items():
        (tmp_path / key).write_text(content)
    run_as_printed(
        f"pulumi config set rootCertificate --stack {example.stack} < {tmp_path}/rootCertificate",
        example.folder,
        example.environment,
    )
    example.configure_secret("rootPrivateKey", tmp_path / "rootPrivateKey")
    return example


def kept(lab: Lab) -> dict[str, Any]:
    """What has to stay the same: issuers, accessors, the root's certificate."""
    vault = vault_client(lab)
    mounts = vault.sys.list_mounted_secrets_engines()["data"]
    issuers = vault.list("pki/issuers")["data"]["keys"]
    return {
        "issuers": issuers,
        "default": vault.read("pki/config/issuers")["data"]["default"],
        "certificates": [vault.read(f"pki/issuer/{each}")["data"] for each in issuers],
        "accessors": [mounts[f"{path}/"]["accessor"] for path in MOUNTS],
        "login": vault.sys.list_auth_methods()["data"][f"{AUTH}/"]["accessor"],
    }


@pytest.mark.soak
def test_nothing_of_it_is_replaced(example: Example, lab: Lab, root: Made, look: Look) -> None:
    before, there = kept(lab), look()

    refused = example.attempt("preview")

    assert refused.exit_code != 0
    assert "Traceback" not in refused.output
    assert named_in(refused.output) == {
        "mount pki",
        "mount pki_int_east",
        f"auth mount {AUTH}",
        f"configuration auth/{AUTH}/config",
        f"role auth/{AUTH}/role/{ROLE}",
        f"policy {ROLE}",
    }
    for command in commands_in(refused.output):
        run_as_printed(command, example.folder, example.environment)
    assert look().changes_since(there) == set()

    steps = {step["op"] for step in example.plan().values()}
    assert steps == {"create", "update", "same"}
    example.up()

    assert kept(lab) == before
    certificate = x509.load_pem_x509_certificate(root.certificate_pem.encode())
    handshake(lab, "east").certificate.verify_directly_issued_by(certificate)
    example.up("--expect-no-changes")


def test_a_root_without_its_key_is_told_in_a_line(
    example: Example, look: Look, tmp_path: Path
) -> None:
    before = look()
    (tmp_path / "other").write_text(make(Recipe(key=rsa_key(3072))).private_key_pem)
    example.configure_secret("rootPrivateKey", tmp_path / "other")

    [told] = example.refusals()

    assert "private_key_pem: '…' is not valid; " in told
    assert look().changes_since(before) == set()
