"""How many keys unseal a Vault, and how many of them it takes."""

from collections.abc import Callable
from typing import Any

import click

from ..errors import OperationError

SHARES, THRESHOLD = 5, 3
"""Vault's own."""


def with_shares(
    explained: str, *, show_default: str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds the options `--shares`, with this help, and `--threshold`."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        threshold = click.option(
            "--threshold",
            type=click.IntRange(1, 255),
            show_default=f"{THRESHOLD}, or all where there are fewer",
            help="How many of them unseal Vault.",
        )
        shares = click.option(
            "--shares", type=click.IntRange(1, 255), show_default=show_default, help=explained
        )
        return shares(threshold(command))

    return add


def shares_and_threshold(
    shares: int | None, threshold: int | None, otherwise: int = SHARES
) -> tuple[int, int]:
    """How many keys, and how many of them unseal Vault; `otherwise` as many as there are to be.

    Raises:
        OperationError: Vault knows no such numbers.
    """
    if shares is None:
        shares = otherwise
    if threshold is None:
        threshold = min(THRESHOLD, shares)
    if threshold > shares:
        raise OperationError(
            f"threshold: {threshold} is not valid; there are {shares} keys: ask for no more"
        )
    if threshold == 1 and shares > 1:
        raise OperationError(
            "threshold: 1 is not valid; Vault takes it for a single key only: add --shares 1, or "
            "use 2 or more"
        )
    return shares, threshold
