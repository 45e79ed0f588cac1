import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from lab.toolchain import (
    BENCH_TOOLS,
    EXAMPLE_TOOLS,
    ISTIO_CHARTS,
    LAB_TOOLS,
    NODE_TOOLS,
    Source,
    Toolchain,
    is_statically_linked,
)
from lab.toolchain.catalog import ENGINE, TOOLS, Tool
from lab.toolchain.installed import find_installed

BY_NAME = {tool.name: tool for tool in TOOLS}
NOT_OF_A_LAB = (*EXAMPLE_TOOLS, *BENCH_TOOLS)
BUILT = [tool for tool in TOOLS if tool.build and tool.name not in NOT_OF_A_LAB]
PUBLISHED = [tool for tool in TOOLS if tool.download]
PLUGINS = [tool for tool in TOOLS if tool.is_plugin]
# Packages of others that mains of ours consist of.
MAINS = {"coredns": "github.com/coredns/coredns/coremain"}


def requirements(tool: Tool) -> dict[str, str]:
    """Versions, without the `v`, by the modules that its build requires."""
    assert tool.build is not None
    pins = (tool.build.module / "go.mod").read_text()
    return dict(re.findall(r"^\s*(?:require )?(\S+) v(\S+)", pins, re.MULTILINE))


@pytest.mark.parametrize("tool", PLUGINS, ids=lambda tool: tool.name)
def test_a_plugin_is_of_the_version_that_its_python_package_asks_for(tool: Tool) -> None:
    package = tool.name.removeprefix("pulumi-resource-")
    asked = json.loads((files(f"pulumi_{package}") / "pulumi-plugin.json").read_text())
    assert (asked["name"], asked["version"]) == (package, tool.version)


@pytest.mark.parametrize("tool", BUILT, ids=lambda tool: tool.name)
def test_a_build_is_pinned(tool: Tool) -> None:
    assert tool.build is not None
    required = requirements(tool)
    sums = tool.build.module / "go.sum"
    # Only what is built from Go's own library alone has nothing to be summed.
    assert (sums.exists() and sums.stat().st_size > 0) == bool(required)
    assert bool(required) == (tool.name != "pause")
    # The bridged plugins count their versions apart from the provider's.
    package = MAINS.get(tool.name, tool.build.package)
    if package != ".":
        version = next(required[it] for it in required if f"{package}/".startswith(f"{it}/"))
        assert version == tool.version


@pytest.mark.parametrize("tool", PUBLISHED, ids=lambda tool: tool.name)
def test_a_download_is_of_the_version_and_over_https(tool: Tool) -> None:
    assert tool.download is not None
    for url in (tool.download.url, tool.download.checksums_url):
        assert url.startswith("https://")
        assert tool.version in url


@pytest.mark.parametrize(
    "tool", [tool for tool in BUILT if tool.installed], ids=lambda tool: tool.name
)
def test_a_prepared_tool_says_its_version(tool: Tool, toolchain: Toolchain) -> None:
    prepared = toolchain[tool.name]
    assert tool.installed is not None
    answer = subprocess.run(
        [prepared.path, *tool.installed.version_arguments],
        env={"HOME": "/nowhere", "PULUMI_SKIP_UPDATE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert prepared.version in answer.stdout
    assert prepared.version in tool.installed.accepted


def test_an_installed_engine_is_at_least_the_one_that_was_tried() -> None:
    engine = BY_NAME[ENGINE]
    assert engine.installed is not None
    assert [v for v in ("3.200.0", "3.258.9", "4.0.0") if v in engine.installed.accepted] == []
    assert all(v in engine.installed.accepted for v in (engine.version, "3.260.0"))


@pytest.mark.parametrize("tool", BUILT, ids=lambda tool: tool.name)
def test_a_built_tool_is_of_the_pinned_version_and_would_be_accepted_installed(
    tool: Tool, toolchain: Toolchain
) -> None:
    prepared = toolchain[tool.name]
    if prepared.source is not Source.BUILT:
        pytest.skip(f"{tool.name} is {prepared.source.value}")
    assert prepared.version == tool.version
    if tool.installed is not None:
        found = find_installed(tool, {"PATH": str(prepared.path.parent), "HOME": "/nowhere"})
        assert found is not None
        assert (found.version, found.objection) == (tool.version, "")


def test_each_tool_is_needed_by_every_lab_by_those_with_nodes_or_by_an_example() -> None:
    assert sorted((*LAB_TOOLS, *NODE_TOOLS, *NOT_OF_A_LAB)) == sorted(BY_NAME)
    assert set(NODE_TOOLS) == {
        *("kubelet", "kube-proxy", "kube-scheduler", "coredns", "pause"),
        *("pilot-discovery", "istio-charts", "istiod-agent"),
    }


def test_what_runs_in_an_image_needs_no_other_file(toolchain: Toolchain) -> None:
    for name in ("pilot-discovery", "istiod-agent", "coredns", "pause"):
        assert is_statically_linked(toolchain[name].path), name


def test_the_charts_are_those_of_the_istiod(toolchain: Toolchain) -> None:
    charts = BY_NAME[ISTIO_CHARTS]
    assert charts.files is not None
    istiod = BY_NAME["pilot-discovery"]
    assert istiod.build is not None
    assert (charts.version, charts.files.pins) == (istiod.version, istiod.build.module)
    prepared = toolchain[ISTIO_CHARTS]
    assert prepared.source is Source.MODULE
    chart = yaml.safe_load((prepared.path / "istio-discovery" / "Chart.yaml").read_text())
    assert chart["name"] == "istiod"
    text = (prepared.path / "crd-all.gen.yaml").read_text()
    kinds = {each["spec"]["names"]["kind"] for each in yaml.load_all(text, yaml.CSafeLoader)}
    assert {"PeerAuthentication", "Gateway", "AuthorizationPolicy"} <= kinds


@pytest.mark.parametrize("name", ["kube-scheduler", "kubelet", "kube-proxy"])
def test_an_installed_tool_of_a_node_is_of_the_api_servers_minor_version(name: str) -> None:
    tool, api_server = BY_NAME[name], BY_NAME["kube-apiserver"]
    assert tool.version == api_server.version
    assert tool.installed is not None
    assert [v for v in ("1.33.9", "1.35.0") if v in tool.installed.accepted] == []
    assert all(v in tool.installed.accepted for v in (api_server.version, "1.34.0", "1.34.9"))


def test_an_installed_helm_is_not_older_than_the_api_server() -> None:
    helm = BY_NAME["helm"]
    assert helm.installed is not None
    assert [v for v in ("2.17.0", "3.18.6", "4.0.0") if v in helm.installed.accepted] == []
    assert all(v in helm.installed.accepted for v in (helm.version, "3.19.0"))


def test_helm_tells_charts_of_the_kubernetes_release_of_its_libraries(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    tool = BY_NAME["helm"]
    _, minor, _ = requirements(tool)["k8s.io/client-go"].split(".")
    helm = toolchain[tool.name]
    if helm.source is not Source.BUILT:
        pytest.skip(f"helm is {helm.source.value}")
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("apiVersion: v2\nname: tiny\nversion: 0.1.0\n")
    (tmp_path / "templates" / "it.yaml").write_text("it: {{ .Capabilities.KubeVersion }}\n")
    answer = subprocess.run(
        [helm.path, "template", tmp_path],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"it: v1.{minor}.0" in answer.stdout


def test_coredns_has_what_a_cluster_asks_of_it(toolchain: Toolchain) -> None:
    answer = subprocess.run(
        [toolchain["coredns"].path, "-plugins"], capture_output=True, text=True, check=True
    )
    plugins = set(answer.stdout.split())
    # Those of the configuration that kubeadm writes, and two that help to find out.
    assert plugins >= {
        "errors",
        "health",
        "ready",
        "kubernetes",
        "prometheus",
        "forward",
        "cache",
        "loop",
        "reload",
        "loadbalance",
        "hosts",
        "log",
    }


@pytest.mark.parametrize("name", ["coredns", "pause"])
def test_what_makes_up_an_image_needs_nothing_beside_it(name: str, toolchain: Toolchain) -> None:
    assert is_statically_linked(toolchain[name].path)
