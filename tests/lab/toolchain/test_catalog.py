import json
import re
import subprocess
from importlib.resources import files

import pytest

from lab.toolchain import Source, Toolchain
from lab.toolchain.catalog import ENGINE, TOOLS, Tool
from lab.toolchain.installed import find_installed

BY_NAME = {tool.name: tool for tool in TOOLS}
BUILT = [tool for tool in TOOLS if tool.build]
PUBLISHED = [tool for tool in TOOLS if tool.download]
PLUGINS = [tool for tool in TOOLS if tool.is_plugin]


@pytest.mark.parametrize("tool", PLUGINS, ids=lambda tool: tool.name)
def test_a_plugin_is_of_the_version_that_its_python_package_asks_for(tool: Tool) -> None:
    package = tool.name.removeprefix("pulumi-resource-")
    asked = json.loads((files(f"pulumi_{package}") / "pulumi-plugin.json").read_text())
    assert (asked["name"], asked["version"]) == (package, tool.version)


@pytest.mark.parametrize("tool", BUILT, ids=lambda tool: tool.name)
def test_a_build_is_pinned(tool: Tool) -> None:
    assert tool.build is not None
    pins = (tool.build.module / "go.mod").read_text()
    assert (tool.build.module / "go.sum").stat().st_size > 0
    # The bridged plugins count their versions apart from the provider's.
    if tool.build.package != ".":
        module = next(
            pin
            for pin in re.finditer(r"^\s*(?:require )?(\S+) v(\S+)", pins, re.MULTILINE)
            if f"{tool.build.package}/".startswith(f"{pin[1]}/")
        )
        assert module[2] == tool.version


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
