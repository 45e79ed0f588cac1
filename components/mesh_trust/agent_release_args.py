"""Arguments of AgentRelease: what they may be, and what becomes of them in Helm's hands."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from .agent_values import CHART_KINDS, CHART_NAMES, agent_release_values
from .chart_source import ChartSource, chart_source
from .names import GLOO_NAMESPACE, ISTIO_NAMESPACE, istiod_service_account
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_one_of,
    require_whole_number,
)

# The guide's release, which users of the guide have in their clusters.
RELEASE_NAME = "gloo-agent"
TIMEOUT_SECONDS = 300

DESCRIPTION = "Permissions of istiod's agent, by mesh-trust"
"""What `helm history` shows; that it is missing tells a release that has just been taken over."""

_REPOSITORIES = {
    "platform": "https://storage.googleapis.com/gloo-platform/helm-charts",
    "legacy": "https://storage.googleapis.com/gloo-mesh-enterprise/gloo-mesh-agent",
}


class AgentReleaseArgs(TypedDict):
    """The Helm release of Gloo's agent in one workload cluster."""

    chart_kind: str
    """`platform`: gloo-platform, whose values for the agent are below `glooAgent`; `legacy`:
    gloo-mesh-agent, which has the same ones at the top. Helm ignores a key at the wrong level."""
    chart_version: NotRequired[str]
    """Exact version of the chart, without a `v`, such as `2.5.13`, or `2.5.13-fips` for images that
    comply with FIPS. Required, but for a local chart, which has its own."""
    chart: NotRequired[str]
    """Chart name, local path (with a slash) or OCI reference; absent: that of the kind."""
    repository: NotRequired[str]
    """Helm repository of the chart; Solo's when absent. A path or OCI reference needs none."""
    release_name: NotRequired[str]
    """Name of the release; `gloo-agent` when absent."""
    namespace: NotRequired[str]
    """Namespace of the release; `gloo-mesh` when absent."""
    values: NotRequired[Mapping[str, Any]]
    """All values that the release is to have, but for those of the agent's permissions: what
    `helm get values` shows. What is not in here is as the chart has it."""
    timeout_seconds: NotRequired[int]
    """How long Helm waits until the release is ready; 300 when absent."""
    istiod_service_account: NotRequired[str]
    """Service account that istiod and its agent run as; `istiod` when absent. The charts take
    one."""
    istio_namespace: NotRequired[str]
    """Namespace of istiod; `istio-system` when absent."""
    kubeconfig: NotRequired[pulumi.Input[str]]
    """Kubeconfig of the kubernetes provider, a path or the content, to see in a preview whether the
    release is there; absent: it is not looked for, and an update of a release that is there and not
    the stack's own ends with Helm's words."""
    context: NotRequired[str]
    """Context of `kubeconfig`; its current one when absent."""


def check_agent_release_args(args: AgentReleaseArgs) -> None:
    """Makes sure that `args` can be used.

    Raises:
        InvalidInputError: a field is not usable, does not go with the others, or is unknown.
    """
    known = AgentReleaseArgs.__annotations__
    for field in args:
        if field not in known:
            raise InvalidInputError(field, "…", f"use one of {', '.join(known)}")
    require_one_of("chart_kind", args.get("chart_kind"), CHART_KINDS)
    require_dns_label("release_name", args.get("release_name", RELEASE_NAME))
    require_dns_label("namespace", args.get("namespace", GLOO_NAMESPACE))
    require_whole_number(
        "timeout_seconds",
        args.get("timeout_seconds", TIMEOUT_SECONDS),
        minimum=1,
        unit="seconds",
    )
    require_dns_label("istiod_service_account", account_of(args))
    require_dns_label("istio_namespace", args.get("istio_namespace", ISTIO_NAMESPACE))
    if "context" in args and "kubeconfig" not in args:
        raise InvalidInputError("context", args["context"], "name the kubeconfig that has it, too")
    _source(args)
    _values(args)


def agent_release_args(args: AgentReleaseArgs) -> "kubernetes.helm.v3.ReleaseArgs":
    """The Helm release, with the values of the user's and ours.

    Raises:
        InvalidInputError: as `check_agent_release_args`.
    """
    source = _source(args)
    return kubernetes.helm.v3.ReleaseArgs(
        name=args.get("release_name", RELEASE_NAME),
        namespace=args.get("namespace", GLOO_NAMESPACE),
        chart=source.chart,
        version=source.version,
        repository_opts=None
        if source.repository is None
        else kubernetes.helm.v3.RepositoryOptsArgs(repo=source.repository),
        values=_values(args),
        # Not `reuse_values`: with it, Helm keeps the chart's own values of the version before, the
        # tags of images among them, and an upgrade upgrades nothing.
        description=DESCRIPTION,
        timeout=args.get("timeout_seconds", TIMEOUT_SECONDS),
    )


def account_of(args: AgentReleaseArgs) -> str:
    """The service account that the chart binds."""
    return args.get("istiod_service_account", istiod_service_account())


def _values(args: AgentReleaseArgs) -> dict[str, pulumi.Input[Any]]:
    return agent_release_values(
        args["chart_kind"],
        args.get("values", {}),
        account_of(args),
        args.get("istio_namespace", ISTIO_NAMESPACE),
    )


def _source(args: AgentReleaseArgs) -> ChartSource:
    kind, version = args["chart_kind"], args.get("chart_version")
    if isinstance(version, str) and version.startswith("v"):
        raise InvalidInputError("chart_version", version, f"leave out the v: {version[1:]}")
    default = ChartSource(CHART_NAMES[kind], _REPOSITORIES[kind], None)
    source = chart_source(args.get("chart"), args.get("repository"), version, default=default)
    for other, name in CHART_NAMES.items():
        if other != kind and PurePosixPath(source.chart).name == name:
            raise InvalidInputError("chart_kind", kind, f"make it {other}, as chart is {name}")
    is_local = "/" in source.chart and not source.chart.startswith("oci://")
    if version is None and not is_local:
        raise InvalidInputError(
            "chart_version", None, "give the exact version of the chart, such as 2.5.13"
        )
    return source
