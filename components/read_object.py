"""Objects that a Kubernetes provider has read, with Kubernetes' own names for their fields."""

import re
from typing import Any

# What is below these has names of its users' own, or paths.
_MAPS = ("annotations", "labels", "match_labels", "node_selector", "fields_v1")
_WORD_BREAK = re.compile(r"_([a-z0-9])")


def as_kubernetes_has_it(value: Any) -> Any:
    """`value`, which the SDK gives with its own names (`volume_mounts`), with those of the API.

    Fields that are not set are left out. Abbreviations in names (`hostIP`) are not restored.
    """
    if isinstance(value, list):
        return [as_kubernetes_has_it(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        _WORD_BREAK.sub(lambda found: found[1].upper(), name): (
            each if name in _MAPS else as_kubernetes_has_it(each)
        )
        for name, each in value.items()
        if each is not None
    }
