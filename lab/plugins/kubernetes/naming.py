"""Names that the plugin makes up: of objects the program left unnamed, and of field managers."""

import os
import secrets

from lab.plugins.kubernetes.annotations import AUTONAMED, PATCH_FIELD_MANAGER, is_autonamed
from lab.plugins.kubernetes.objects import (
    MANAGED_BY_LABEL,
    annotation,
    is_unknown_at,
    lookup,
    name_of,
    text,
    with_value,
)
from lab.plugins.provider.provider import ProviderError, resource_name
from lab.plugins.provider.values import Properties

CREATING_FIELD_MANAGER = "pulumi-kubernetes"
FIELD_MANAGER_KEY = "__fieldManager"
_SUFFIX_BYTES = 4  # eight hexadecimal digits


def is_named(resource: Properties) -> bool:
    """Tell whether the program names the object, be it with a name not known yet."""
    return bool(name_of(resource)) or is_unknown_at(resource, "metadata", "name")


def named(urn: str, olds: Properties, news: Properties) -> Properties:
    """Return new inputs with a name: the program's, else the one made up before, else a fresh one.

    Raises `ProviderError` for `generateName`, which cannot be applied by the server.
    """
    if is_named(news):
        return _labelled_as_before(olds, news)
    if lookup(news, "metadata", "generateName"):
        raise ProviderError(
            "the `.metadata.generateName` field is not supported in Server-Side Apply mode; "
            "set `.metadata.name`, or neither of the two"
        )
    if not olds:
        return _autonamed(news, f"{resource_name(urn)}-{secrets.token_hex(_SUFFIX_BYTES)}")
    if is_autonamed(olds):
        news = _autonamed(news, name_of(olds))
    return _labelled_as_before(olds, news)


def field_manager(state: Properties, inputs: Properties) -> str:
    """Return who manages the object's fields: the inputs' annotation, else as before, else new."""
    return (
        annotation(inputs, PATCH_FIELD_MANAGER)
        or text(state, FIELD_MANAGER_KEY)
        or f"{CREATING_FIELD_MANAGER}-{secrets.token_hex(_SUFFIX_BYTES)}"
    )


def _autonamed(news: Properties, name: str) -> Properties:
    news = with_value(news, ("metadata", "name"), name)
    return with_value(news, ("metadata", "annotations", AUTONAMED), "true")


def _labelled_as_before(olds: Properties, news: Properties) -> Properties:
    manager = os.environ.get("PULUMI_KUBERNETES_MANAGED_BY_LABEL", "pulumi")
    if text(olds, "metadata", "labels", MANAGED_BY_LABEL) != manager:
        return news
    return with_value(news, ("metadata", "labels", MANAGED_BY_LABEL), manager)
