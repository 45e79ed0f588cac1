"""Requests to a Vault in which two clusters are set up, and whether a token may make them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from mesh_trust.names import (
    auth_mount_path,
    csr_path,
    jwt_auth_mount_path,
    role_name,
    service_account_subject,
    sign_intermediate_path,
)
from mesh_trust.vault_policy import agent_policy
from tests.private_vault import PrivateVault
from tests.token_issuer import TokenIssuer

CLUSTERS = ("east", "west")
NAMED = {"common_name": "any", "key_type": "ec"}
SECRET = "secret/data/of-someone-else"


@dataclass(frozen=True)
class Setup:
    """The Vault, and what only it knows of what is in it."""

    vault: PrivateVault
    root_issuer: str
    """Id of the issuer that signs in the mount pki."""
    other_issuer: str
    """Id of another issuer there."""
    csr: str
    """A request for a CA's certificate, PEM."""
    issuer: TokenIssuer
    """Of the service accounts of each cluster, for its JWT auth mount."""

    def fill_in(self, path: str) -> str:
        """`path` with what stands in angle brackets made or looked up, in the mount it begins with.

        What a request uses up is so there for each one that is tried.
        """
        mount = path.split("/")[0]
        if "<key>" in path:
            # As a handshake leaves one.
            made = self._write(f"{mount}/intermediate/generate/internal", **NAMED)
            return path.replace("<key>", made["key_id"])
        if "<issuer>" in path:
            made = self._write(f"{mount}/root/generate/internal", **NAMED)
            return path.replace("<issuer>", made["issuer_id"])
        return path.replace("<other issuer>", self.other_issuer)

    def new_serial(self) -> str:
        """Serial number of a certificate that pki signs."""
        signed = self._write("pki/root/sign-intermediate", csr=self.csr, common_name="any")
        return str(signed["serial_number"])

    def _write(self, path: str, **data: Any) -> Any:
        return self.vault.client.write_data(path, data=data)["data"]


@dataclass(frozen=True)
class Operation:
    """A request."""

    words: str
    method: str
    path: str
    """Below `/v1`; what stands in angle brackets is different each time."""
    body: Mapping[str, Any] | Callable[[Setup], Mapping[str, Any]] = field(default_factory=dict)

    def send(self, setup: Setup, token: str | None) -> requests.Response:
        """Makes the request, with no token where that is None."""
        body = self.body(setup) if callable(self.body) else self.body
        headers = {} if token is None else {"X-Vault-Token": token}
        return requests.request(
            self.method,
            f"{setup.vault.address}/v1/{setup.fill_in(self.path)}",
            headers=headers,
            json=dict(body) if self.method in ("POST", "PUT") else None,
            timeout=60,
        )

    def is_allowed(self, setup: Setup, token: str | None) -> bool:
        """Whether a holder of `token` may make it. Anything but a yes or a no is an error."""
        response = self.send(setup, token)
        if response.status_code == HTTPStatus.FORBIDDEN:
            assert "permission denied" in response.text, response.text
            return False
        assert response.ok, f"{self.method} {self.path}: {response.text}"
        return True


def set_up(vault: PrivateVault) -> Setup:
    """Makes what the program makes for two clusters, with a CA of each one's own besides."""
    client = vault.client
    issuer = TokenIssuer()

    def write(path: str, **data: Any) -> Any:
        answer = client.write_data(path, data=data)
        return answer["data"] if isinstance(answer, dict) else None

    client.sys.enable_secrets_engine("pki", path="pki")
    root = write("pki/root/generate/internal", **NAMED, max_path_length=1)
    other = write("pki/root/generate/internal", common_name="other", key_type="ec")
    write("pki/config/issuers", default=root["issuer_id"])
    client.sys.enable_auth_method("userpass")
    for cluster in CLUSTERS:
        client.sys.enable_secrets_engine("pki", path=f"pki_int_{cluster}")
        write(f"pki_int_{cluster}/root/generate/internal", common_name="any", key_type="ec")
        client.sys.enable_secrets_engine("pki", path=f"pki_{cluster}")
        write(f"pki_{cluster}/root/generate/internal", common_name=cluster, key_type="ec")
        client.sys.enable_auth_method("kubernetes", path=auth_mount_path(cluster))
        write(f"auth/{auth_mount_path(cluster)}/config", **KUBERNETES_CONFIG)
        write(f"auth/{auth_mount_path(cluster)}/role/{role_name(cluster)}", **kube_role(cluster))
        client.sys.enable_auth_method("jwt", path=jwt_auth_mount_path(cluster))
        write(
            f"auth/{jwt_auth_mount_path(cluster)}/config",
            jwt_validation_pubkeys=issuer.public_key_pem,
        )
        write(f"auth/{jwt_auth_mount_path(cluster)}/role/{role_name(cluster)}", **jwt_role(cluster))
        text = agent_policy(csr_path(f"pki_int_{cluster}"), sign_intermediate_path("pki"))
        client.sys.create_or_update_policy(role_name(cluster), text)
    write(SECRET, data={"password": "of someone else"})
    return Setup(vault, root["issuer_id"], other["issuer_id"], _csr(), issuer)


KUBERNETES_CONFIG = {
    "kubernetes_host": "https://127.0.0.1:6443",
    "kubernetes_ca_cert": "-----BEGIN CERTIFICATE-----\nnot looked at\n-----END CERTIFICATE-----",
    "disable_local_ca_jwt": True,
}
ISTIOD = service_account_subject("istio-system", "istiod")
JWT_ROLE = {
    "role_type": "jwt",
    "user_claim": "sub",
    "bound_audiences": "any",
    "bound_claims": {"sub": ISTIOD},
}
"""A role of a JWT auth mount as the program makes it, but for its policies."""


def kube_role(cluster: str) -> dict[str, Any]:
    """A role as the program makes it."""
    return {
        "bound_service_account_names": "istiod",
        "bound_service_account_namespaces": "istio-system",
        "token_policies": role_name(cluster),
        "token_ttl": 3600,
    }


def jwt_role(cluster: str) -> dict[str, Any]:
    """A role of a JWT auth mount as the program makes it."""
    return {**JWT_ROLE, "token_policies": role_name(cluster), "token_ttl": 3600}


def _csr() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "istiod")])
    # The path length is for nothing: what is signed gets that of the issuer.
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=5), critical=True)
        .sign(key, SHA256())
    )
    return request.public_bytes(Encoding.PEM).decode()
