"""Kubeconfig files as the official client reads them, each parsed once for all of its contexts.

A file of thirty clusters takes a fifteenth of a second to parse, and each cluster would have it
parsed anew.
"""

import copy
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILES = 16
"""How many are kept; a stack has one, or one for each cluster."""

_LOCK = threading.Lock()
"""Clusters are looked at side by side, and the second is to wait for what the first one parses."""


def parsed_kubeconfig(paths: str) -> Any:
    """What the official client makes of the files at `paths`, separated as in $KUBECONFIG.

    Of the caller's own: the client may write renewed tokens into it. A changed file is parsed anew.

    Raises:
        ConfigException: there is no such file, or nothing in it.
        yaml.YAMLError: one is not YAML; other errors, where it is not that of a kubeconfig.
    """
    with _LOCK:
        return copy.deepcopy(_parsed(paths, _marks(paths)))


def _marks(paths: str) -> tuple[tuple[int, int, int], ...]:
    """What changes with the content of the files."""
    found = [Path(each).expanduser() for each in paths.split(os.pathsep) if each]
    marks = [each.stat() for each in found if each.exists()]
    return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in marks)


@lru_cache(maxsize=_FILES)
def _parsed(paths: str, _marked: tuple[tuple[int, int, int], ...]) -> Any:
    from kubernetes.config import ConfigException, kube_config

    # The stubs do not know it.
    merge: Any = kube_config
    merged = merge.KubeConfigMerger(paths).config
    if merged is None:
        raise ConfigException("Invalid kube-config file. No configuration found.")
    return merged
