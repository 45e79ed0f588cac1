"""The provider's own configuration: which keys there are, and what they mean."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lab.plugins.kubernetes.helm.settings import (
    HELM_SETTINGS,
    HelmSettings,
    helm_failures,
    helm_settings_of,
)
from lab.plugins.kubernetes.kubeconfig import Selection
from lab.plugins.provider.provider import Failure, ProviderError
from lab.plugins.provider.values import Properties, Unknown, Value, reveal_properties

KUBECONFIG = "kubeconfig"
CONTEXT = "context"
CLUSTER = "cluster"
CLUSTER_IDENTIFIER = "clusterIdentifier"
RENDER_DIRECTORY = "renderYamlToDirectory"

# Keys of the official plugin for what only it can do.
_REFUSED = {
    "alwaysRender": "it writes a file when its object changes, and not otherwise",
}
_CLIENT_SETTINGS = "kubeClientSettings"
_CLIENT_TIMEOUT = "timeout"
_STRICT_MODE = "strictMode"

# A switch's environment variable is used where the configuration does not mention the switch.
_SWITCHES = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
# They silence warnings about things the plugin has no part in.
_WITHOUT_EFFECT = ("suppressDeprecationWarnings", "suppressHelmHookWarnings")
_ON_BY_DEFAULT = frozenset({"enableServerSideApply"})
_TEXTS = (KUBECONFIG, CONTEXT, CLUSTER, CLUSTER_IDENTIFIER, RENDER_DIRECTORY, "namespace")
# The engine's own additions.
_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "pluginChecksums"})

_KNOWN = frozenset(
    {
        *_TEXTS,
        *_SWITCHES,
        *_WITHOUT_EFFECT,
        _CLIENT_SETTINGS,
        HELM_SETTINGS,
        _STRICT_MODE,
        *_REFUSED,
    }
)

_AWAIT_ALL_VARIABLE = "PULUMI_K8S_AWAIT_ALL"
_TIMEOUT_VARIABLE = "PULUMI_K8S_CLIENT_TIMEOUT"


@dataclass(frozen=True)
class Settings:
    """A provider's configuration, with defaults filled in.

    `kubeconfig` is None where the environment's is to be used. `mutable_content` names the kinds
    whose content may change in place. `request_seconds` limits one request; None leaves that to
    the connection. `render_directory` is where objects are written to in place of a cluster; None
    where there is one.
    """

    kubeconfig: Value
    selection: Selection
    namespace: str
    delete_unreachable: bool
    skip_update_unreachable: bool
    patch_force: bool
    upsert: bool
    mutable_content: frozenset[str]
    request_seconds: float | None
    helm: HelmSettings
    render_directory: Path | None


def failures(news: Properties, *, is_default_provider: bool) -> list[Failure]:
    """Return what is wrong with a configuration, one failure for each key."""
    news = reveal_properties(news)
    found = [
        Failure(key, f"{key} is not supported by the lab's own kubernetes plugin: {reason}")
        for key, reason in _REFUSED.items()
        if _is_set(news.get(key))
    ]
    found += [
        Failure(key, f"the kubernetes provider has no configuration key {key!r}")
        for key in sorted(news.keys() - _KNOWN - _OF_THE_ENGINE)
        if not key.startswith("__")
    ]
    if not isinstance(news.get("enableServerSideApply"), Unknown) and not _switch(
        news, "enableServerSideApply"
    ):
        found.append(
            Failure(
                "enableServerSideApply",
                "enableServerSideApply cannot be false with the lab's own kubernetes plugin: "
                "it has no other way to change objects",
            )
        )
    found += _rendering_failures(news)
    found += _client_settings_failures(news)
    found += helm_failures(news.get(HELM_SETTINGS))
    return found + _strict_mode_failures(news, is_default_provider=is_default_provider)


def settings_of(inputs: Properties) -> Settings:
    """Return the settings of a checked configuration; raises `ProviderError`."""
    inputs = reveal_properties(inputs)
    directory = _text(inputs, RENDER_DIRECTORY)
    if os.environ.get(_AWAIT_ALL_VARIABLE) == "true":
        raise ProviderError(
            f"{_AWAIT_ALL_VARIABLE}=true is not supported by the lab's own kubernetes plugin; "
            "unset it"
        )
    return Settings(
        kubeconfig=inputs.get(KUBECONFIG) or None,
        selection=selection_of(inputs),
        namespace=_text(inputs, "namespace"),
        delete_unreachable=_switch(inputs, "deleteUnreachable"),
        skip_update_unreachable=_switch(inputs, "skipUpdateUnreachable"),
        patch_force=_switch(inputs, "enablePatchForce"),
        upsert=_switch(inputs, "upsertExistingObjects"),
        mutable_content=frozenset(
            kind
            for kind, key in (
                ("ConfigMap", "enableConfigMapMutable"),
                ("Secret", "enableSecretMutable"),
            )
            if _switch(inputs, key)
        ),
        request_seconds=_request_seconds(inputs),
        helm=helm_settings_of(inputs.get(HELM_SETTINGS)),
        render_directory=Path(directory) if directory else None,
    )


def selection_of(inputs: Properties) -> Selection:
    """Return what a configuration picks from its kubeconfig."""
    return Selection(context=_text(inputs, CONTEXT), cluster=_text(inputs, CLUSTER))


def _is_set(value: Value) -> bool:
    return value not in (None, "", False, "false", {}, "{}")


def _text(inputs: Properties, key: str) -> str:
    value = inputs.get(key)
    return value if isinstance(value, str) else ""


def _switch(inputs: Properties, key: str) -> bool:
    # The SDK writes everything but strings as JSON, so a switch may come as text.
    value = inputs.get(key)
    if value is None:
        value = os.environ.get(_SWITCHES[key])
    if value is None:
        return key in _ON_BY_DEFAULT
    return value in (True, "true")


def _client_settings(inputs: Properties) -> Properties:
    value = inputs.get(_CLIENT_SETTINGS)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ProviderError(f"{_CLIENT_SETTINGS}: no JSON object") from error
    return value if isinstance(value, dict) else {}


def _rendering_failures(news: Properties) -> list[Failure]:
    if not _is_set(news.get(RENDER_DIRECTORY)):
        return []
    # The SDK fills the kubeconfig in from the environment.
    ambient = os.environ.get("KUBECONFIG")
    return [
        Failure(key, f'"{key}" arg is not compatible with "{RENDER_DIRECTORY}" arg')
        for key in (CLUSTER, CONTEXT, KUBECONFIG)
        if _is_set(news.get(key)) and not (key == KUBECONFIG and news[key] == ambient)
    ]


def _client_settings_failures(news: Properties) -> list[Failure]:
    try:
        given = _client_settings(news)
        _request_seconds(news)
    except ProviderError as error:
        return [Failure(_CLIENT_SETTINGS, str(error))]
    return [
        Failure(
            f"{_CLIENT_SETTINGS}.{key}",
            f"{_CLIENT_SETTINGS}.{key} is not supported by the lab's own kubernetes plugin, "
            f"which knows only {_CLIENT_TIMEOUT}: it does not limit its rate of requests",
        )
        for key, value in sorted(given.items())
        if key != _CLIENT_TIMEOUT and value is not None
    ]


def _request_seconds(inputs: Properties) -> float | None:
    given = _client_settings(inputs).get(_CLIENT_TIMEOUT)
    source = f"{_CLIENT_SETTINGS}.{_CLIENT_TIMEOUT}"
    if given is None:
        given = os.environ.get(_TIMEOUT_VARIABLE) or None
        source = _TIMEOUT_VARIABLE
    if given is None or isinstance(given, Unknown):
        return None
    try:
        return float(str(given))
    except ValueError as error:
        raise ProviderError(f"{source}: {given!r} is no number of seconds") from error


def _strict_mode_failures(news: Properties, *, is_default_provider: bool) -> list[Failure]:
    strict = news.get(_STRICT_MODE)
    if strict is None:
        strict = _project_configuration().get(_STRICT_MODE)
    if strict != "true":
        return []
    found = [
        Failure(key, f'strict mode requires Provider "{key}" argument')
        for key in (KUBECONFIG, CONTEXT)
        if not news.get(key)
    ]
    if is_default_provider:
        found.insert(0, Failure("", "strict mode prohibits default provider"))
    return found


def _project_configuration() -> Properties:
    """Return the stack's configuration of this package, which the engine passes by environment."""
    try:
        parsed = json.loads(os.environ.get("PULUMI_CONFIG", ""))
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
