"""Durations as Vault writes them."""

import re

_DURATION = re.compile(r"(\d+)([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str | None) -> float | None:
    """Seconds of `3600`, `60m`, `24h` or `30d`; None for anything else."""
    found = _DURATION.fullmatch(text or "")
    return None if found is None else int(found[1]) * _SECONDS[found[2]]
