"""Keeps secrets out of what is shown, whether or not the engine has marked them.

The engine masks what it knows as secret. A file that was made with `--show-secrets`, and a value
that a program has forgotten to mark, are caught here by where they stand and by what they look
like.
"""

import re
from typing import Any

from mesh_trust.secrets_in_text import PRIVATE_KEYS, TOKENS

MASK = "[secret]"
_SPECIAL = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - how the engine marks one
_UNKNOWN = frozenset(
    (
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    )
)
"""What the engine writes in place of what only the update will know (sdk/go/common/resource/plugin,
rpc.go)."""
UNKNOWN = "[known after the update]"

_SECRET_NAME = re.compile(
    r"password|passphrase|privatekey|pembundle|jwt|secretid|clientsecret|kubeconfig|credentials"
    r"|^token$|accesstoken|vaulttoken|roottoken|datajson|bcrypthash|^data$|^stringdata$"
)
_PUBLIC_CONFIG_MAPS = ("kubernetes:core/v1:ConfigMap",)


def masked(value: Any, path: str, type_token: str) -> Any:
    """`value`, of the property at `path` of a resource, without its secrets.

    What the update only will know stands as UNKNOWN.
    """
    if isinstance(value, dict):
        if _SPECIAL in value:
            return MASK if value[_SPECIAL] == _SECRET else value
        return {key: masked(each, f"{path}.{key}", type_token) for key, each in value.items()}
    if value is not None and _is_secret(path, type_token):
        return MASK
    if isinstance(value, list):
        return [masked(each, path, type_token) for each in value]
    if isinstance(value, str):
        return UNKNOWN if value in _UNKNOWN else masked_text(value)
    return value


def masked_text(text: str) -> str:
    """`text` without what looks like a private key or a token."""
    return TOKENS.sub(MASK, PRIVATE_KEYS.sub(MASK, text))


def _is_secret(path: str, type_token: str) -> bool:
    parts = [re.sub(r"[^a-z]", "", part.lower()) for part in path.split(".")]
    if type_token in _PUBLIC_CONFIG_MAPS and parts[0] in ("data", "binarydata"):
        parts = parts[1:]
    return any(_SECRET_NAME.search(part) for part in parts)
