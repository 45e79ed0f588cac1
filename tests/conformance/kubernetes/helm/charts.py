"""Charts that the tests make, and the inputs of a release of one."""

from pathlib import Path
from typing import Any

import yaml

from lab.plugins.provider.values import Properties, Value

RELEASE = "kubernetes:helm.sh/v3:Release"

# Ready at once; shows what helm was given.
CONFIGURATION = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-configuration
data:
  message: {{ .Values.message | quote }}
  everything: {{ toJson .Values | quote }}
  revision: {{ .Release.Revision | quote }}
"""
# There are no nodes: never ready with a replica, at once without one.
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
    spec:
      containers:
      - {name: main, image: "example.invalid/app:1"}
"""
HOOK = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-hook-{{ .Release.Revision }}
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
"""
DEFAULTS: Properties = {
    "message": "from the chart",
    "replicas": 0,
    "nested": {"kept": 1, "list": []},
}


def write_chart(
    folder: Path,
    name: str = "example",
    version: str = "1.0.0",
    templates: dict[str, str] | None = None,
    values: Properties | None = None,
    **metadata: Any,
) -> Path:
    """Write an unpacked chart into the folder of its name, over one that is there."""
    chart = folder / name
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    described = {"apiVersion": "v2", "name": name, "version": version, "appVersion": "7.8"}
    (chart / "Chart.yaml").write_text(yaml.safe_dump({**described, **metadata}))
    (chart / "values.yaml").write_text(yaml.safe_dump(DEFAULTS if values is None else values))
    for file, template in (templates or {"configuration.yaml": CONFIGURATION}).items():
        (chart / "templates" / file).write_text(template)
    return chart


def slow_chart(folder: Path) -> Path:
    """Write a chart whose release is ready only without replicas."""
    templates = {"configuration.yaml": CONFIGURATION, "deployment.yaml": DEPLOYMENT}
    return write_chart(folder, templates=templates)


def release(chart: Path | str, namespace: str, **fields: Value) -> Properties:
    """Return the inputs of a release as the SDK sends them."""
    return {
        "chart": str(chart),
        "compat": "true",
        "name": "example",
        "namespace": namespace,
        **fields,
    }
