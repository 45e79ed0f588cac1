"""The stack's configuration: read once, checked, frozen."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from access_settings import Access, load_access, require_room_below_root
from components import (
    ApiServer,
    ClusterLogin,
    InvalidInputError,
    VaultInstallArgs,
    api_server,
)
from components.names import DEFAULT_REVISION, istiod_service_account
from components.validation import (
    require_certificates,
    require_dns_label,
    require_server_address,
    require_vault_path,
    require_whole_number,
)
from configuration import boolean, require_fields, whole_number
from login_settings import LOGIN_FIELDS, cluster_login
from name_settings import KEY as VAULT_NAMES
from name_settings import (
    ClusterNames,
    Used,
    VaultNames,
    load_names,
    require_apart_mounts,
    require_apart_policies,
)
from root_settings import Root, load_root
from vault_settings import KEY as VAULT_INSTALL
from vault_settings import installation

MANAGEMENT = "management"
"""Name of the management cluster among the providers."""

_CLUSTER_FIELDS = (
    "name",
    "context",
    "istioRevision",
    "istiodServiceAccount",
    "kubernetesHost",
    "clusterLabels",
    "caGeneration",
    *LOGIN_FIELDS,
)


@dataclass(frozen=True)
class Vault:
    """How to get Vault, and how long what it signs lives."""

    install: VaultInstallArgs
    management_context: str | None
    """Context of the cluster that Vault is installed in; None: Vault is there already."""
    ca_file: Path | None
    """PEM file of the CA that Vault's own certificate chains to; None: the system's, or none over
    plain HTTP."""
    ca_certificate: str | None
    """Content of `ca_file`."""
    namespace: str | None
    """Namespace of Vault Enterprise that all is in; None: none."""
    intermediate_lifetime_days: int

    @property
    def is_installed(self) -> bool:
        """Whether the program installs Vault itself."""
        return self.management_context is not None


@dataclass(frozen=True)
class Cluster:
    """One workload cluster."""

    name: str
    context: str
    """Context of the kubeconfig."""
    istio_revision: str
    istiod_service_account: str | None
    """None: the one that Istio gives to the revision."""
    api_server: ApiServer
    """The API server as Vault reaches it."""
    labels: Mapping[str, str]
    """Labels of Gloo's KubernetesCluster that no other cluster has."""
    login: ClusterLogin
    """How its agent logs in to Vault."""
    names: ClusterNames
    """What it has in Vault."""
    ca_generation: int
    """Counts the CAs of its own that it has had."""


@dataclass(frozen=True)
class Settings:
    """One environment."""

    development: bool
    kubeconfig: Path
    root: Root
    vault: Vault
    access: Access
    names: VaultNames
    clusters: tuple[Cluster, ...]

    @property
    def contexts(self) -> dict[str, str]:
        """Contexts of the kubeconfig for all clusters, by the cluster's name."""
        contexts = {cluster.name: cluster.context for cluster in self.clusters}
        if self.vault.management_context is not None:
            contexts[MANAGEMENT] = self.vault.management_context
        return contexts

    @property
    def root_signs_for_days(self) -> int:
        """Lifetime in days of what the root itself signs."""
        if self.access.signing_ca == "cluster":
            return self.access.cluster_ca_lifetime_days
        return self.vault.intermediate_lifetime_days

    @classmethod
    def load(cls) -> "Settings":
        """Reads the configuration of the running stack, and of the environment what it leaves open.

        Raises:
            InvalidInputError: a value is missing or not usable.
        """
        config = pulumi.Config()
        development = boolean(config, "development")
        kubeconfig = _kubeconfig(config)
        vault = _vault(config, kubeconfig, development=development)
        access = load_access(config, vault.intermediate_lifetime_days)
        root = load_root(
            config,
            vault.intermediate_lifetime_days,
            vault_is_installed=vault.is_installed,
        )
        require_room_below_root(access, root)
        names = load_names(config)
        clusters = _clusters(config, kubeconfig, access.login, names)
        if vault.is_installed:
            _require_no_management(clusters)
        _require_apart(root, access, names, clusters)
        return cls(development, kubeconfig, root, vault, access, names, clusters)


def _kubeconfig(config: pulumi.Config) -> Path:
    value = config.get("kubeconfig") or os.environ.get("KUBECONFIG") or "~/.kube/config"
    if os.pathsep in value:
        raise InvalidInputError(
            "kubeconfig", value, "name one file; merge several with `kubectl config view --flatten`"
        )
    return Path(value).expanduser()


def _vault(config: pulumi.Config, kubeconfig: Path, *, development: bool) -> Vault:
    lifetime_days = whole_number(config, "intermediateLifetimeDays", 365)
    install = installation(config, kubeconfig, development=development)
    if install is not None:
        return Vault(install, install["context"], None, None, None, lifetime_days)
    address = config.get("vaultAddress") or os.environ.get("VAULT_ADDR")
    if not address:
        raise InvalidInputError(
            "vaultAddress", address, f"set it, or VAULT_ADDR, or {VAULT_INSTALL} to have one made"
        )
    ca_file = config.get("vaultCaFile") or os.environ.get("VAULT_CACERT")
    path = Path(ca_file).expanduser() if ca_file else None
    existing: VaultInstallArgs = {
        "mode": "existing",
        "address": require_server_address("vaultAddress", address, allow_http=development),
    }
    certificate = None if path is None else _certificates(path)
    if certificate is not None:
        existing["ca_certificate"] = certificate
    return Vault(existing, None, path, certificate, _namespace(config), lifetime_days)


def _namespace(config: pulumi.Config) -> str | None:
    namespace = config.get("vaultNamespace") or os.environ.get("VAULT_NAMESPACE")
    return require_vault_path("vaultNamespace", namespace.strip("/")) if namespace else None


def _certificates(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            "vaultCaFile", str(path), f"name a readable file ({error.strerror})"
        ) from None
    return require_certificates(
        "vaultCaFile", str(path), content, "name a PEM file of certificates"
    )


def _clusters(
    config: pulumi.Config, kubeconfig: Path, login: ClusterLogin, names: VaultNames
) -> tuple[Cluster, ...]:
    try:
        entries = config.get_object("clusters")
    except pulumi.ConfigTypeError:
        entries = None
    if not isinstance(entries, list) or not entries:
        raise InvalidInputError("clusters", entries, "list at least one workload cluster")
    clusters = tuple(
        _cluster(entry, index, kubeconfig, login, names) for index, entry in enumerate(entries)
    )
    for index, cluster in enumerate(clusters):
        for other in clusters[:index]:
            _require_different(f"clusters[{index}]", cluster, other)
    return clusters


def _require_apart(
    root: Root, access: Access, names: VaultNames, clusters: tuple[Cluster, ...]
) -> None:
    """Checks that no two things in Vault have the same name, with the names that were chosen.

    Raises:
        InvalidInputError: two have.
    """
    if root.signing_mount is not None:
        mounts = [Used("rootSigningMount", root.signing_mount)]
    else:
        mounts = [Used(f"{VAULT_NAMES}.rootMount", names.root_mount)]
    auth_mounts, policies = [], []
    for cluster in clusters:
        own = cluster.names
        mounts.append(Used(f"{VAULT_NAMES}.intermediateMount", own.intermediate_mount))
        if access.signing_ca == "cluster":
            mounts.append(Used(f"{VAULT_NAMES}.clusterCaMount", own.ca_mount))
        auth_mounts.append(Used(f"{VAULT_NAMES}.authMount", own.auth_mount))
        policies.append(Used(f"{VAULT_NAMES}.policy", own.policy))
    if access.administrator:
        auth_mounts.append(Used(f"{VAULT_NAMES}.administratorMount", names.administrator_mount))
        policies.append(Used(f"{VAULT_NAMES}.administratorPolicy", names.administrator_policy))
    require_apart_mounts(mounts)
    require_apart_mounts(auth_mounts)
    require_apart_policies(policies)


def _require_no_management(clusters: tuple[Cluster, ...]) -> None:
    for index, cluster in enumerate(clusters):
        if cluster.name == MANAGEMENT:
            raise InvalidInputError(
                f"clusters[{index}].name",
                cluster.name,
                "use another one: it is that of the cluster that Vault is installed in",
            )


def _require_different(field: str, cluster: Cluster, other: Cluster) -> None:
    if cluster.name == other.name:
        raise InvalidInputError(f"{field}.name", cluster.name, "list each cluster once")
    if cluster.context == other.context:
        raise InvalidInputError(
            f"{field}.context", cluster.context, f"use another one: it is that of {other.name}"
        )
    few, many = sorted((cluster.labels, other.labels), key=len)
    if few.items() <= many.items():
        raise InvalidInputError(
            f"{field}.clusterLabels",
            dict(cluster.labels),
            f"use labels that tell it from {other.name}, which has {dict(other.labels)}",
        )


def _cluster(
    entry: object, index: int, kubeconfig: Path, login: ClusterLogin, names: VaultNames
) -> Cluster:
    field = f"clusters[{index}]"
    entry = require_fields(field, entry, _CLUSTER_FIELDS)
    name = require_dns_label(f"{field}.name", _text(entry, "name", field, None))
    context = _text(entry, "context", field, name)
    if "_" in context:
        # Gloo makes the context's name a DNS name in the certificate that connects the cluster.
        raise InvalidInputError(
            f"{field}.context",
            context,
            f"rename it without underscores: kubectl config rename-context {context} "
            f"{context.replace('_', '-')}",
        )
    server = api_server(kubeconfig, context)
    if "kubernetesHost" in entry:
        address = require_server_address(
            f"{field}.kubernetesHost", _text(entry, "kubernetesHost", field, None)
        )
    else:
        address = require_server_address(
            f"server of context {context} in {kubeconfig}", server.address
        )
    account = None
    if "istiodServiceAccount" in entry:
        account = require_dns_label(
            f"{field}.istiodServiceAccount", _text(entry, "istiodServiceAccount", field, None)
        )
    revision = require_dns_label(
        f"{field}.istioRevision", _text(entry, "istioRevision", field, DEFAULT_REVISION)
    )
    if account is None:
        require_dns_label(f"{field}.istioRevision", istiod_service_account(revision))
    own_login = cluster_login(entry, field, login)
    return Cluster(
        name=name,
        context=context,
        istio_revision=revision,
        istiod_service_account=account,
        api_server=ApiServer(address, server.ca_certificate),
        labels=_labels(entry, field, name),
        login=own_login,
        names=names.of(name, own_login.get("reviewer_mode", "token")),
        ca_generation=require_whole_number(
            f"{field}.caGeneration", entry.get("caGeneration", 1), minimum=1, unit="CAs"
        ),
    )


def _text(entry: Mapping[str, Any], key: str, field: str, default: str | None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{field}.{key}", value, "give it a text, in quotes if need be")
    return value


def _labels(entry: Mapping[str, Any], field: str, name: str) -> Mapping[str, str]:
    labels = entry.get("clusterLabels", {"cluster": name})
    if not isinstance(labels, Mapping) or not labels:
        raise InvalidInputError(
            f"{field}.clusterLabels", labels, "map at least one label to its value"
        )
    for key, value in labels.items():
        if not isinstance(value, str):
            raise InvalidInputError(
                f"{field}.clusterLabels.{key}", value, "put the value in quotes"
            )
    return dict(labels)
