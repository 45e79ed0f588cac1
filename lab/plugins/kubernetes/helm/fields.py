"""The fields of a release: their types, and the form in which a stack keeps them.

In that form every field is there: one that the program does not set has its type's empty value.
"""

from collections.abc import Iterator

from lab.plugins.kubernetes.objects import mapping, text, whole
from lab.plugins.provider.provider import Failure, refuse_unknown_fields
from lab.plugins.provider.values import Properties, Secret, Unknown, Value, contains_secret

TOKEN = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type's name

DEFAULT_TIMEOUT_SECONDS = 300

_SWITCHES = (
    "allowNullValues",
    "atomic",
    "cleanupOnFail",
    "createNamespace",
    "dependencyUpdate",
    "devel",
    "disableCRDHooks",
    "disableOpenapiValidation",
    "disableWebhooks",
    "forceUpdate",
    "lint",
    "recreatePods",
    "renderSubchartNotes",
    "replace",
    "resetValues",
    "reuseValues",
    "skipAwait",
    "skipCrds",
    "takeOwnership",
    "verify",
    "waitForJobs",
)
_TEXTS = ("chart", "description", "keyring", "name", "namespace", "postrender", "version")
_REPOSITORY_TEXTS = ("caFile", "certFile", "keyFile", "password", "repo", "username")
_STATUS_TEXTS = ("appVersion", "chart", "name", "namespace", "status", "version")
_TIMEOUT = "timeout"
_MAX_HISTORY = "maxHistory"
_REPOSITORY = "repositoryOpts"
_RESOURCE_NAMES = "resourceNames"
_STATUS = "status"
_VALUES = "values"
VALUE_FILES = "valueYamlFiles"

# The SDK offers these, but nothing is made of what a program says there.
_WITHOUT_EFFECT = frozenset({"compat", "manifest", _RESOURCE_NAMES})
_KNOWN = frozenset(
    {
        *_SWITCHES,
        *_TEXTS,
        *_WITHOUT_EFFECT,
        _MAX_HISTORY,
        _REPOSITORY,
        _TIMEOUT,
        _VALUES,
        VALUE_FILES,
    }
)


def failures(news: Properties) -> Iterator[Failure]:
    """Yield what is wrong with a program's inputs, one failure for each field."""
    yield from refuse_unknown_fields(TOKEN, news, _KNOWN)
    for name in _SWITCHES:
        yield from _wrong_type(name, news.get(name), bool, "true or false")
    for name in _TEXTS:
        yield from _wrong_type(name, news.get(name), str, "text")
        if contains_secret(news.get(name)):
            yield Failure(
                name,
                f"{name}: a secret would be seen in the list of processes, as helm is given it on "
                "its command line; give a plain value, or take the secrecy away with "
                "pulumi.Output.unsecret",
            )
    for name in (_TIMEOUT, _MAX_HISTORY):
        yield from _wrong_number(name, news.get(name))
    yield from _wrong_type(_VALUES, news.get(_VALUES), dict, "an object")
    yield from _repository_failures(news.get(_REPOSITORY))


def complete(given: Properties, values: Properties) -> Properties:
    """Return all fields of a release as a stack keeps them, with these values.

    `given` has nothing secret in it; what is unknown, or null, in it counts as not set.
    """
    return {
        **{name: given.get(name) is True for name in _SWITCHES},
        **{name: text(given, name) for name in _TEXTS},
        _TIMEOUT: _whole_number(given.get(_TIMEOUT)) or 0,
        **_optional(_MAX_HISTORY, _whole_number(given.get(_MAX_HISTORY))),
        **_optional(_REPOSITORY, _texts(given.get(_REPOSITORY), _REPOSITORY_TEXTS)),
        **_optional(_RESOURCE_NAMES, _resource_names(given)),
        **_optional(_STATUS, _status(given.get(_STATUS))),
        _VALUES: values,
    }


def inputs_of(release: Properties) -> Properties:
    """Return the fields of a release that are inputs."""
    return {
        name: value for name, value in release.items() if name not in (_RESOURCE_NAMES, _STATUS)
    }


def values_of(release: Properties) -> Properties:
    """Return the values of a release."""
    return mapping(release, _VALUES)


def timeout_seconds(release: Properties) -> int:
    """Return how long helm may wait; a release that says nothing, or 0, has the usual limit."""
    return whole(release, _TIMEOUT) or DEFAULT_TIMEOUT_SECONDS


def is_set(release: Properties, switch: str) -> bool:
    """Tell whether a switch of the release is on."""
    return release.get(switch) is True


def _optional(name: str, value: Value) -> Properties:
    return {} if value is None else {name: value}


def _whole_number(value: Value) -> int | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    return None


def _texts(value: Value, names: tuple[str, ...]) -> Properties | None:
    return {name: text(value, name) for name in names} if isinstance(value, dict) else None


def _resource_names(given: Properties) -> Properties | None:
    names = given.get(_RESOURCE_NAMES)
    return names if isinstance(names, dict) else None


def _status(value: Value) -> Properties | None:
    status = _texts(value, _STATUS_TEXTS)
    if status is None:
        return None
    return {**status, **_optional("revision", whole(value, "revision"))}


def _wrong_type(
    path: str, value: Value, expected: type[bool] | type[str] | type[dict[str, Value]], words: str
) -> Iterator[Failure]:
    if isinstance(value, Secret):
        value = value.value
    if value is not None and not isinstance(value, Unknown | expected):
        yield Failure(path, f"{path}: expected {words}, not {_described(value)}")


def _wrong_number(path: str, value: Value) -> Iterator[Failure]:
    if isinstance(value, Secret):
        value = value.value
    if value is None or isinstance(value, Unknown):
        return
    number = _whole_number(value)
    if number is None:
        yield Failure(path, f"{path}: expected a number, not {_described(value)}")
    elif number < 0:
        yield Failure(path, f"{path}: expected a number of 0 or more, not {number}")


def _described(value: Value) -> str:
    # The value itself may be what nobody should see.
    names = {bool: "a truth value", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _repository_failures(given: Value) -> Iterator[Failure]:
    if isinstance(given, Secret):
        given = given.value
    yield from _wrong_type(_REPOSITORY, given, dict, "an object")
    if not isinstance(given, dict):
        return
    known = frozenset(_REPOSITORY_TEXTS)
    yield from refuse_unknown_fields(TOKEN, given, known, _REPOSITORY)
    for name in _REPOSITORY_TEXTS:
        yield from _wrong_type(f"{_REPOSITORY}.{name}", given.get(name), str, "text")
