"""A real API server, a real Helm, a repository with the lab's charts of Gloo, and a program."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.directory import CHECKOUT
from lab.toolchain import Toolchain
from tests.conformance.kubernetes.conftest import kubeconfig_path, namespace, server
from tests.conformance.kubernetes.helm.conftest import Outsider, helm, outsider
from tests.conformance.kubernetes.helm.repositories import Served, serving
from tests.conformance.kubernetes.server import Server
from tests.engine import own_program_environment, prepare_engine
from tests.existing.conftest import OwnProgram, vault

__all__ = ["helm", "kubeconfig_path", "namespace", "outsider", "server", "vault"]

CHARTS = CHECKOUT / "lab" / "charts"
VERSIONS = ("2.5.12", "2.5.13", "2.5.13-fips")
_SOURCE = Path(__file__).with_name("own_program")


@pytest.fixture(scope="session")
def archives(outsider: Outsider, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several versions of each chart, whose images have the tag of the version."""
    folder = tmp_path_factory.mktemp("charts")
    for name in ("gloo-platform", "gloo-mesh-agent"):
        for version in VERSIONS:
            chart = folder / version / name
            shutil.copytree(CHARTS / name, chart)
            described = yaml.safe_load((chart / "Chart.yaml").read_text())
            own = described["version"]
            described |= {"version": version, "appVersion": version}
            (chart / "Chart.yaml").write_text(yaml.safe_dump(described))
            values = (chart / "values.yaml").read_text()
            assert values.count(own) == 1
            (chart / "values.yaml").write_text(values.replace(own, version))
            outsider.run("package", str(chart), "--destination", str(folder / "archives"))
    outsider.run("repo", "index", str(folder / "archives"))
    return folder / "archives"


@pytest.fixture(scope="session")
def repository(archives: Path) -> Iterator[str]:
    """Address of a chart repository with them."""
    files = {f"/{path.name}": ("text/plain", path.read_bytes()) for path in archives.iterdir()}
    with serving(Served(files=files)) as address:
        yield f"http://{address}"


class GlooMesh:
    """The namespace `gloo-mesh` of a workload cluster, and who installs Gloo's agent by hand."""

    def __init__(self, outsider: Outsider, server: Server, archives: Path) -> None:
        self._outsider, self._server, self._archives = outsider, server, archives
        if server.find("v1", "Namespace", "", "gloo-mesh") is None:
            server.create(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gloo-mesh"}}
            )

    def install(self, chart: str, version: str, values: Path, name: str = "gloo-agent") -> None:
        archive = str(self._archives / f"{chart}-{version}.tgz")
        self._outsider.run("install", name, archive, "-n", "gloo-mesh", "-f", str(values))

    def upgrade(self, chart: str, version: str, *options: str) -> None:
        archive = str(self._archives / f"{chart}-{version}.tgz")
        self._outsider.run("upgrade", "gloo-agent", archive, "-n", "gloo-mesh", *options)

    def uninstall(self) -> None:
        for release in self._outsider.releases("gloo-mesh"):
            self._outsider.run("uninstall", release["name"], "-n", "gloo-mesh")

    def values(self) -> Any:
        return self._outsider.values("gloo-mesh", "gloo-agent")

    def revisions(self) -> list[str]:
        """The chart of each revision."""
        if not self._outsider.status("gloo-mesh", "gloo-agent"):
            return []
        return [each["chart"] for each in self._outsider.history("gloo-mesh", "gloo-agent")]

    def descriptions(self) -> list[str]:
        return [each["description"] for each in self._outsider.history("gloo-mesh", "gloo-agent")]

    def shown(self) -> Any:
        """What the chart's ConfigMap shows."""
        return self._server.find("v1", "ConfigMap", "gloo-mesh", "gloo-agent-values")["data"]

    def bound(self) -> Sequence[Any] | None:
        """Subjects of the chart's binding; None where there is no binding."""
        found = self._server.find(
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            "",
            "gloo-agent-istiod-sidecar",
        )
        return (
            None
            if found is None
            else [(each["namespace"], each["name"]) for each in found["subjects"]]
        )


@pytest.fixture
def gloo_mesh(outsider: Outsider, server: Server, archives: Path) -> Iterator[GlooMesh]:
    """Without any release, before the test and after it."""
    gloo_mesh = GlooMesh(outsider, server, archives)
    yield gloo_mesh
    gloo_mesh.uninstall()


@pytest.fixture(scope="session")
def own_environment(
    toolchain: Toolchain, kubeconfig_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Environment variables for an engine with the tool chain's plugins."""
    engine = prepare_engine(tmp_path_factory.mktemp("engine"), toolchain)
    return {
        **own_program_environment(engine),
        "CLUSTER": str(kubeconfig_path),
    }


@pytest.fixture
def own(
    own_environment: dict[str, str], gloo_mesh: GlooMesh, tmp_path: Path
) -> Iterator[OwnProgram]:
    """The program with an empty stack; what it makes is destroyed after the test."""
    program = OwnProgram.of(_SOURCE, tmp_path / "program", own_environment)
    yield program
    program.settings = {}
    program.run("destroy", "--yes", "--skip-preview")
    program.run("stack", "rm", "--yes", "--force")
    del gloo_mesh


@pytest.fixture
def values_file(tmp_path: Path) -> Path:
    """A file for values of somebody's own, YAML."""
    return tmp_path / "values.yaml"


def write_values(file: Path, values: Any) -> Path:
    file.write_text(json.dumps(values))
    return file
