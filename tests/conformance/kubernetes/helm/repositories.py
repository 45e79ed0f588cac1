"""A chart repository and an OCI registry on loopback, with what they were asked."""

import base64
import hashlib
import http.server
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.background import in_background
from tests.conformance.kubernetes.helm.charts import write_chart
from tests.conformance.kubernetes.helm.conftest import Outsider

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.cncf.helm.config.v1+json"
_CHART_TYPE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@dataclass
class Served:
    """What a server has by path, and the requests it got, with the credentials in them."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    credentials: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    port: int = 0


@contextmanager
def serving(served: Served, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on loopback and give the address, `127.0.0.1:<port>`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def _answer(self) -> None:
            scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
            given = base64.b64decode(encoded).decode() if scheme == "Basic" else ""
            served.requests.append((self.path, given))
            if served.credentials and given != served.credentials:
                self._send(401, "text/plain", b"")
                return
            kind, content = served.files.get(self.path, ("", b""))
            self._send(200 if kind else 404, kind or "text/plain", content)

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", _digest(content))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with in_background(server):
        yield f"127.0.0.1:{server.server_port}"


def package(outsider: Outsider, folder: Path, version: str, *options: str, **metadata: Any) -> Path:
    """Return the archive of a chart of that version."""
    chart = write_chart(folder / f"chart-{version}", version=version, **metadata)
    archives = folder / "archives"
    outsider.run("package", str(chart), "--destination", str(archives), *options)
    return archives / f"example-{version}.tgz"


def repository(served: Served, *archives: Path) -> None:
    """Make a chart repository of archives whose file names are `<name>-<version>.tgz`."""
    entries: dict[str, list[Any]] = {}
    for archive in archives:
        name, _, version = archive.stem.partition("-")
        served.files[f"/charts/{archive.name}"] = ("application/gzip", archive.read_bytes())
        provenance = archive.with_name(f"{archive.name}.prov")
        if provenance.exists():
            served.files[f"/charts/{provenance.name}"] = ("text/plain", provenance.read_bytes())
        entries.setdefault(name, []).append(
            {"apiVersion": "v2", "name": name, "version": version, "urls": [archive.name]}
        )
    index = yaml.safe_dump({"apiVersion": "v1", "entries": entries})
    served.files["/charts/index.yaml"] = ("text/yaml", index.encode())


def registry(served: Served, *archives: Path) -> None:
    """Make a registry with the archives as the tags of `charts/example`."""
    root = "/v2/charts/example"
    served.files["/v2/"] = ("application/json", b"{}")
    tags = []
    for archive in archives:
        _, _, version = archive.stem.partition("-")
        tags.append(version)
        configuration = json.dumps({"name": "example", "version": version}).encode()
        layer = archive.read_bytes()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "config": _descriptor(_CONFIG_TYPE, configuration),
                "layers": [_descriptor(_CHART_TYPE, layer)],
            }
        ).encode()
        for content in (configuration, layer):
            path = f"{root}/blobs/{_digest(content)}"
            served.files[path] = ("application/octet-stream", content)
        for name in (version, _digest(manifest)):
            served.files[f"{root}/manifests/{name}"] = (_MANIFEST_TYPE, manifest)
    listed = json.dumps({"name": "charts/example", "tags": tags}).encode()
    served.files[f"{root}/tags/list"] = ("application/json", listed)


def _descriptor(kind: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
