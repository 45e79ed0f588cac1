"""The lab's certificates and keys on disk: made once, found again ever after.

Halves that do not belong together, as a crash of the machine may leave them, are made anew.
Nobody but the holder of the lab's lock calls these functions.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

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
    return _files(folder, "ca", None, lambda: certificates.new_authority(common_name))


def server_files(
    folder: Path, name: str, authority: IdentityFiles, hosts: Sequence[str]
) -> IdentityFiles:
    """Return a server's certificate for `hosts`, issued by the authority; for others, a new one."""
    return _files(
        folder,
        name,
        authority,
        lambda: certificates.issue_server(authority.read(), f"lab {name}", hosts),
        hosts,
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
        authority,
        lambda: certificates.issue_client(authority.read(), common_name, organizations),
    )


def signing_key_files(folder: Path, name: str) -> SigningKeyFiles:
    """Return the key that service account tokens are signed with (RS256, as kubeadm sets up)."""
    files = SigningKeyFiles(folder / f"{name}.key", folder / f"{name}.pub")
    if not _is_pair(files):
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


def _is_pair(files: SigningKeyFiles) -> bool:
    if not (files.private_key.exists() and files.public_key.exists()):
        return False
    public_key = serialization.load_pem_public_key(files.public_key.read_bytes())
    return public_key == _public_key(files.private_key)


def _files(
    folder: Path,
    name: str,
    authority: IdentityFiles | None,
    make: Callable[[], Identity],
    hosts: Collection[str] = (),
) -> IdentityFiles:
    files = IdentityFiles(folder / f"{name}.crt", folder / f"{name}.key")
    if not _is_whole(files, authority or files, hosts):
        identity = make()
        write_private(files.private_key, identity.private_key)
        write_private(files.certificate, identity.certificate)
    return files


def _is_whole(files: IdentityFiles, authority: IdentityFiles, hosts: Collection[str]) -> bool:
    """Tell whether certificate and key are a pair, by the authority, and for all of `hosts`."""
    if not (files.certificate.exists() and files.private_key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    if certificate.public_key() != _public_key(files.private_key):
        return False
    try:
        certificate.verify_directly_issued_by(
            x509.load_pem_x509_certificate(authority.certificate.read_bytes())
        )
    except (ValueError, InvalidSignature):
        return False
    return certificates.hosts_of(certificate).issuperset(hosts)


def _public_key(private_key: Path) -> PublicKeyTypes:
    return serialization.load_pem_private_key(private_key.read_bytes(), None).public_key()
