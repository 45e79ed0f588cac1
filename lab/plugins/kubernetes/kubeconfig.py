"""Kubeconfig files: finding and reading one, and what it says of the cluster in use."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import ApiClient, Configuration
from kubernetes.config import ConfigException, load_kube_config_from_dict

from lab.plugins.kubernetes.credential_files import credentials_folder
from lab.plugins.kubernetes.objects import items, mapping, text
from lab.plugins.loopback import is_loopback
from lab.plugins.provider.values import Properties, Value

_ENVIRONMENT_VARIABLE = "KUBECONFIG"
_DEFAULT_FILE = "~/.kube/config"
_LISTS = ("clusters", "contexts", "users")
_FILE_FIELDS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where there is one: each plugin reads a kubeconfig of all clusters three times."""


class KubeconfigError(Exception):
    """A kubeconfig that is missing or cannot be used; the text quotes nothing of its content."""


@dataclass(frozen=True)
class Selection:
    """What of a kubeconfig to use; an empty name means what the file itself says."""

    context: str = ""
    cluster: str = ""


def parse_kubeconfig(given: Value) -> Properties:
    """Return the kubeconfig that is given by its path, its YAML or JSON text, or its value.

    Raises `KubeconfigError`.
    """
    if not given:
        return {}
    if isinstance(given, dict):
        return given
    if not isinstance(given, str):
        raise KubeconfigError(f"expected a path or text, not a {type(given).__name__}")
    path = _as_path(given)
    if path is not None:
        try:
            return _parse_text(path.read_text(), str(path))
        except OSError as error:
            raise KubeconfigError(f"{path}: {error.strerror}") from error
    return _parse_text(given, "the text given")


def ambient_kubeconfig() -> Properties:
    """Return the kubeconfig of the environment: the files of KUBECONFIG, else the home folder's.

    Where files differ on an entry the first one counts. Raises `KubeconfigError`.
    """
    paths = os.environ.get(_ENVIRONMENT_VARIABLE) or _DEFAULT_FILE
    merged: Properties = {}
    for path in (Path(part).expanduser() for part in paths.split(os.pathsep) if part):
        if path.is_file():
            merged = _merged(merged, _with_absolute_paths(parse_kubeconfig(str(path)), path.parent))
    if not merged:
        raise KubeconfigError(f"no configuration has been provided: there is no file {paths}")
    return merged


def active_cluster(kubeconfig: Properties, selection: Selection) -> Properties | None:
    """Return the entry of the cluster in use, or None where the kubeconfig does not tell."""
    context = _active_context(kubeconfig, selection)
    if context is None:
        return None
    return _entry(kubeconfig, "cluster", selection.cluster or text(context, "cluster"))


def active_namespace(kubeconfig: Properties, selection: Selection) -> str:
    """Return the namespace of the context in use, `default` where it names none."""
    return text(_active_context(kubeconfig, selection), "namespace") or "default"


def connect(kubeconfig: Properties, selection: Selection) -> ApiClient:
    """Return a client for the cluster in use; raises `KubeconfigError`."""
    context_name = selection.context or text(kubeconfig, "current-context")
    if _active_context(kubeconfig, selection) is None:
        raise KubeconfigError(f"context {context_name!r} does not exist")
    if active_cluster(kubeconfig, selection) is None:
        raise KubeconfigError(
            f"the cluster of context {context_name!r} does not exist"
            if not selection.cluster
            else f"cluster {selection.cluster!r} does not exist"
        )
    configuration: Any = Configuration()  # its published types leave out its proxy
    try:
        load_kube_config_from_dict(
            _selecting(kubeconfig, selection, context_name),
            context=context_name,
            client_configuration=configuration,
            persist_config=False,
            temp_file_path=str(credentials_folder()),
        )
    except (ConfigException, ValueError, TypeError, OSError) as error:
        # Texts of other errors may quote the file.
        reason = str(error) if isinstance(error, ConfigException) else type(error).__name__
        raise KubeconfigError(f"context {context_name!r}: {reason}") from error
    configuration.retries = False  # the library's own would multiply every limit of time
    if is_loopback(configuration.host):
        configuration.proxy = None
    return ApiClient(configuration)


def for_other_clients(kubeconfig: Properties, selection: Selection) -> Properties:
    """Return the kubeconfig as another program is to read it, from a file of any place.

    What is selected is the current context in it. It has an active context: see `connect`.
    """
    context_name = selection.context or text(kubeconfig, "current-context")
    selected = _selecting(kubeconfig, selection, context_name)
    return {**_with_absolute_paths(selected, Path.cwd()), "current-context": context_name}


def _selecting(kubeconfig: Properties, selection: Selection, context_name: str) -> dict[Any, Any]:
    # A copy without any `Secret` of ours; the client also writes into what it is given.
    plain: dict[Any, Any] = json.loads(json.dumps(kubeconfig))
    if selection.cluster:
        for entry in plain["contexts"]:
            if entry["name"] == context_name:
                entry["context"]["cluster"] = selection.cluster
    return plain


def _active_context(kubeconfig: Properties, selection: Selection) -> Properties | None:
    name = selection.context or text(kubeconfig, "current-context")
    return _entry(kubeconfig, "context", name)


def _entry(kubeconfig: Properties, kind: str, name: str) -> Properties | None:
    for entry in items(kubeconfig, f"{kind}s"):
        if text(entry, "name") == name:
            return mapping(entry, kind)
    return None


def _as_path(given: str) -> Path | None:
    try:
        path = Path(given).expanduser()
        return path if path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None  # a kubeconfig's text is no path, and makes too long a one to ask for


def _parse_text(content: str, source: str) -> Properties:
    try:
        parsed = yaml.load(content, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark is not None else ""
        raise KubeconfigError(f"{source} is no YAML{place}") from error
    if not isinstance(parsed, dict):
        raise KubeconfigError(f"{source} is neither a file nor a kubeconfig")
    return parsed


def _merged(first: Properties, second: Properties) -> Properties:
    merged: Properties = {**second, **first}
    for name in _LISTS:
        known = {text(entry, "name") for entry in items(first, name)}
        added = [entry for entry in items(second, name) if text(entry, "name") not in known]
        merged[name] = [*items(first, name), *added]
    return merged


def _with_absolute_paths(kubeconfig: Properties, folder: Path) -> Properties:
    return {
        **kubeconfig,
        **{
            name: [
                {
                    key: _absolute(value, folder) if isinstance(value, dict) else value
                    for key, value in entry.items()
                }
                for entry in items(kubeconfig, name)
            ]
            for name in _LISTS
        },
    }


def _absolute(entry: Mapping[str, Value], folder: Path) -> Value:
    return {
        key: str(folder / str(value)) if key in _FILE_FIELDS and value else value
        for key, value in entry.items()
    }
