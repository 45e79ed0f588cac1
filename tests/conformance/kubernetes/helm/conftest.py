"""The plugin with a helm of its own, and helm as somebody else uses it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.plugins.provider.values import Value
from tests.conformance.harness import Plugin, running_plugin
from tests.conformance.kubernetes.server import Server

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

_MODULE = "lab.plugins.kubernetes"

HelmPlugin = Callable[..., AbstractContextManager[Plugin]]


class Outsider:
    """Somebody who uses helm in the same cluster."""

    def __init__(self, helm: Path, environment: Mapping[str, str]) -> None:
        self._helm = helm
        self._environment = environment

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._helm, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def releases(self, namespace: str) -> list[Any]:
        printed = self.run("list", "--all", "--namespace", namespace, "--output", "json")
        releases: list[Any] = json.loads(printed)
        return releases

    def status(self, namespace: str, name: str = "example") -> str:
        """Return helm's word for the release, empty where there is none of that name."""
        found = [each["status"] for each in self.releases(namespace) if each["name"] == name]
        return found[0] if found else ""

    def history(self, namespace: str, name: str = "example") -> list[Any]:
        printed = self.run("history", name, "--namespace", namespace, "--output", "json")
        revisions: list[Any] = json.loads(printed)
        return revisions

    def values(self, namespace: str, name: str = "example") -> Any:
        return json.loads(self.run("get", "values", name, "-n", namespace, "-o", "json"))


@pytest.fixture(scope="session")
def helm(toolchain: "Toolchain") -> Path:
    return toolchain["helm"].path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's home folder, without anything of helm's in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def helm_plugin(kubeconfig_path: Path, helm: Path, home: Path) -> HelmPlugin:
    """Starts a plugin that has a helm, with an environment and a configuration of its own."""

    @contextmanager
    def start(
        environment: Mapping[str, str] | None = None,
        inputs: Mapping[str, Value] | None = None,
        **options: Any,
    ) -> Iterator[Plugin]:
        own = {"MESH_TRUST_HELM": str(helm), "HOME": str(home)}
        with running_plugin(_MODULE, {**own, **(environment or {})}, **options) as plugin:
            plugin.configure({"kubeconfig": str(kubeconfig_path), **(inputs or {})})
            yield plugin

    return start


@pytest.fixture(scope="session")
def plugin(helm_plugin: HelmPlugin, server: Server) -> Iterator[Plugin]:  # noqa: ARG001
    """The plugin as a stack has it that sets nothing but the kubeconfig."""
    with helm_plugin() as plugin:
        yield plugin


@pytest.fixture(scope="session")
def outsider(
    helm: Path, kubeconfig_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Outsider:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path_factory.mktemp("outsider")),
        "KUBECONFIG": str(kubeconfig_path),
    }
    return Outsider(helm, environment)


@pytest.fixture
def configuration(server: Server, namespace: str) -> Callable[[], Any]:
    """Returns what the chart's ConfigMap has now, None where there is none."""

    def read() -> Any:
        found = server.find("v1", "ConfigMap", namespace, "example-configuration")
        if found is None:
            return None
        return {**found["data"], "everything": json.loads(found["data"]["everything"])}

    return read
