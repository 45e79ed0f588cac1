"""Arguments of VaultInstall: what they may be, and what becomes of them in Helm's hands."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NotRequired

import pulumi
import pulumi_kubernetes as kubernetes

from .chart_source import ChartSource, chart_source
from .validation import (
    InvalidInputError,
    require_dns_label,
    require_one_of,
    require_server_address,
    require_whole_number,
)
from .vault_server_args import REPLICAS, SERVER_FIELDS, VaultServerArgs, server_of
from .vault_server_values import Server, server_values, with_further_items
from .vault_values import (
    CHART,
    LOG_LEVELS,
    SERVICE_TYPES,
    VaultObjects,
    development_values,
    merge_values,
    refuse_values_of_ours,
    vault_objects,
)

# The guide's release, which users of the guide have in their clusters.
RELEASE_NAME = "vault"
NAMESPACE = "vault"
CHART_SOURCE = ChartSource(CHART, "https://helm.releases.hashicorp.com", "0.34.1")

_LATER = "…"
"""Stands for names that play no part in a check."""

INSTALL_TIMEOUT_SECONDS = 300
EXISTING_TIMEOUT_SECONDS = 30

_INSTALL_FIELDS = frozenset(
    (
        *("chart", "chart_version", "context", "create_namespace", "kubeconfig", "log_level"),
        *("namespace", "repository", "service_type", "timeout_seconds", "values"),
    )
)
_FIELDS = {
    "dev": _INSTALL_FIELDS,
    "standalone": _INSTALL_FIELDS.union(SERVER_FIELDS),
    "ha": _INSTALL_FIELDS.union(SERVER_FIELDS, ("replicas",)),
    "existing": frozenset(("address", "ca_certificate", "timeout_seconds")),
}
MODES = tuple(_FIELDS)
SERVER_MODES = ("standalone", "ha")
"""Those that are for more than development."""


class VaultInstallArgs(VaultServerArgs):
    """How to get a Vault."""

    mode: str
    """`dev` installs the guide's development server, which forgets everything with its pod and
    speaks plain HTTP; `standalone` one server that keeps what it is told, with TLS; `ha` a cluster
    of them; `existing` installs nothing and passes on `address`."""
    address: NotRequired[pulumi.Input[str]]
    """Mode `existing`: address of the Vault that is there, `https://host[:port]`."""
    ca_certificate: NotRequired[pulumi.Input[str] | None]
    """Mode `existing`: CA certificates that Vault's own certificate chains to, PEM; the system's
    when absent."""
    timeout_seconds: NotRequired[int]
    """How long to wait until Vault is ready; absent: 300 for one that is installed, 30 for one that
    is there."""
    kubeconfig: NotRequired[pulumi.Input[str]]
    """Kubeconfig of the kubernetes provider, a path or the content, to see with how
    Vault does; absent: as for a provider that is given none."""
    context: NotRequired[str]
    """Context of the kubeconfig; its current one when absent."""
    namespace: NotRequired[str]
    """Namespace of the release; `vault` when absent."""
    create_namespace: NotRequired[bool]
    """Whether the namespace is made with the release, and goes with it; True when absent. False for
    one that is there."""
    chart: NotRequired[str]
    """Chart name, local path (with a slash) or OCI reference; `vault` when absent."""
    repository: NotRequired[str]
    """Helm repository of the chart; HashiCorp's when absent. A path or OCI reference needs none."""
    chart_version: NotRequired[str]
    """Version of the chart, exact; the one this component was written for when absent. A local
    chart has its own."""
    service_type: NotRequired[str]
    """Type of Vault's Service: `LoadBalancer`, `ClusterIP` or `NodePort`; when absent, the first in
    mode `dev` and `ClusterIP` in others."""
    log_level: NotRequired[str]
    """Vault's log level; when absent, `debug` in mode `dev`, as only that says why a login failed,
    and `info` in others."""
    values: NotRequired[Mapping[str, Any]]
    """Further values of the chart, laid over those of this component."""


def check_vault_install_args(args: VaultInstallArgs) -> None:
    """Makes sure that `args` can be used.

    Raises:
        InvalidInputError: a field is not usable, or does not belong to the mode.
    """
    mode = require_one_of("mode", args.get("mode"), MODES)
    for field in sorted(set(args) - {"mode", *_FIELDS[mode]}):
        raise InvalidInputError(field, "…", f"leave it out in mode {mode}")
    require_whole_number(
        "timeout_seconds", args.get("timeout_seconds", 1), minimum=1, unit="seconds"
    )
    if mode == "existing":
        if "address" not in args:
            raise InvalidInputError("address", None, "give the address of the existing Vault")
        if isinstance(args["address"], str):
            require_server_address("address", args["address"], allow_http=True)
        return
    require_one_of("service_type", _service_type(args), SERVICE_TYPES)
    require_one_of("log_level", _log_level(args), LOG_LEVELS)
    require_dns_label("namespace", args.get("namespace", NAMESPACE))
    require_one_of("create_namespace", args.get("create_namespace", True), (True, False))
    if not isinstance(args.get("context", "…"), str) or not args.get("context", "…"):
        raise InvalidInputError("context", args["context"], "name a context of the kubeconfig")
    refuse_values_of_ours(args.get("values", {}), development=mode == "dev")
    _source(args)
    if mode == "dev":
        objects_of(args)
    else:
        server_release_values(args, tls_secret=_LATER, seal_secret=_LATER)


def release_args(
    args: VaultInstallArgs, *, values: Mapping[str, Any], namespace: pulumi.Input[str]
) -> "kubernetes.helm.v3.ReleaseArgs":
    """The Helm release, with all its values."""
    source = _source(args)
    return kubernetes.helm.v3.ReleaseArgs(
        name=RELEASE_NAME,
        namespace=namespace,
        chart=source.chart,
        version=source.version,
        repository_opts=None
        if source.repository is None
        else kubernetes.helm.v3.RepositoryOptsArgs(repo=source.repository),
        values=values,
        # Helm's own waiting ends without a reason, and taking back what failed hides it.
        skip_await=True,
    )


def development_release_values(
    args: VaultInstallArgs, *, root_token: pulumi.Input[str]
) -> dict[str, Any]:
    """Values of mode `dev`, with `root_token` as the token of its development server."""
    ours = development_values(
        log_level=_log_level(args),
        service_type=_service_type(args),
        root_token=pulumi.Output.secret(root_token),
    )
    return merge_values(ours, args.get("values", {}))


def server_release_values(
    args: VaultInstallArgs,
    *,
    tls_secret: pulumi.Input[str],
    seal_secret: pulumi.Input[str] | None,
) -> dict[str, Any]:
    """Values of the other modes, whose Secrets have these names.

    Raises:
        InvalidInputError: a field is not usable.
    """
    ours = server_values(servers_of(args), tls_secret=tls_secret, seal_secret=seal_secret)
    return merge_values(ours, with_further_items(ours, args.get("values", {})))


def servers_of(args: VaultInstallArgs) -> Server:
    """The servers of modes `standalone` and `ha`.

    Raises:
        InvalidInputError: a field is not usable.
    """
    objects = objects_of(args)
    return server_of(
        args,
        objects=objects,
        log_level=_log_level(args),
    )


def objects_of(args: VaultInstallArgs) -> VaultObjects:
    """The objects that the chart makes of `args`.

    Raises:
        InvalidInputError: one of the values that decide about it is not usable.
    """
    is_development = args["mode"] == "dev"
    ours = {"server": {"service": {"type": _service_type(args)}}}
    objects = vault_objects(
        RELEASE_NAME,
        args.get("namespace", NAMESPACE),
        merge_values(ours, args.get("values", {})),
    )
    names = args.get("names", ())
    return replace(
        objects,
        replicas=args.get("replicas", REPLICAS) if args["mode"] == "ha" else 1,
        is_development=is_development,
        outside_name=next(iter(names), None),
    )


def _service_type(args: VaultInstallArgs) -> str:
    return args.get("service_type", "LoadBalancer" if args["mode"] == "dev" else "ClusterIP")


def _log_level(args: VaultInstallArgs) -> str:
    return args.get("log_level", "debug" if args["mode"] == "dev" else "info")


def _source(args: VaultInstallArgs) -> ChartSource:
    return chart_source(
        args.get("chart"),
        args.get("repository"),
        args.get("chart_version"),
        default=CHART_SOURCE,
    )
