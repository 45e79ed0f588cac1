"""What a kubeconfig tells the official Python client of a cluster."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from .cluster_errors import UnusableAccessError
from .parsed_kubeconfigs import parsed_kubeconfig
from .readiness import on_one_line

if TYPE_CHECKING:
    from kubernetes.client import Configuration


def client_configuration(kubeconfig: str | None, context: str | None) -> "Configuration":
    """What the official client has to know to get to the cluster of `context`.

    `kubeconfig` is a path, the content of a file, or None for the one that kubectl would take.

    Raises:
        UnusableAccessError: there is no such file or context, or nothing to connect to.
    """
    from kubernetes import client, config

    named = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    configuration = client.Configuration()
    # Every look is a try of its own, and a retry would print a warning.
    configuration.retries = False
    try:
        if is_content(named):
            config.load_kube_config_from_dict(
                yaml.safe_load(named), context, configuration, persist_config=False
            )
        elif kubeconfig is None and _is_in_pod() and not _any_exists(named):
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config_from_dict(
                parsed_kubeconfig(named), context, configuration, persist_config=False
            )
    except config.ConfigException as error:
        raise UnusableAccessError(
            "kubeconfig",
            _shown(named),
            f"name a kubeconfig that has {f'context {context}' if context else 'a current context'}"
            f" ({on_one_line(str(error), 150)})",
        ) from None
    except (yaml.YAMLError, TypeError, AttributeError, ValueError):
        # Not the errors' own words, which may quote the content. The client looks at no types.
        raise UnusableAccessError(
            "kubeconfig", _shown(named), "give it the YAML of a kubeconfig"
        ) from None
    return configuration


def is_content(kubeconfig: str) -> bool:
    """Whether this is the content of a kubeconfig, and not the path of one."""
    return "\n" in kubeconfig or kubeconfig.lstrip().startswith("{")


def _shown(kubeconfig: str) -> str:
    return "…" if is_content(kubeconfig) else kubeconfig


def _any_exists(paths: str) -> bool:
    return any(Path(path).expanduser().exists() for path in paths.split(os.pathsep))


def _is_in_pod() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ
