"""YAML as Helm reads it, which differs from Python's reading in what a plain scalar stands for.

Helm uses go.yaml.in/yaml/v2 through sigs.k8s.io/yaml: `y` and `n` are truth values, `1e3` is a
number, `12:30` and `2024-05-01` are text, and the keys of a mapping become text.
"""

import re
from typing import Any

import yaml

from lab.plugins.provider.values import Properties, Value

_PREFIX = "tag:yaml.org,2002:"
_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
# After taking underscores away; a leading zero makes an octal number, as long as it can be one.
_WHOLE = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DOCUMENT_END = re.compile(r"(?:^|\s*\n)---\s*")


class UnreadableYaml(ValueError):  # noqa: N818 - named for what it is
    """Text that is no YAML, or says what JSON cannot say; quotes nothing of it."""


class _Loader(yaml.SafeLoader):
    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is yaml.ScalarNode and implicit[0]:
            return _PREFIX + _tag(value)
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        # By their text, since to Python 1 and true are the same key.
        self.flatten_mapping(node)
        return {
            _key(self.construct_object(key, deep=True)): self.construct_object(value, deep=deep)
            for key, value in node.value
        }


def parse_yaml(text: str) -> Value:
    """Return the only document's value, with text for keys; raises `UnreadableYaml`."""
    try:
        return _as_json(yaml.load(text, _Loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark is not None else ""
        raise UnreadableYaml(f"no YAML{place}") from error


def parse_mapping(text: str) -> Properties:
    """Return the document's mapping, an empty one for an empty document.

    Raises `UnreadableYaml`, also for any other value.
    """
    parsed = parse_yaml(text)
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise UnreadableYaml("no mapping at its top")
    return parsed


def split_documents(text: str) -> list[str]:
    """Return the documents of a manifest that have anything in them."""
    return [part for part in _DOCUMENT_END.split(text) if part.strip()]


def _tag(scalar: str) -> str:
    if scalar in _TRUE or scalar in _FALSE:
        return "bool"
    if scalar in _NULL:
        return "null"
    if scalar == "<<":
        return "merge"
    if _NOT_FINITE.fullmatch(scalar):
        return "float"
    plain = scalar.replace("_", "") if scalar[0] in "+-0123456789" else scalar
    if _WHOLE.fullmatch(plain):
        return "int"
    return "float" if _DECIMAL.fullmatch(plain) else "str"


def _whole(_: _Loader, node: yaml.ScalarNode) -> int:
    digits = node.value.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _decimal(_: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))


def _truth(_: _Loader, node: yaml.ScalarNode) -> bool:
    return node.value in _TRUE


_Loader.add_constructor(f"{_PREFIX}int", _whole)
_Loader.add_constructor(f"{_PREFIX}float", _decimal)
_Loader.add_constructor(f"{_PREFIX}bool", _truth)


def _as_json(parsed: Any) -> Value:
    if isinstance(parsed, dict):
        return {key: _as_json(value) for key, value in parsed.items()}
    if isinstance(parsed, list):
        return [_as_json(item) for item in parsed]
    if isinstance(parsed, float):
        if parsed != parsed or parsed in (float("inf"), float("-inf")):
            raise UnreadableYaml("a number that is not finite")
        return int(parsed) if parsed.is_integer() else parsed
    if parsed is None or isinstance(parsed, str | int):
        return parsed
    raise UnreadableYaml(f"a value of type {type(parsed).__name__}")


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, str | int | float):
        return str(key)
    raise UnreadableYaml(f"a key of type {type(key).__name__}")
