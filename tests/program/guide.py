"""A setup made by hand, as the published guide says, faults included."""

import base64
import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from kubernetes import client

from lab.lab import Lab
from lab.toolchain import Toolchain
from tests.commands import run_command

from .inventory import kubernetes_client, vault_client

CLUSTERS = ("east", "west")
SCRIPT = Path(__file__).with_name("guide.sh")
REVIEWER = "istiod-service-account"
"""The account whose token the guide gives to Vault, as the one that it lets log in."""

POLICY = "gen-int-ca-istio--mesh"
"""What the guide's policies are both called once its shell variable has come to nothing."""


@dataclass(frozen=True)
class Guide:
    """The guide, followed for the clusters `east` and `west` of a lab."""

    lab: Lab
    toolchain: Toolchain
    folder: Path
    """Where the root's files are."""

    @property
    def root_certificate(self) -> str:
        """The root's certificate, PEM."""
        return (self.folder / "root-cert.pem").read_text()

    @property
    def root(self) -> x509.Certificate:
        """The root."""
        return x509.load_pem_x509_certificate(self.root_certificate.encode())

    @property
    def root_key(self) -> str:
        """The root's private key, PEM."""
        return (self.folder / "root-key.pem").read_text()

    def follow(self) -> None:
        """Does all that the guide says, up to the RootTrustPolicies."""
        self._make_root()
        variables: dict[str, str] = {}
        for number, cluster in enumerate(CLUSTERS, start=1):
            api = kubernetes_client(self.lab, cluster)
            variables[f"REMOTE_CLUSTER{number}"] = cluster
            variables[f"SA_TOKEN_C{number}"] = reviewer_token(api)
            # As the shell's $(…) leaves it.
            authority = Path(api.configuration.ssl_ca_cert).read_text().rstrip("\n")
            variables[f"SA_CA_CRT_C{number}"] = authority
            variables[f"K8S_ADDR_C{number}"] = api.configuration.host
        self._run(variables)
        for cluster in CLUSTERS:
            _custom_objects(self.lab, cluster).create_namespaced_custom_object(
                *_ROOT_TRUST_POLICIES, self._root_trust_policy(cluster)
            )

    def undo(self) -> None:
        """Takes away all of it that is still there."""
        vault = vault_client(self.lab)
        for path in ("pki", *(f"pki_int_{cluster}" for cluster in CLUSTERS)):
            vault.sys.disable_secrets_engine(path)
        for path in ("userpass", *(f"kube-{cluster}-mesh-auth" for cluster in CLUSTERS)):
            vault.sys.disable_auth_method(path)
        vault.sys.delete_policy(POLICY)
        for cluster in CLUSTERS:
            api = kubernetes_client(self.lab, cluster)
            with contextlib.suppress(client.ApiException):
                _custom_objects(self.lab, cluster).delete_namespaced_custom_object(
                    *_ROOT_TRUST_POLICIES, cluster
                )
            take_reviewer_away(api)

    def _make_root(self) -> None:
        """`openssl req -new -newkey rsa:4096 -x509 -sha256 -days 3650 -nodes`, extension by
        extension (OpenSSL 3.0)."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
        name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "solo.io")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(identifier, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "root-key.pem").write_bytes(pem)
        (self.folder / "root-cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    def _run(self, variables: dict[str, str]) -> None:
        vault = self.toolchain["vault"].path
        environment = {
            **self.lab.environment(),
            **variables,
            "PATH": f"{vault.parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.folder),
        }
        done = run_command(["bash", SCRIPT], self.folder, environment)
        assert done.returncode == 0, done.stdout

    def _root_trust_policy(self, cluster: str) -> dict[str, Any]:
        vault = {
            "caPath": "pki/root/sign-intermediate",
            "csrPath": f"pki_int_{cluster}/intermediate/generate/exported",
            "server": self.lab.environment()["VAULT_ADDR"],
            "kubernetesAuth": {
                "mountPath": f"/v1/auth/kube-{cluster}-mesh-auth",
                "role": f"gen-int-ca-istio-{cluster}-mesh",
            },
        }
        selector = {
            "clusterSelector": {"mesh": f"istiod-istio-system-{cluster}"},
            "namespace": "istio-system",
            "selector": {"app": "istiod", "vault": cluster},
        }
        return {
            "apiVersion": "admin.gloo.solo.io/v2",
            "kind": "RootTrustPolicy",
            "metadata": {"name": cluster, "namespace": "gloo-mesh"},
            "spec": {
                "applyToMeshes": [{"istio": selector}],
                "config": {"agentCa": {"vault": vault}},
            },
        }


_ROOT_TRUST_POLICIES: Sequence[str] = (
    "admin.gloo.solo.io",
    "v2",
    "gloo-mesh",
    "roottrustpolicies",
)


def _custom_objects(lab: Lab, cluster: str) -> Any:
    return client.CustomObjectsApi(kubernetes_client(lab, cluster))


def reviewer_token(api: Any) -> str:
    """A long-lived token of an account that may review tokens."""
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)
    metadata = {"name": REVIEWER, "namespace": "istio-system"}
    core.create_namespaced_service_account("istio-system", {"metadata": metadata})
    annotations = {"kubernetes.io/service-account.name": REVIEWER}
    core.create_namespaced_secret(
        "istio-system",
        {
            "metadata": {**metadata, "annotations": annotations},
            "type": "kubernetes.io/service-account-token",
        },
    )
    rbac.create_cluster_role_binding(
        {
            "metadata": {"name": REVIEWER},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        }
    )
    deadline = time.monotonic() + 30
    while True:
        data = core.read_namespaced_secret(REVIEWER, "istio-system").data or {}
        if "token" in data:
            return base64.b64decode(data["token"]).decode()
        assert time.monotonic() < deadline, "the token Secret was not filled"
        time.sleep(0.2)


def take_reviewer_away(api: Any) -> None:
    """Takes away what of that account is still there."""
    core: Any = client.CoreV1Api(api)
    with contextlib.suppress(client.ApiException):
        client.RbacAuthorizationV1Api(api).delete_cluster_role_binding(REVIEWER)
    with contextlib.suppress(client.ApiException):
        core.delete_namespaced_secret(REVIEWER, "istio-system")
    with contextlib.suppress(client.ApiException):
        core.delete_namespaced_service_account(REVIEWER, "istio-system")
