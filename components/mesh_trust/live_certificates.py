"""What still lives below a root, as Vault's own store of certificates tells it."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pulumi
from cryptography import x509

from .issuing_chain import has_issued
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
        CertificatesUnreadableError: Vault does not answer, has no mount of the root, or the token
            may not list them.
    """
    _require_mount(client, mount_path)
    found, own_cas = [], []
    for path in ca_mount_paths:
        cas = [each for each in _issuers(client, path) if has_issued(root, each)]
        own_cas += cas
        found += [
            LiveCertificate(each, path)
            for each in _living(client, path)
            if any(has_issued(ca, each) for ca in cas)
        ]
    found += [
        LiveCertificate(each, mount_path)
        for each in _living(client, mount_path)
        if each != root and each not in own_cas and has_issued(root, each)
    ]
    return sorted(found, key=lambda each: each.certificate.not_valid_after_utc)


def _require_mount(client: Any, mount_path: str) -> None:
    """Checks that there is a mount, as a list of what is not there looks like an empty one."""
    # It takes no token.
    with _explained(f"{mount_path}/ca/pem", "read"):
        answer = client.read(f"{mount_path}/ca/pem")
    # PEM is no JSON, and comes as it is; None is a path that Vault does not have.
    if answer is None:
        raise CertificatesUnreadableError(
            f"Vault has no mount {mount_path}, so it has lost what it knew, or another Vault "
            "answers; see that it is the one that has signed"
        )


def _living(client: Any, mount_path: str) -> list[x509.Certificate]:
    """The certificates in the store of a mount that are neither expired nor revoked."""
    with _explained(f"{mount_path}/certs", "list"):
        serials = _keys(client.list(f"{mount_path}/certs"), f"{mount_path}/certs")

    def read(serial: str) -> x509.Certificate | None:
        path = f"{mount_path}/cert/{serial}"
        with _explained(path, "read"):
            answer = client.read(path)
        data = _data(answer, path)
        # Tidied away in between.
        if data is None or data.get("revocation_time"):
            return None
        return x509.load_pem_x509_certificate(data["certificate"].encode())

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        certificates = list(threads.map(read, serials))
    now = datetime.now(UTC)
    return [each for each in certificates if each is not None and each.not_valid_after_utc > now]


def _issuers(client: Any, mount_path: str) -> Iterator[x509.Certificate]:
    path = f"{mount_path}/issuers"
    with _explained(path, "list"):
        ids = _keys(client.list(path), path)
    for issuer_id in ids:
        path = f"{mount_path}/issuer/{issuer_id}/json"
        with _explained(path, "read"):
            data = _data(client.read(path), path)
        # Deleted in between.
        if data is not None:
            yield x509.load_pem_x509_certificate(data["certificate"].encode())


def _keys(answer: Any, path: str) -> list[str]:
    # An empty store is not there at all.
    data = _data(answer, path)
    return [] if data is None else list(data["keys"])


def _data(answer: Any, path: str) -> dict[str, Any] | None:
    """What Vault says at `path`; None where there is nothing."""
    if answer is None:
        return None
    if not isinstance(answer, Mapping) or not isinstance(answer.get("data"), dict):
        # hvac gives what is no JSON as it came.
        raise CertificatesUnreadableError(
            f"Vault does not tell {path} (its answer is no JSON of Vault's); see what answers at "
            "its address"
        )
    data: dict[str, Any] = answer["data"]
    return data


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
