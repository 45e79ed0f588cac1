"""The sub-commands `vault ...`, all of them."""

from .command import vault
from .init import init
from .status import status
from .token_rotation import rotate_admin_token
from .unseal import unseal

__all__ = ["init", "rotate_admin_token", "status", "unseal", "vault"]
