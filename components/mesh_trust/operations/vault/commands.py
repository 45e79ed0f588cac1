"""The sub-commands `vault ...`, all of them."""

from .command import vault
from .init import init
from .policy import policy
from .restore import restore
from .snapshot import snapshot
from .status import status
from .token_rotation import rotate_admin_token
from .unseal import unseal

__all__ = [
    "init",
    "policy",
    "restore",
    "rotate_admin_token",
    "snapshot",
    "status",
    "unseal",
    "vault",
]
