"""One private control plane for all tests of the plugin, and the plugin configured for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kubernetes.config import new_client_from_config
from rich.console import Console

from lab import kubeconfig, processes
from lab.control_plane import api_server, control_plane, controller_manager
from lab.directory import LabDirectory, write_private
from lab.etcd import etcd_access, etcd_server
from lab.plugins.provider.values import Properties, Value
from lab.ports import assign_ports
from lab.progress import Steps
from lab.startup import bring_up
from tests.conformance.harness import Plugin, running_plugin
from tests.conformance.kubernetes.server import Server

if TYPE_CHECKING:
    from lab.toolchain import Toolchain

_MODULE = "lab.plugins.kubernetes"
CLUSTER = "conformance"

ConfiguredPlugin = Callable[[Mapping[str, Value]], AbstractContextManager[Plugin]]

WIDGETS: Properties = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.conformance.example"},
    "spec": {
        "group": "conformance.example",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "colour": {"type": "string"},
                                    "parts": {"type": "array", "items": {"type": "string"}},
                                },
                            },
                            "status": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            },
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture(scope="session")
def kubeconfig_path(
    toolchain: "Toolchain", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A control plane of its own; the kubeconfig is its administrator's."""
    directory = LabDirectory(tmp_path_factory.mktemp("control-plane"))
    directory.create()
    ports = assign_ports(("etcd", "peer", "api", "manager"), {}, ())
    access = etcd_access(directory, ports["etcd"])
    plane = control_plane(directory, CLUSTER, ports["api"])
    groups = (
        [etcd_server(directory, toolchain["etcd"].path, access, ports["peer"])],
        [api_server(toolchain["kube-apiserver"].path, plane, ports["api"], access)],
        [
            controller_manager(
                directory, toolchain["kube-controller-manager"].path, plane, ports["manager"]
            )
        ],
    )
    write_private(directory.kubeconfig, kubeconfig.render([plane.context()]))
    try:
        with Steps(Console(quiet=True)) as steps:
            for group in groups:
                bring_up(directory, group, steps)
        yield directory.kubeconfig
    finally:
        processes.end(processes.running(directory))


@pytest.fixture(scope="session")
def server(kubeconfig_path: Path) -> Server:
    """The server as another client sees and changes it."""
    server = Server(new_client_from_config(str(kubeconfig_path)))
    server.create(WIDGETS)
    server.await_kind("conformance.example/v1", "Widget")
    return server


@pytest.fixture(scope="session")
def configured_plugin(kubeconfig_path: Path) -> ConfiguredPlugin:
    """Starts a plugin with a configuration of its own, for the same control plane."""

    @contextmanager
    def start(inputs: Mapping[str, Value]) -> Iterator[Plugin]:
        with running_plugin(_MODULE) as plugin:
            plugin.configure({"kubeconfig": str(kubeconfig_path), **inputs})
            yield plugin

    return start


@pytest.fixture(scope="session")
def plugin(configured_plugin: ConfiguredPlugin, server: Server) -> Iterator[Plugin]:  # noqa: ARG001
    """The plugin as a stack has it that sets nothing but the kubeconfig."""
    with configured_plugin({}) as plugin:
        yield plugin


@pytest.fixture
def unconfigured_plugin() -> Iterator[Plugin]:
    with running_plugin(_MODULE) as plugin:
        yield plugin


@pytest.fixture
def namespace(server: Server) -> str:
    """A namespace of the test's own."""
    created = server.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "test-"}}
    )
    name: str = created["metadata"]["name"]
    return name
