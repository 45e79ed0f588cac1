"""What istiod's agent does, step by step, with plain clients and only what its cluster tells it."""

import base64
import tempfile
from collections.abc import Sequence
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
    namespace: str

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
            namespace=vault.get("namespace", ""),
        )


@dataclass(frozen=True)
class Intermediate:
    """An intermediate CA as the agent hands it to istiod."""

    certificate: x509.Certificate
    private_key: rsa.RSAPrivateKey
    issuing_ca: x509.Certificate
    ca_chain: tuple[x509.Certificate, ...]
    """All that Vault gives with the certificate: itself, and what stands above it."""


def service_account_token(
    lab: Lab, cluster: str, account: str, namespace: str, audiences: Sequence[str] = ()
) -> str:
    """A token of a service account, asked from the cluster's API server.

    Without `audiences` it has those of the API server.
    """
    core: Any = client.CoreV1Api(kubernetes_client(lab, cluster))
    request = {"spec": {"expirationSeconds": TOKEN_SECONDS, "audiences": list(audiences)}}
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
        self._vault: Any = hvac.Client(
            url=instructions.server,
            token="",
            verify=self._ca_file.name,
            namespace=instructions.namespace or None,
        )

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        self._ca_file.close()

    def log_in(self, token: str) -> Any:
        """Logs in with a service account's token; gives what Vault says of the login."""
        path = self.instructions.mount_path.removeprefix("/v1/")
        answer = self._vault.write(f"{path}/login", role=self.instructions.role, jwt=token)
        self._vault.token = answer["auth"]["client_token"]
        return answer["auth"]

    def generate(self, common_name: str) -> tuple[str, str]:
        """Has Vault make a key and a request for it; both PEM."""
        answer = self._vault.write(
            self.instructions.csr_path, common_name=common_name, key_type="rsa", key_bits=2048
        )
        return answer["data"]["private_key"], answer["data"]["csr"]

    def sign(self, csr: str, **parameters: Any) -> tuple[str, str]:
        """Has the request signed by the root; the certificate and the CA that issued it, PEM."""
        data = self.sign_whole(csr, **parameters)
        return data["certificate"], data["issuing_ca"]

    def sign_whole(self, csr: str, **parameters: Any) -> Any:
        """Has the request signed; all that Vault answers."""
        return self._vault.write(self.instructions.ca_path, csr=csr, **parameters)["data"]

    def write(self, path: str, **parameters: Any) -> Any:
        """Asks for anything else, as the holder of the agent's token could."""
        return self._vault.write(path, **parameters)

    def read(self, path: str) -> Any:
        """Reads anything, as the holder of the agent's token could."""
        return self._vault.adapter.get(f"/v1/{path}")


def handshake(lab: Lab, cluster: str, ttl: str = "240h", token: str | None = None) -> Intermediate:
    """The whole exchange of the agent of `cluster`, for an intermediate of lifetime `ttl`.

    Without a `token` it logs in with one of istiod's service account.
    """
    common_name = f"istiod.istio-system.{cluster}"
    if token is None:
        token = service_account_token(lab, cluster, "istiod", "istio-system")
    with Agent(Instructions.of(lab, cluster)) as agent:
        agent.log_in(token)
        private_key_pem, csr = agent.generate(common_name)
        answer = agent.sign_whole(csr, common_name=common_name, ttl=ttl)
    private_key = load_pem_private_key(private_key_pem.encode(), None)
    assert isinstance(private_key, rsa.RSAPrivateKey)
    certificate, issuer, *chain = (
        x509.load_pem_x509_certificate(pem.encode())
        for pem in (answer["certificate"], answer["issuing_ca"], *answer["ca_chain"])
    )
    return Intermediate(certificate, private_key, issuer, tuple(chain))
