"""Keeps secret values out of the server's error messages, which may quote what was sent."""

import base64
import binascii
from collections.abc import Iterator

from lab.plugins.kubernetes.objects import mapping
from lab.plugins.provider.values import Properties, Secret, Value, reveal

_REPLACEMENT = "[secret]"
# A shorter one would blot out harmless words; the server quotes such a value only in full.
_SHORTEST = 4
# From here on the server quotes pieces of the request's own text, cut anywhere.
_QUOTED_REQUEST = ", error found in #"


def redacted(message: str, sent: Properties) -> str:
    """Return the message without any value that is secret in what was sent."""
    values = sorted(set(_secret_texts(sent)), key=len, reverse=True)
    if not values:
        return message
    message = message.partition(_QUOTED_REQUEST)[0]
    for value in values:
        message = message.replace(value, _REPLACEMENT)
    return message


def _secret_texts(sent: Properties) -> Iterator[str]:
    texts = [*_below_secrets(sent)]
    if reveal(sent.get("kind")) == "Secret":
        texts += _texts(reveal(sent.get("data")))
        texts += _texts(reveal(sent.get("stringData")))
    for text in texts:
        yield from (form for form in (text, *_other_forms(text)) if len(form) >= _SHORTEST)


def _below_secrets(value: Value) -> Iterator[str]:
    if isinstance(value, Secret):
        yield from _texts(reveal(value))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _below_secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from _below_secrets(item)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in mapping(value).values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _other_forms(text: str) -> Iterator[str]:
    """Yield a Secret's value as encoded and as decoded, since either may be quoted."""
    yield base64.b64encode(text.encode()).decode()
    try:
        yield base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return
