"""The lab's certificates and keys on disk: made once, found again ever after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab import certificates
from lab.certificates import Identity
from lab.directory import write_private


@dataclass(frozen=True)
class IdentityFiles:
    """Paths of a certificate and its private key (PEM)."""

    certificate: Path
    private_key: Path

    def read(self) -> Identity:
        """Read both files."""
        return Identity(self.certificate.read_bytes(), self.private_key.read_bytes())


@dataclass(frozen=True)
class SigningKeyFiles:
    """Paths of the RSA key that signs a cluster's service account tokens, and its public half."""

    private_key: Path
    public_key: Path


def authority_files(folder: Path, common_name: str) -> IdentityFiles:
    """Return the folder's certificate authority, `ca.crt` and `ca.key`."""
    return _files(folder, "ca", lambda: certificates.new_authority(common_name))


def server_files(
    folder: Path, name: str, authority: IdentityFiles, hosts: Sequence[str]
) -> IdentityFiles:
    """Return a server's certificate for `hosts`, issued by the authority."""
    return _files(
        folder, name, lambda: certificates.issue_server(authority.read(), f"lab {name}", hosts)
    )


def client_files(
    folder: Path,
    name: str,
    authority: IdentityFiles,
    common_name: str,
    organizations: Sequence[str] = (),
) -> IdentityFiles:
    """Return a client's certificate for a user and their groups, issued by the authority."""
    return _files(
        folder,
        name,
        lambda: certificates.issue_client(authority.read(), common_name, organizations),
    )


def signing_key_files(folder: Path, name: str) -> SigningKeyFiles:
    """Return the key that service account tokens are signed with (RS256, as kubeadm sets up)."""
    files = SigningKeyFiles(folder / f"{name}.key", folder / f"{name}.pub")
    if not files.public_key.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private_key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public_key = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_private(files.private_key, private_key)
        write_private(files.public_key, public_key)
    return files


def _files(folder: Path, name: str, make: Callable[[], Identity]) -> IdentityFiles:
    files = IdentityFiles(folder / f"{name}.crt", folder / f"{name}.key")
    # The certificate is written last: where it exists, its key does too.
    if not files.certificate.exists():
        identity = make()
        write_private(files.private_key, identity.private_key)
        write_private(files.certificate, identity.certificate)
    return files
