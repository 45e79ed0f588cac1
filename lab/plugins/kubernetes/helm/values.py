"""The values of a release: read from files, merged, and what is unknown in them kept so."""

import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from lab.plugins.kubernetes.helm.go_yaml import UnreadableYaml, parse_mapping
from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import (
    UNKNOWN,
    Asset,
    Properties,
    Secret,
    Unknown,
    Value,
    as_secret,
    contains_secret,
    reveal,
)

_FETCH_SECONDS = 60


def merged(first: Properties, second: Properties) -> Properties:
    """Return both, the second winning; objects are merged, lists and all else replaced."""
    result = dict(first)
    for key, value in second.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = merged(before, value)
        else:
            result[key] = value
    return result


def values_of_files(given: Value) -> Properties:
    """Return what the files of a release's `valueYamlFiles` say, the later ones winning.

    Raises `ProviderError` for what is no readable YAML file with a mapping.
    """
    given = reveal(given)
    if given is None or isinstance(given, Unknown):
        return {}
    if not isinstance(given, list):
        raise ProviderError("valueYamlFiles: expected a list of assets")
    values: Properties = {}
    for index, item in enumerate(given):
        path = f"valueYamlFiles[{index}]"
        if not isinstance(item, Asset):
            raise ProviderError(f"{path}: expected an asset whose content is known by now")
        try:
            values = merged(values, parse_mapping(_content(item)))
        except (OSError, UnicodeDecodeError, UnreadableYaml) as error:
            raise ProviderError(f"{path}: {_reason(error)}") from error
    return values


def without_unknowns(value: Properties) -> Properties:
    """Return a copy with a null for each unknown."""
    return {key: _known(item) for key, item in value.items()}


def mark_unknowns(values: Properties, given: Properties) -> Properties:
    """Return the values with those unknown that are unknown in what was given.

    One that is not there at all stays away.
    """
    return {
        key: _marked(value, given[key]) if key in given else value for key, value in values.items()
    }


def with_secret_files(values: Properties, files: Value) -> Properties:
    """Return the fields with all values secret where one of the files is.

    What came from which file cannot be told any more.
    """
    if not contains_secret(files):
        return values
    return {key: as_secret(value) if key == "values" else value for key, value in values.items()}


def _content(asset: Asset) -> str:
    if asset.text is not None:
        return asset.text
    if asset.path is not None:
        return Path(asset.path).read_text(encoding="utf-8")
    uri = asset.uri or ""
    if urllib.parse.urlsplit(uri).scheme not in ("http", "https", "file"):
        raise UnreadableYaml("its address is not one of http, https or file")
    with urllib.request.urlopen(uri, timeout=_FETCH_SECONDS) as answer:
        content: bytes = answer.read()
    return content.decode("utf-8")


def _reason(error: Exception) -> str:
    if isinstance(error, UnreadableYaml):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        return "no text in UTF-8"
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered with HTTP status {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"cannot be fetched: {error.reason}"
    name = getattr(error, "filename", None)
    reason = getattr(error, "strerror", None) or type(error).__name__
    return f"{name}: {reason}" if name else str(reason)


def _known(value: Value) -> Value:
    if isinstance(value, Unknown):
        return None
    if isinstance(value, dict):
        return without_unknowns(value)
    if isinstance(value, list):
        return [_known(item) for item in value]
    return value


def _marked(value: Value, given: Value) -> Value:
    if isinstance(given, Secret):
        return _marked(value, given.value)
    if isinstance(given, Unknown):
        return UNKNOWN
    if isinstance(value, dict) and isinstance(given, dict):
        return mark_unknowns(value, given)
    if isinstance(value, list) and isinstance(given, list):
        return [
            _marked(item, given[index]) if index < len(given) else item
            for index, item in enumerate(value)
        ]
    return value
