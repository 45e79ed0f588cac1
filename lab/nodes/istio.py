"""Istio of a workload cluster, as its own chart makes it: istiod and its resource definitions.

Its webhooks are left out: no sidecar is injected, and no object of Istio's is checked by istiod.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from lab.errors import LabError
from lab.kubernetes_objects import Object
from lab.nodes.images import ISTIOD_IMAGE

ISTIO_NAMESPACE = "istio-system"

_CHART = "istio-discovery"
_DEFINITIONS = "crd-all.gen.yaml"
_TIMEOUT_SECONDS = 60

# The API servers run on the host and reach no pod, so that nobody would hear their questions.
_ANSWERED_BY_NOBODY = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def istio_objects(helm: Path, charts: Path, cluster: str, *, pods: bool = True) -> list[Object]:
    """Render them, definitions first; `charts` is the folder of Istio's published files.

    Without `pods` istiod's Deployment is to have none.

    Raises:
        LabError: Helm does not render the chart.
    """
    definitions = _documents((charts / _DEFINITIONS).read_text())
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [
                *(helm, "template", "istiod", charts / _CHART),
                *("--namespace", ISTIO_NAMESPACE, "--values", "-"),
            ],
            input=json.dumps(_values(cluster)),
            env={"HOME": home, "PATH": os.defpath},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    if done.returncode != 0:
        raise LabError(f"Istio's chart cannot be rendered: {done.stderr.strip()}")
    rendered = _documents(done.stdout)
    if not pods:
        for each in rendered:
            if each["kind"] == "Deployment":
                each["spec"]["replicas"] = 0
    return [*definitions, *(each for each in rendered if each["kind"] not in _ANSWERED_BY_NOBODY)]


def _values(cluster: str) -> Object:
    return {
        "image": ISTIOD_IMAGE,
        "autoscaleEnabled": False,
        # What it uses with few objects, not what it may use.
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        "telemetry": {"enabled": False},
        "global": {
            "multiCluster": {"clusterName": cluster},
            # One that allows no disruption of a single pod.
            "defaultPodDisruptionBudget": {"enabled": False},
        },
    }


def _documents(text: str) -> list[Any]:
    # The parser in C: the definitions are a megabyte.
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
