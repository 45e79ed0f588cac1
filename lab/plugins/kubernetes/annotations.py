"""The annotations by which a program tells the plugin how to treat one object."""

import json

from lab.plugins.kubernetes.objects import annotation
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties

AUTONAMED = "pulumi.com/autonamed"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
_DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
_PATCH_FORCE = "pulumi.com/patchForce"
_SKIP_AWAIT = "pulumi.com/skipAwait"
_TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
_WAIT_FOR = "pulumi.com/waitFor"

DEFAULT_TIMEOUT_SECONDS = 600.0


def is_autonamed(resource: Properties) -> bool:
    """Tell whether the plugin, not the program, chose the object's name."""
    return annotation(resource, AUTONAMED) == "true"


def forces_conflicts(resource: Properties) -> bool:
    """Tell whether fields that others manage are to be taken over."""
    return annotation(resource, _PATCH_FORCE) == "true"


def skips_waiting(resource: Properties) -> bool:
    """Tell whether the object is done as soon as the server has it."""
    return annotation(resource, _SKIP_AWAIT) == "true"


def timeout_seconds(resource: Properties, custom_timeout: float) -> float:
    """Return how long to wait: the resource option, else the annotation, else ten minutes."""
    if custom_timeout:
        return custom_timeout
    given = annotation(resource, _TIMEOUT_SECONDS)
    try:
        return float(int(given))
    except ValueError:
        return DEFAULT_TIMEOUT_SECONDS


def deletion_propagation(resource: Properties) -> str:
    """Return the server's policy for objects that depend on a deleted one."""
    given = annotation(resource, _DELETION_PROPAGATION).lower()
    return {"orphan": "Orphan", "background": "Background"}.get(given, "Foreground")


def awaited_expressions(resource: Properties) -> list[str]:
    """Return what the program itself wants to wait for; empty where it leaves that to the plugin.

    Raises `ProviderError` where the annotation is an empty list.
    """
    given = annotation(resource, _WAIT_FOR)
    if not given:
        return []
    try:
        parsed = json.loads(given)
    except ValueError:
        return [given]
    if not isinstance(parsed, list) or not all(isinstance(item, str) for item in parsed):
        return [given]
    if not parsed:
        raise ProviderError(f"{_WAIT_FOR}: at least one condition must be specified")
    return parsed
