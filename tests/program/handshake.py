"""What istiod's agent does, step by step, with plain clients and only what its cluster tells it."""

import base64
import tempfile
from dataclasses import dataclass
from typing import Any

import hvac
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from kubernetes import client

from lab.lab import Lab

from .inventory import kubernetes_client

TOKEN_SECONDS = 600


@dataclass(frozen=True)
class Instructions:
    """What the RootTrustPolicy of a cluster tells its agent."""

    server: str
    ca_bundle: str
    ca_path: str
    csr_path: str
    mount_path: str
    role: str

    @classmethod
    def of(cls, lab: Lab, cluster: str) -> "Instructions":
        """Reads them where the agent reads them: in the cluster itself."""
        objects: Any = client.CustomObjectsApi(kubernetes_client(lab, cluster))
        policy = objects.get_namespaced_custom_object(
            "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", cluster
        )
        vault = policy["spec"]["config"]["agentCa"]["vault"]
        return cls(
            server=vault["server"],
            ca_bundle=base64.b64decode(vault.get("caBundle", "")).decode(),
            ca_path=vault["caPath"],
            csr_path=vault["csrPath"],
            mount_path=vault["kubernetesAuth"]["mountPath"],
            role=vault["kubernetesAuth"]["role"],
        )


@dataclass(frozen=True)
class Intermediate:
    """An intermediate CA as the agent hands it to istiod."""

    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey
    issuing_ca: x509.Certificate


def service_account_token(lab: Lab, cluster: str, account: str, namespace: str) -> str:
    """A token of a service account, asked from the cluster's API server."""
    core: Any = client.CoreV1Api(kubernetes_client(lab, cluster))
    request = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
    answer = core.create_namespaced_service_account_token(account, namespace, request)
    token: str = answer.status.token
    return token


class Agent:
    """istiod's agent of one cluster."""

    def __init__(self, instructions: Instructions) -> None:
        self.instructions = instructions
        # hvac takes CA certificates from a file only, and reads it at each request.
        self._ca_file = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115
        self._ca_file.write(instructions.ca_bundle)
        self._ca_file.flush()
        self._vault: Any = hvac.Client(url=instructions.server, token="", verify=self._ca_file.name)

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        self._ca_file.close()

    def log_in(self, token: str) -> None:
        """Logs in with a service account's token."""
        path = self.instructions.mount_path.removeprefix("/v1/")
        answer = self._vault.write(f"{path}/login", role=self.instructions.role, jwt=token)
        self._vault.token = answer["auth"]["client_token"]

    def generate(self, common_name: str) -> tuple[str, str]:
        """Has Vault make a key and a request for it; both PEM."""
        answer = self._vault.write(
            self.instructions.csr_path, common_name=common_name, key_type="rsa", key_bits=2048
        )
        return answer["data"]["private_key"], answer["data"]["csr"]

    def sign(self, csr: str, **parameters: Any) -> tuple[str, str]:
        """Has the request signed by the root; the certificate and the CA that issued it, PEM."""
        answer = self._vault.write(self.instructions.ca_path, csr=csr, **parameters)
        return answer["data"]["certificate"], answer["data"]["issuing_ca"]

    def write(self, path: str, **parameters: Any) -> Any:
        """Asks for anything else, as the holder of the agent's token could."""
        return self._vault.write(path, **parameters)

    def read(self, path: str) -> Any:
        """Reads anything, as the holder of the agent's token could."""
        return self._vault.adapter.get(f"/v1/{path}")


def handshake(lab: Lab, cluster: str, ttl: str = "240h") -> Intermediate:
    """The whole exchange of the agent of `cluster`, for an intermediate of lifetime `ttl`."""
    common_name = f"istiod.istio-system.{cluster}"
    with Agent(Instructions.of(lab, cluster)) as agent:
        agent.log_in(service_account_token(lab, cluster, "istiod", "istio-system"))
        private_key_pem, csr = agent.generate(common_name)
        certificate_pem, issuer_pem = agent.sign(csr, common_name=common_name, ttl=ttl)
    private_key = load_pem_private_key(private_key_pem.encode(), None)
    assert isinstance(private_key, rsa.RSAPrivateKey)
    return Intermediate(
        x509.load_pem_x509_certificate(certificate_pem.encode()),
        private_key,
        x509.load_pem_x509_certificate(issuer_pem.encode()),
    )
