"""A Vault installed with HashiCorp's Helm chart, or one that is there already."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from .validation import (
    InvalidInputError,
    require_dns_label,
    require_one_of,
    require_server_address,
    require_whole_number,
)
from .vault_values import development_values, merge_values

MODES = ("dev", "existing")
EXISTING_FIELDS = frozenset({"address", "ca_certificate"})
SERVICE_TYPES = ("ClusterIP", "LoadBalancer", "NodePort")
LOG_LEVELS = ("trace", "debug", "info", "warn", "error")

# Values that would make the outputs of mode `dev` untrue.
_NOT_THE_USERS = {
    "server.dev.devRootToken": "the token is generated",
    "server.dev.enabled": "mode dev is a development server",
    "global.tlsDisable": "mode dev speaks plain HTTP",
}

# The guide's release, which users of the guide have in their clusters.
RELEASE_NAME = "vault"
CHART = "vault"
REPOSITORY = "https://helm.releases.hashicorp.com"
CHART_VERSION = "0.34.1"
PORT = 8200


class VaultInstallArgs(TypedDict):
    """How to get a Vault."""

    mode: str
    """`dev` installs the guide's development server, which forgets everything with its pod and
    speaks plain HTTP; `existing` installs nothing and passes on `address`."""
    address: NotRequired[pulumi.Input[str]]
    """Mode `existing`: address of the Vault that is there, `https://host[:port]`."""
    ca_certificate: NotRequired[pulumi.Input[str]]
    """Mode `existing`: CA certificates that Vault's own certificate chains to, PEM."""
    namespace: NotRequired[str]
    """Namespace of the release; `vault` when absent. Made with the release where it is missing."""
    chart: NotRequired[str]
    """Chart name, local path or OCI reference; `vault` when absent."""
    repository: NotRequired[str]
    """Helm repository of the chart; HashiCorp's when absent. A path or OCI reference needs none."""
    chart_version: NotRequired[str]
    """Version of the chart, exact; the one this component was written for when absent."""
    service_type: NotRequired[str]
    """Type of Vault's Service: `LoadBalancer` (when absent), `ClusterIP` or `NodePort`."""
    log_level: NotRequired[str]
    """Vault's log level; `debug` when absent, as only that says why a login failed."""
    timeout_seconds: NotRequired[int]
    """How long to wait until Vault is ready; 300 when absent."""
    values: NotRequired[Mapping[str, Any]]
    """Further values of the chart, laid over those of this component."""


class VaultInstall(pulumi.ComponentResource):
    """A Vault to set the trust up in.

    Mode `dev` needs a `kubernetes` provider for the management cluster.
    """

    address: pulumi.Output[str]
    """Address of Vault: outside the cluster with a LoadBalancer, inside it otherwise."""
    ca_certificate: pulumi.Output[str | None]
    """CA certificates that Vault's own certificate chains to, PEM; None over plain HTTP or where
    the system's certificates do."""
    service_name: pulumi.Output[str | None]
    """Name of Vault's Service; None for an existing Vault."""
    root_token: pulumi.Output[str | None]
    """Mode `dev`: the generated root token; secret."""

    def __init__(
        self, name: str, args: VaultInstallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers the release, or nothing for an existing Vault.

        Raises:
            InvalidInputError: a field is not usable, or does not belong to the mode.
        """
        mode = require_one_of("mode", args["mode"], MODES)
        _check_fields_of_mode(mode, args)
        require_one_of("service_type", args.get("service_type", "LoadBalancer"), SERVICE_TYPES)
        require_one_of("log_level", args.get("log_level", "debug"), LOG_LEVELS)
        require_dns_label("namespace", args.get("namespace", "vault"))
        require_whole_number(
            "timeout_seconds", args.get("timeout_seconds", 300), minimum=1, unit="seconds"
        )

        super().__init__("mesh-trust:index:VaultInstall", name, None, opts)

        if mode == "existing":
            self.address = pulumi.Output.from_input(args["address"])
            self.ca_certificate = pulumi.Output.from_input(args.get("ca_certificate"))
            self.service_name = pulumi.Output.from_input(None)
            self.root_token = pulumi.Output.secret(None)
        else:
            self._install(name, args)
        self.register_outputs(
            {
                "address": self.address,
                "ca_certificate": self.ca_certificate,
                "service_name": self.service_name,
                "root_token": self.root_token,
            }
        )

    def _install(self, name: str, args: VaultInstallArgs) -> None:
        service_type = args.get("service_type", "LoadBalancer")
        token = random.RandomPassword(
            f"{name}-root-token",
            length=32,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            release_args(args, token.result),
            opts=pulumi.ResourceOptions(parent=self),
        )
        service = kubernetes.core.v1.Service.get(
            f"{name}-service",
            pulumi.Output.format("{0}/{1}", release.status.namespace, release.status.name),
            opts=pulumi.ResourceOptions(parent=self),
        )
        # A resource that is read, not made, gives its nested outputs as plain dictionaries.
        self.service_name = service.metadata.apply(lambda metadata: str(metadata["name"]))
        self.address = pulumi.Output.all(service.metadata, service.status).apply(
            lambda resolved: service_address(
                service_type,
                resolved[0]["name"],
                resolved[0]["namespace"],
                resolved[1].get("load_balancer", {}).get("ingress") or (),
            )
        )
        self.ca_certificate = pulumi.Output.from_input(None)
        self.root_token = pulumi.Output.secret(token.result)


def release_args(
    args: VaultInstallArgs, root_token: pulumi.Input[str]
) -> kubernetes.helm.v3.ReleaseArgs:
    """The Helm release of mode `dev`, with `root_token` as the token of its development server."""
    chart = args.get("chart", CHART)
    ours = development_values(
        log_level=args.get("log_level", "debug"),
        service_type=args.get("service_type", "LoadBalancer"),
        root_token=pulumi.Output.secret(root_token),
    )
    # A path or an OCI reference says by itself where the chart is.
    repository = (
        None
        if "/" in chart
        else kubernetes.helm.v3.RepositoryOptsArgs(repo=args.get("repository", REPOSITORY))
    )
    return kubernetes.helm.v3.ReleaseArgs(
        name=RELEASE_NAME,
        namespace=args.get("namespace", "vault"),
        create_namespace=True,
        chart=chart,
        version=args.get("chart_version", CHART_VERSION),
        repository_opts=repository,
        values=merge_values(ours, args.get("values") or {}),
        atomic=True,
        timeout=args.get("timeout_seconds", 300),
    )


def service_address(
    service_type: str,
    name: str,
    namespace: str,
    ingress: Sequence[Mapping[str, str]],
) -> str:
    """Address of the development Vault behind its Service.

    Raises:
        pulumi.RunError: the Service is to have a load balancer's address and has none.
    """
    if service_type != "LoadBalancer":
        return f"http://{name}.{namespace}.svc:{PORT}"
    host = next((entry.get("ip") or entry.get("hostname") for entry in ingress), None)
    if not host:
        raise pulumi.RunError(
            f"Service {namespace}/{name} has no load balancer address; "
            f"see `kubectl describe service -n {namespace} {name}`, or choose another service_type"
        )
    return f"http://{host}:{PORT}"


def _check_fields_of_mode(mode: str, args: VaultInstallArgs) -> None:
    given = set(args) - {"mode"}
    if mode == "existing":
        if "address" not in args:
            raise InvalidInputError("address", None, "give the address of the existing Vault")
        if isinstance(args["address"], str):
            require_server_address("address", args["address"], allow_http=True)
        foreign = given - EXISTING_FIELDS
    else:
        foreign = given & EXISTING_FIELDS
    for field in sorted(foreign):
        raise InvalidInputError(field, "…", f"leave it out in mode {mode}")
    if "repository" in args and "/" in args.get("chart", CHART):
        raise InvalidInputError(
            "repository", args["repository"], "leave it out: chart says by itself where it is"
        )
    for path, reason in _NOT_THE_USERS.items():
        if _given(args.get("values"), path.split(".")):
            raise InvalidInputError(f"values.{path}", "…", f"leave it out; {reason}")


def _given(values: object, path: Sequence[str]) -> bool:
    for key in path:
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True
