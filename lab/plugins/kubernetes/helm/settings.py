"""What a provider's configuration and its environment say of Helm."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.plugins.provider.provider import Failure, ProviderError, refuse_unknown_fields
from lab.plugins.provider.values import Properties, Unknown, Value, reveal

HELM_SETTINGS = "helmReleaseSettings"

_PROVIDER_TOKEN = "pulumi:providers:kubernetes"  # noqa: S105 - a type's name
# Where the configuration does not mention one, its environment variable is used.
_VARIABLES = {
    "driver": "PULUMI_K8S_HELM_DRIVER",
    "pluginsPath": "PULUMI_K8S_HELM_PLUGINS_PATH",
    "registryConfigPath": "PULUMI_K8S_HELM_REGISTRY_CONFIG_PATH",
    "repositoryCache": "PULUMI_K8S_HELM_REPOSITORY_CACHE",
    "repositoryConfigPath": "PULUMI_K8S_HELM_REPOSITORY_CONFIG_PATH",
}
_DRIVERS = ("secret", "secrets", "configmap", "configmaps", "sql")


@dataclass(frozen=True)
class HelmSettings:
    """Where Helm keeps releases, and finds plugins, registries' credentials and repositories."""

    driver: str
    plugins: str
    registry_config: str
    repository_config: str
    repository_cache: str


def helm_failures(given: Value) -> list[Failure]:
    """Return what is wrong with the settings in a provider's configuration."""
    try:
        settings = _settings(given)
    except ProviderError as error:
        return [Failure(HELM_SETTINGS, str(error))]
    found = refuse_unknown_fields(_PROVIDER_TOKEN, settings, frozenset(_VARIABLES), HELM_SETTINGS)
    found += [
        Failure(f"{HELM_SETTINGS}.{name}", f"{HELM_SETTINGS}.{name}: expected text")
        for name in _VARIABLES
        if not isinstance(settings.get(name), str | Unknown | None)
    ]
    if not found and not isinstance(settings.get("driver"), Unknown):
        driver = _setting(settings, "driver")
        if driver and driver not in _DRIVERS:
            found.append(Failure(f"{HELM_SETTINGS}.driver", _wrong_driver(driver)))
    return found


def helm_settings_of(given: Value) -> HelmSettings:
    """Return the settings of a checked configuration, with Helm's own places as defaults.

    Raises `ProviderError`.
    """
    settings = _settings(given)
    driver = _setting(settings, "driver") or "secret"
    if driver not in _DRIVERS:
        raise ProviderError(_wrong_driver(driver))
    configuration = _home("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", ".config")
    cache = _home("HELM_CACHE_HOME", "XDG_CACHE_HOME", ".cache")
    data = _home("HELM_DATA_HOME", "XDG_DATA_HOME", ".local/share")
    registry = configuration / "registry.json"
    if not registry.exists():
        registry = configuration / "registry" / "config.json"
    return HelmSettings(
        driver=driver,
        plugins=_setting(settings, "pluginsPath") or str(data / "plugins"),
        registry_config=_setting(settings, "registryConfigPath") or str(registry),
        repository_config=_setting(settings, "repositoryConfigPath")
        or str(configuration / "repositories.yaml"),
        repository_cache=_setting(settings, "repositoryCache") or str(cache / "repository"),
    )


def _settings(given: Value) -> Properties:
    # The SDK writes everything but strings as JSON.
    given = reveal(given)
    if isinstance(given, str) and given:
        try:
            given = json.loads(given)
        except ValueError as error:
            raise ProviderError(f"{HELM_SETTINGS}: no JSON object") from error
    return given if isinstance(given, dict) else {}


def _setting(settings: Mapping[str, Value], name: str) -> str:
    value = settings.get(name)
    return value if isinstance(value, str) else os.environ.get(_VARIABLES[name], "")


def _wrong_driver(driver: str) -> str:
    return (
        f"{HELM_SETTINGS}.driver: {driver!r} keeps no releases that helm finds again; use one of "
        f"{', '.join(_DRIVERS)}"
    )


def _home(own_variable: str, variable: str, usual: str) -> Path:
    own = os.environ.get(own_variable)
    if own:
        return Path(own)
    shared = os.environ.get(variable)
    return (Path(shared) if shared else Path.home() / usual) / "helm"
