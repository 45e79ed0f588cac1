"""The tools: which versions, where the official ones are, and how to build them.

Versions of the provider plugins are those that the Python packages in requirements.txt ask for.
"""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.specifiers import SpecifierSet

MODULES = Path(__file__).parent / "modules"
PLUGINS = Path(__file__).parents[1] / "plugins"
AGENT = Path(__file__).parents[1] / "agent"

OS = platform.system().lower()
_MACHINE = platform.machine().lower()
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(_MACHINE, _MACHINE)

ENGINE = "pulumi"
LANGUAGE_HOST = "pulumi-language-python"
YAML_HOST = "pulumi-language-yaml"
NODEJS_HOST = "pulumi-language-nodejs"
GO_HOST = "pulumi-language-go"
ISTIO_CHARTS = "istio-charts"
ISTIOD_AGENT = "istiod-agent"
KUBECTL = "kubectl"
PILOT_DISCOVERY = "pilot-discovery"


@dataclass(frozen=True)
class Installed:
    """How an installed tool says its version, and which versions will do."""

    version_arguments: tuple[str, ...]
    accepted: SpecifierSet
    static: bool = False
    """Whether only one that needs no shared library will do."""


@dataclass(frozen=True)
class Download:
    """An official release and the checksums that its publisher gives for it."""

    url: str
    checksums_url: str
    """A file of lines `SHA-256  file name`, or with nothing but the SHA-256."""
    member: str | None
    """The executable within the archive; None where the download is the executable itself."""


@dataclass(frozen=True)
class GoBuild:
    """A package built in one of the pinned modules."""

    module: Path
    """Folder with go.mod and go.sum."""
    package: str
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Values of string variables, set when linking."""


@dataclass(frozen=True)
class ModuleFiles:
    """Files that are published with a Go module."""

    pins: Path
    """Folder with go.mod and go.sum, which require the module."""
    module: str
    paths: tuple[str, ...]
    """Files and folders within it; the last parts of their paths differ."""


@dataclass(frozen=True)
class Tool:
    """One tool, and the ways to have it; what is None is no way."""

    name: str
    version: str
    installed: Installed | None = None
    download: Download | None = None
    build: GoBuild | None = None
    files: ModuleFiles | None = None
    """For what is no program: it is a folder then."""
    own: Path | None = None
    """Folder of the lab's own stand-in."""

    @property
    def is_plugin(self) -> bool:
        """Whether the engine looks for it among its provider plugins."""
        return self.name.startswith("pulumi-resource-")


def _pulumi(version: str) -> Tool:
    release = f"https://github.com/pulumi/pulumi/releases/download/v{version}"
    architecture = {"amd64": "x64"}.get(ARCHITECTURE, ARCHITECTURE)
    return Tool(
        ENGINE,
        version,
        # Nothing older was ever run with the pinned SDK and plugins.
        Installed(("version",), SpecifierSet(f">={version},<4")),
        Download(
            f"{release}/pulumi-v{version}-{OS}-{architecture}.tar.gz",
            f"{release}/pulumi-{version}-checksums.txt",
            "pulumi/pulumi",
        ),
        GoBuild(
            MODULES / "pulumi",
            "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
            {"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": f"v{version}"},
        ),
    )


def _plugin(name: str, version: str, *, build: GoBuild | None = None, own: bool = False) -> Tool:
    executable = f"pulumi-resource-{name}"
    release = f"https://github.com/pulumi/pulumi-{name}/releases/download/v{version}"
    return Tool(
        executable,
        version,
        download=Download(
            f"{release}/{executable}-v{version}-{OS}-{ARCHITECTURE}.tar.gz",
            f"{release}/pulumi-{name}_{version}_checksums.txt",
            executable,
        ),
        build=build,
        own=PLUGINS / name if own else None,
    )


def _yaml_host(version: str) -> Tool:
    module = "github.com/pulumi/pulumi-yaml"
    return Tool(
        YAML_HOST,
        version,
        build=GoBuild(
            MODULES / YAML_HOST,
            f"{module}/cmd/{YAML_HOST}",
            {f"{module}/pkg/version.Version": f"v{version}"},
        ),
    )


def _sdk_host(name: str, package: str, version: str) -> Tool:
    module = MODULES / "pulumi-languages"
    return Tool(name, version, build=GoBuild(module, f"./{package}", {"main.version": version}))


def _bridged_plugin(name: str, version: str) -> Tool:
    module = MODULES / f"pulumi-resource-{name}"
    return _plugin(name, version, build=GoBuild(module, ".", {"main.version": version}))


def _kubernetes(
    name: str,
    version: str,
    module: str = "kubernetes",
    version_arguments: tuple[str, ...] = ("--version",),
) -> Tool:
    url = f"https://dl.k8s.io/v{version}/bin/{OS}/{ARCHITECTURE}/{name}"
    major, minor, _ = version.split(".")
    stamp = "k8s.io/component-base/version.git"
    return Tool(
        name,
        version,
        # None of them may be newer than the API server: all are of one minor version.
        Installed(version_arguments, SpecifierSet(f"~={major}.{minor}.0")),
        Download(url, f"{url}.sha256", None),
        GoBuild(
            MODULES / module,
            f"k8s.io/kubernetes/cmd/{name}",
            {f"{stamp}Version": f"v{version}", f"{stamp}Major": major, f"{stamp}Minor": minor},
        ),
    )


def _etcd(version: str) -> Tool:
    release = f"https://github.com/etcd-io/etcd/releases/download/v{version}"
    folder = f"etcd-v{version}-{OS}-{ARCHITECTURE}"
    return Tool(
        "etcd",
        version,
        Installed(("--version",), SpecifierSet(">=3.5,<4")),
        Download(f"{release}/{folder}.tar.gz", f"{release}/SHA256SUMS", f"{folder}/etcd"),
        GoBuild(MODULES / "etcd", "go.etcd.io/etcd/server/v3"),
    )


def _vault(version: str) -> Tool:
    release = f"https://releases.hashicorp.com/vault/{version}/vault_{version}"
    return Tool(
        "vault",
        version,
        # Several issuers in one mount came with 1.11.
        Installed(("version",), SpecifierSet(">=1.11,<2")),
        Download(f"{release}_{OS}_{ARCHITECTURE}.zip", f"{release}_SHA256SUMS", "vault"),
        GoBuild(MODULES / "vault", "github.com/hashicorp/vault"),
    )


def _helm(version: str, kubernetes: str) -> Tool:
    release = f"https://get.helm.sh/helm-v{version}-{OS}-{ARCHITECTURE}.tar.gz"
    major, minor = kubernetes.split(".")
    module = "helm.sh/helm/v3"
    stamps = {f"{module}/internal/version.version": f"v{version}"}
    # What charts are told of the cluster where none is asked.
    for package in ("chartutil", "lint/rules"):
        stamps[f"{module}/pkg/{package}.k8sVersionMajor"] = major
        stamps[f"{module}/pkg/{package}.k8sVersionMinor"] = minor
    return Tool(
        "helm",
        version,
        # Helm's own policy: no API server that is newer than its libraries. Those of 3.19 are 1.34.
        Installed(("version", "--short"), SpecifierSet(">=3.19,<4")),
        Download(release, f"{release}.sha256sum", f"{OS}-{ARCHITECTURE}/helm"),
        GoBuild(MODULES / "helm", f"{module}/cmd/helm", stamps),
    )


def _coredns(version: str) -> Tool:
    name = f"coredns_{version}_{OS}_{ARCHITECTURE}.tgz"
    release = f"https://github.com/coredns/coredns/releases/download/v{version}/{name}"
    return Tool(
        "coredns",
        version,
        # It runs in an image that holds nothing else.
        Installed(("-version",), SpecifierSet(">=1.12,<2"), static=True),
        Download(release, f"{release}.sha256", "coredns"),
        GoBuild(MODULES / "coredns", "."),
    )


def _pause(version: str) -> Tool:
    return Tool("pause", version, build=GoBuild(MODULES / "pause", ".", {"main.version": version}))


def _istio(version: str) -> tuple[Tool, Tool]:
    """istiod, and the charts that it is installed with: both are of one module."""
    pins, module = MODULES / "istio", "istio.io/istio"
    charts = "manifests/charts"
    paths = (f"{charts}/istio-control/istio-discovery", f"{charts}/base/files/crd-all.gen.yaml")
    return (
        Tool(
            "pilot-discovery", version, build=GoBuild(pins, f"{module}/pilot/cmd/pilot-discovery")
        ),
        Tool(ISTIO_CHARTS, version, files=ModuleFiles(pins, module, paths)),
    )


# In the order in which they are prepared.
TOOLS: tuple[Tool, ...] = (
    _etcd("3.6.16"),
    _vault("1.13.1"),
    _kubernetes("kube-apiserver", "1.34.4"),
    _kubernetes("kube-controller-manager", "1.34.4"),
    _kubernetes("kube-scheduler", "1.34.4"),
    _kubernetes("kubelet", "1.34.4"),
    _kubernetes("kube-proxy", "1.34.4"),
    _coredns("1.14.5"),
    # That of the sandbox image's name: registry.k8s.io/pause.
    _pause("3.10.1"),
    # A version with a tag cannot be had from Go's proxy.
    *_istio("0.0.0-20260827124520-eed52ebb66ad"),
    Tool(ISTIOD_AGENT, "1", build=GoBuild(AGENT, ".")),
    # With the Kubernetes release of its libraries.
    _helm("3.22.0", kubernetes="1.37"),
    _pulumi("3.259.0"),
    # Comes with an official engine, in whichever way that was had.
    Tool(LANGUAGE_HOST, "3.259.0", own=PLUGINS / "language"),
    _bridged_plugin("tls", "5.6.2"),
    _bridged_plugin("random", "4.21.4"),
    _plugin("vault", "7.14.0", own=True),
    _plugin("kubernetes", "4.34.2", own=True),
    _yaml_host("1.38.1"),
    # Pinned apart from the servers, which would all be built anew with its pins among theirs.
    _kubernetes(KUBECTL, "1.34.4", KUBECTL, ("version", "--client")),
    # The engine's own generators of SDKs; that of Go runs programs, too.
    _sdk_host(NODEJS_HOST, "nodejs", "3.259.0"),
    _sdk_host(GO_HOST, "golang", "3.259.0"),
)

ISTIOD_TOOLS = (PILOT_DISCOVERY, ISTIO_CHARTS, ISTIOD_AGENT)
"""What a lab needs for real istiods, with nodes or without."""

NODE_TOOLS = ("kube-scheduler", "kubelet", "kube-proxy", "coredns", "pause", *ISTIOD_TOOLS)
"""What a lab with nodes needs besides `LAB_TOOLS`."""

EXAMPLE_TOOLS = (YAML_HOST, NODEJS_HOST, GO_HOST)
"""What no lab needs, but an example in another language."""

BENCH_TOOLS = (KUBECTL,)
"""What no lab needs, but the measurements of what a user would do by hand."""

_NOT_FOR_EVERY_LAB = (*NODE_TOOLS, *EXAMPLE_TOOLS, *BENCH_TOOLS)
LAB_TOOLS = tuple(tool.name for tool in TOOLS if tool.name not in _NOT_FOR_EVERY_LAB)
"""What every lab needs."""
