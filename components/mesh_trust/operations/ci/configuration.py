"""What the file of an environment's configuration says, read without the engine."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mesh_trust.readiness import on_one_line
from mesh_trust.vault_install_args import SERVER_MODES

from ..errors import OperationError
from ..project import PROJECT

_NAMESPACE = f"{PROJECT}:"


def configuration_in(path: Path) -> Mapping[str, Any]:
    """The keys in the file `path` that are the program's, without their `mesh-trust:`.

    Raises:
        OperationError: it cannot be read.
    """
    try:
        document: Any = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OperationError(f"{path.name} is not YAML ({on_one_line(str(error), 200)})") from None
    config = document.get("config") if isinstance(document, dict) else None
    return {
        str(key).removeprefix(_NAMESPACE): value
        for key, value in (config if isinstance(config, dict) else {}).items()
        if str(key).startswith(_NAMESPACE)
    }


def makes_servers(configuration: Mapping[str, Any]) -> bool:
    """Whether it is that of a stack that makes a Vault for others, and nothing else."""
    install = configuration.get("vaultInstall")
    return isinstance(install, dict) and install.get("mode") in SERVER_MODES
