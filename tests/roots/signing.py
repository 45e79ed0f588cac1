"""What a mount of roots does when it is asked, and what is in it."""

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from mesh_trust.root_checks import fingerprint


@dataclass(frozen=True)
class SigningMount:
    """A mount at `path`, seen by an administrator's `hvac.Client`."""

    client: Any
    path: str

    def sign(self, **parameters: Any) -> x509.Certificate:
        """Has a CA signed as istiod's agent does.

        Raises:
            hvac.exceptions.VaultError: Vault refuses.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "istiod")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
        answer = self.client.write_data(
            f"{self.path}/root/sign-intermediate",
            data={
                "csr": request.public_bytes(Encoding.PEM).decode(),
                "common_name": "istiod",
                "ttl": "240h",
                **parameters,
            },
        )
        return _read(answer["data"]["certificate"])

    def issuers(self) -> dict[str, str]:
        """Ids of the issuers, by the fingerprint of their certificates."""
        listed = self.client.list(f"{self.path}/issuers")
        return {
            fingerprint(_read(self.issuer(issuer_id)["certificate"])): issuer_id
            for issuer_id in (listed["data"]["keys"] if listed else [])
        }

    def issuer(self, reference: str) -> dict[str, Any]:
        """What Vault says of an issuer."""
        data: dict[str, Any] = self.client.read(f"{self.path}/issuer/{reference}")["data"]
        return data

    def default(self) -> str:
        """Id of the default issuer."""
        issuer_id: str = self.client.read(f"{self.path}/config/issuers")["data"]["default"]
        return issuer_id

    def exists(self) -> bool:
        return f"{self.path}/" in self.client.sys.list_mounted_secrets_engines()["data"]


def _read(certificate_pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate_pem.encode())
