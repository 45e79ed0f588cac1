"""The declaration of a stack's configuration: the program's Pulumi.yaml.

The file beside this module is a link to it in a checkout, and a copy of it in a wheel.
"""

from importlib.resources import files
from typing import Any

import yaml

_PROJECT = files(__package__) / "declaration.yaml"


def declared() -> dict[str, Any]:
    """What is said there of each key, in its order, as Pulumi has it."""
    entries: dict[str, Any] = yaml.safe_load(_PROJECT.read_text())["config"]
    return entries
