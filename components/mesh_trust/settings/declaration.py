"""The declaration of a stack's configuration in the checkout's Pulumi.yaml."""

from pathlib import Path
from typing import Any

import yaml

_PROJECT = Path(__file__).parents[3] / "Pulumi.yaml"


def declared() -> dict[str, Any]:
    """What is said there of each key, in its order, as Pulumi has it."""
    entries: dict[str, Any] = yaml.safe_load(_PROJECT.read_text())["config"]
    return entries
