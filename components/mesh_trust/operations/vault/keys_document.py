"""What is kept of an initialisation: keys and root token, as the documented JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import OperationError
from .age import AGE_HEADER, decrypted

FORMAT = "mesh-trust vault keys, version 1"

UNSEAL, RECOVERY = "unseal", "recovery"
"""What the keys are for: to unseal Vault, or to recover one that unseals itself."""


@dataclass(frozen=True)
class KeysDocument:
    """One initialisation; with `pgp_keys` nothing in it is readable without their holders."""

    purpose: str
    """`unseal` or `recovery`."""
    threshold: int
    """How many of the keys it takes."""
    keys: tuple[str, ...] = field(repr=False)
    """Base64; with `pgp_keys`, that of a PGP message that holds the key."""
    root_token: str = field(repr=False)
    """Likewise, in base64 with `pgp_keys` only."""
    pgp_keys: tuple[str, ...] = ()
    """Fingerprints of the PGP keys of the holders, in the order of `keys`; empty: not encrypted."""
    root_token_pgp_key: str | None = None
    """Fingerprint of the PGP key that `root_token` is encrypted to."""
    addresses: tuple[str, ...] = ()
    """Of the servers as they were named."""
    made: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def is_readable(self) -> bool:
        """Whether keys and token are of use as they are."""
        return not self.pgp_keys

    def as_json(self) -> str:
        """The document."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"


def answered(
    answer: Mapping[str, Any],
    purpose: str,
    threshold: int,
    addresses: Sequence[str],
    pgp_keys: Sequence[str],
    root_token_pgp_key: str | None,
) -> KeysDocument:
    """What Vault's answer to an initialisation holds."""
    name = "recovery_keys_base64" if purpose == RECOVERY else "keys_base64"
    return KeysDocument(
        purpose=purpose,
        threshold=threshold,
        keys=tuple(answer[name]),
        root_token=answer["root_token"],
        pgp_keys=tuple(pgp_keys),
        root_token_pgp_key=root_token_pgp_key,
        addresses=tuple(addresses),
    )


def read_keys(path: Path, content: bytes, identity: Path | None) -> KeysDocument | None:
    """The document in `content` of the file `path`; None: it is encrypted, and no identity given.

    Raises:
        OperationError: it is none, or `identity` is not the one it is encrypted to.
    """
    content = content.strip()
    if content.startswith(AGE_HEADER):
        if identity is None:
            return None
        content = decrypted(path, content, identity)
    try:
        values: dict[str, Any] = json.loads(content)
        if values["format"] != FORMAT:
            raise ValueError
        root_key = values["root_token_pgp_key"]
        return KeysDocument(
            purpose=str(values["purpose"]),
            threshold=int(values["threshold"]),
            keys=tuple(map(str, values["keys"])),
            root_token=str(values["root_token"]),
            pgp_keys=tuple(map(str, values["pgp_keys"])),
            root_token_pgp_key=None if root_key is None else str(root_key),
            addresses=tuple(map(str, values["addresses"])),
            made=str(values["made"]),
        )
    except (ValueError, KeyError, TypeError):
        raise OperationError(
            f"{path} is not a file of `mesh-trust vault init`: name the one that it has written"
        ) from None
