"""What still lives below a root, as Vault's own store of certificates tells it."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pulumi
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .readiness import on_one_line

# A store may have thousands, and each is a request of its own.
_AT_ONCE = 8


class CertificatesUnreadableError(pulumi.RunError):
    """Vault does not tell what certificates it has signed; the message is a single line."""


@dataclass(frozen=True)
class LiveCertificate:
    """A certificate that is neither expired nor revoked."""

    certificate: x509.Certificate
    mount_path: str
    """The mount whose CA signed it."""

    @property
    def serial(self) -> str:
        """Its serial number as Vault takes it: pairs of hexadecimal digits between colons."""
        number = self.certificate.serial_number
        return number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")


def live_certificates(
    client: Any, root: x509.Certificate, mount_path: str, ca_mount_paths: Collection[str] = ()
) -> list[LiveCertificate]:
    """What stands below `root`, in the order in which it ends.

    `client` is an `hvac.Client`, `mount_path` the mount of the root, and `ca_mount_paths` those of
    the clusters' own CAs, where there are any. Of these CAs, whose keys stay in Vault, counts what
    they have signed, and not they themselves.

    Vault keeps every certificate that it signs for an intermediate until it is tidied away, which
    it is not before it ends. The token needs `list` on `<mount>/certs` of each mount, and with
    clusters' own CAs on `<mount>/issuers`.

    Raises:
        CertificatesUnreadableError: Vault does not answer, or the token may not list them.
    """
    found, own_cas = [], []
    for path in ca_mount_paths:
        cas = [each for each in _issuers(client, path) if _issued(root, each)]
        own_cas += cas
        found += [
            LiveCertificate(each, path)
            for each in _living(client, path)
            if any(_issued(ca, each) for ca in cas)
        ]
    found += [
        LiveCertificate(each, mount_path)
        for each in _living(client, mount_path)
        if each != root and each not in own_cas and _issued(root, each)
    ]
    return sorted(found, key=lambda each: each.certificate.not_valid_after_utc)


def _living(client: Any, mount_path: str) -> list[x509.Certificate]:
    """The certificates in the store of a mount that are neither expired nor revoked."""
    with _explained(f"{mount_path}/certs", "list"):
        serials = _keys(client.list(f"{mount_path}/certs"))

    def read(serial: str) -> x509.Certificate | None:
        path = f"{mount_path}/cert/{serial}"
        with _explained(path, "read"):
            answer = client.read(path)
        # Tidied away in between.
        if answer is None or answer["data"].get("revocation_time"):
            return None
        return x509.load_pem_x509_certificate(answer["data"]["certificate"].encode())

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        certificates = list(threads.map(read, serials))
    now = datetime.now(UTC)
    return [each for each in certificates if each is not None and each.not_valid_after_utc > now]


def _issuers(client: Any, mount_path: str) -> Iterator[x509.Certificate]:
    path = f"{mount_path}/issuers"
    with _explained(path, "list"):
        ids = _keys(client.list(path))
    for issuer_id in ids:
        path = f"{mount_path}/issuer/{issuer_id}/json"
        with _explained(path, "read"):
            answer = client.read(path)
        yield x509.load_pem_x509_certificate(answer["data"]["certificate"].encode())


def _keys(answer: dict[str, Any] | None) -> list[str]:
    # An empty store is not there at all.
    return [] if answer is None else answer["data"]["keys"]


def _issued(upper: x509.Certificate, lower: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


@contextmanager
def _explained(path: str, right: str) -> Iterator[None]:
    import requests
    from hvac.exceptions import Forbidden, VaultError

    try:
        yield
    except Forbidden:
        raise CertificatesUnreadableError(
            f"Vault refuses the token to {right} {path}; give it "
            f'path "{path}" {{ capabilities = ["{right}"] }}'
        ) from None
    except (requests.exceptions.RequestException, VaultError) as error:
        said = on_one_line(str(error), 150)
        raise CertificatesUnreadableError(f"Vault does not tell {path} ({said})") from None
