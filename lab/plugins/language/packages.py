"""The Pulumi packages a program needs, read from the distributions its interpreter has."""

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from packaging.utils import canonicalize_name
from packaging.version import Version
from pulumi.runtime.proto.plugin_pb2 import PackageDependency, PackageParameterization

from lab.plugins.language.inside import installed
from lab.plugins.language.interpreter import Interpreter
from lab.plugins.language.processes import Processes

# These carry no pulumi-plugin.json that would say so.
_WITHOUT_PLUGIN = frozenset({"pulumi-policy", "pulumi-esc-sdk"})
_PRE_RELEASES = {"a": "alpha", "b": "beta", "rc": "rc"}


class Parameterization(TypedDict):
    """The package that a parameterized plugin stands for; `value` is base64."""

    name: str
    version: str
    value: NotRequired[str]


class PluginDescription(TypedDict, total=False):
    """A pulumi-plugin.json."""

    resource: bool
    name: str
    version: str
    server: str
    parameterization: Parameterization
    extensionParameterization: Parameterization


class Distribution(TypedDict):
    """One installed distribution, as the script inside the interpreter prints it."""

    name: str
    version: str
    plugin: PluginDescription | None


async def installed_packages(
    interpreter: Interpreter, directory: Path, processes: Processes
) -> list[Distribution]:
    """All distributions of an interpreter.

    Raises `LanguageHostError` where they cannot be listed.
    """
    command = interpreter.command(directory, installed.__file__)
    distributions: list[Distribution] = json.loads(await processes.output_of(command))
    return distributions


def required_packages(distributions: Iterable[Distribution]) -> list[PackageDependency]:
    """The resource plugins of the distributions, by name; one found twice counts once."""
    found = (_required_package(distribution) for distribution in distributions)
    unique = {
        (package.name, package.version, package.parameterization.name): package
        for package in found
        if package is not None
    }
    return [unique[key] for key in sorted(unique)]


def plugin_version(package_version: str) -> str | None:
    """The semantic version of the plugin that a Python package of this version asks for.

    None for what semantic versions cannot say: epochs, local versions, more than three numbers.
    """
    version = Version(package_version)
    if version.epoch or version.local or len(version.release) > 3:
        return None
    text = f"{version.major}.{version.minor}.{version.micro}"
    if version.pre is not None:
        letter, number = version.pre
        text += f"-{_PRE_RELEASES[letter]}.{number}"
    build = "" if version.post is None else f"post{version.post}"
    build += "" if version.dev is None else f"dev{version.dev}"
    return f"{text}+{build}" if build else text


def _required_package(distribution: Distribution) -> PackageDependency | None:
    name = canonicalize_name(distribution["name"])
    plugin = distribution["plugin"]
    if name in _WITHOUT_PLUGIN:
        return None
    if plugin is None:
        if not name.startswith("pulumi-"):
            return None
        plugin = PluginDescription(resource=True)
    if not plugin.get("resource", False):
        return None
    version = plugin.get("version") or plugin_version(distribution["version"])
    if version is None:
        return None
    return PackageDependency(
        name=plugin.get("name") or name.removeprefix("pulumi-"),
        version=f"v{version.removeprefix('v')}",
        kind="resource",
        server=plugin.get("server", ""),
        parameterization=_parameterization(plugin, "parameterization"),
        extension=_parameterization(plugin, "extensionParameterization"),
    )


def _parameterization(plugin: Mapping[str, Any], key: str) -> PackageParameterization | None:
    described = plugin.get(key)
    if described is None:
        return None
    return PackageParameterization(
        name=described["name"],
        version=described["version"],
        value=base64.b64decode(described.get("value") or ""),
    )
