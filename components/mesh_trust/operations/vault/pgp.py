"""PGP keys that Vault encrypts what it answers to."""

import base64
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pysequoia import Cert

from mesh_trust import InvalidInputError
from mesh_trust.files import content_of

from ..errors import OperationError


@dataclass(frozen=True)
class PgpKey:
    """The public key of somebody who is to hold a key of Vault's."""

    fingerprint: str
    """Hexadecimal digits."""
    encoded: str
    """As Vault takes it: base64 of its binary form."""


def pgp_key(option: str, path: Path) -> PgpKey:
    """Reads the public key in `path`, binary or in ASCII armour, as `gpg --export` writes it.

    Raises:
        OperationError: there is none, or none to encrypt to now; `option` is named.
    """
    try:
        content = content_of(option, path)
    except InvalidInputError as error:
        raise OperationError(str(error)) from None
    with warnings.catch_warnings():
        # That a private key is not to be read so, which is told in a line of its own.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            cert = Cert.from_bytes(content)
        except Exception:  # noqa: BLE001 - the library has no class of its own for it
            raise _unusable(option, path, "name a public key as `gpg --export` writes it") from None
        is_private = cert.has_secret_keys
    if is_private:
        raise _unusable(option, path, "it holds a private key: give the public one alone")
    if cert.is_revoked:
        raise _unusable(option, path, "the key is revoked: give its holder's present one")
    if cert.expiration is not None and cert.expiration < datetime.now(UTC):
        raise _unusable(option, path, "the key has expired: give its holder's present one")
    return PgpKey(cert.fingerprint, base64.b64encode(bytes(cert)).decode())


def _unusable(option: str, path: Path, fix: str) -> OperationError:
    return OperationError(f"{option}: '{path}' is not valid; {fix}")
