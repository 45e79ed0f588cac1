"""One cluster under two addresses."""

import json
from pathlib import Path

import yaml

from lab.lab import Lab


def with_alias(lab: Lab, folder: Path) -> Path:
    """A kubeconfig in `folder` whose context `alias` leads to the cluster east by another name."""
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    for kind in ("contexts", "clusters"):
        (east,) = (each for each in document[kind] if each["name"] == "east")
        document[kind].append(json.loads(json.dumps(east)) | {"name": "alias"})
    document["contexts"][-1]["context"]["cluster"] = "alias"
    server = document["clusters"][-1]["cluster"]["server"]
    document["clusters"][-1]["cluster"]["server"] = server.replace("127.0.0.1", "localhost")
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path
