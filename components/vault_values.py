"""Values of HashiCorp's Vault Helm chart, as plain data."""

from collections.abc import Mapping
from typing import Any


def development_values(*, log_level: str, service_type: str, root_token: Any) -> dict[str, Any]:
    """The guide's development Vault: no injector, one dev server, nothing kept on disk.

    `root_token` may be an Output; it is passed on as it is.
    """
    return {
        "injector": {"enabled": False},
        "server": {
            "dev": {"enabled": True, "devRootToken": root_token},
            "logLevel": log_level,
            "service": {"type": service_type},
        },
    }


def merge_values(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """`theirs` over `ours` as Helm lays values files: maps are merged, all else is replaced."""
    merged = dict(ours)
    for key, value in theirs.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge_values(below, value)
        else:
            merged[key] = value
    return merged
