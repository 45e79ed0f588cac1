"""A Vault installed with HashiCorp's Helm chart, or one that is there already."""

from collections.abc import Callable, Collection
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_random as random

from .cluster_access import IDENTITY_NAMESPACE, ClusterAccess
from .known_values import known_after
from .readiness import Look, Obstacle, Ready, in_thread, until_ready
from .vault_commands import VaultCommands
from .vault_configuration import AUDIT_FILE
from .vault_health import TOO_OLD, health_obstacle
from .vault_in_cluster import VaultInCluster
from .vault_install_args import (
    EXISTING_TIMEOUT_SECONDS,
    INSTALL_TIMEOUT_SECONDS,
    NAMESPACE,
    VaultInstallArgs,
    check_vault_install_args,
    development_release_values,
    objects_of,
    release_args,
    server_release_values,
)
from .vault_leader import leader_obstacle
from .vault_secrets import seal_secret, tls_secret
from .warning import warn


class VaultInstall(pulumi.ComponentResource):
    """A Vault to set the trust up in.

    One that is there, or a development server, answers and is unsealed. Of the modes `standalone`
    and `ha`, the servers run: whoever initialises and unseals them comes after. Every mode but
    `existing` needs a `kubernetes` provider for the management cluster.
    """

    address: pulumi.Output[str]
    """Address of Vault, known once Vault is ready: by the first of its names where it has some,
    else outside the cluster with a LoadBalancer and inside it otherwise."""
    ca_certificate: pulumi.Output[str | None]
    """CA certificates that Vault's own certificate chains to, PEM; None over plain HTTP or where
    the system's certificates do."""
    service_name: pulumi.Output[str | None]
    """Name of the Service that clients go through, in mode `ha` that of the server which leads;
    None for an existing Vault."""
    namespace: pulumi.Output[str | None]
    """Namespace of the release; None for an existing Vault."""
    audit_file: pulumi.Output[str | None]
    """Where servers have a volume for an audit log; None in modes `dev` and `existing`."""
    root_token: pulumi.Output[str | None]
    """Mode `dev`: the generated root token; secret."""

    def __init__(
        self,
        name: str,
        args: VaultInstallArgs,
        opts: pulumi.ResourceOptions | None = None,
        *,
        commands: VaultCommands | None = None,
    ) -> None:
        """Registers the release, or nothing for an existing Vault, and waits while it is applied.

        `commands` are those that are advised where an existing Vault is not ready, in programs
        that know more of it than its address.

        Raises:
            InvalidInputError: a field is not usable, or does not belong to the mode.
        """
        check_vault_install_args(args)

        super().__init__("mesh-trust:index:VaultInstall", name, None, opts)

        if args["mode"] == "existing":
            self._existing(args, commands)
        else:
            self._install(name, args)
        self.register_outputs(
            {
                "address": self.address,
                "audit_file": self.audit_file,
                "ca_certificate": self.ca_certificate,
                "namespace": self.namespace,
                "root_token": self.root_token,
                "service_name": self.service_name,
            }
        )

    def _existing(self, args: VaultInstallArgs, commands: VaultCommands | None) -> None:
        seconds = args.get("timeout_seconds", EXISTING_TIMEOUT_SECONDS)

        async def ready_address(address: str, certificate: str | None) -> Any:
            def look() -> Ready | Obstacle:
                return (
                    health_obstacle(address, certificate, None, commands)
                    or leader_obstacle(address, certificate, commands)
                    or Ready(address)
                )

            return await self._ready_address(
                look, seconds, planned=lambda: address, hopeless=(TOO_OLD,)
            )

        self.ca_certificate = pulumi.Output.from_input(args.get("ca_certificate"))
        # Only looked with: the address is no secret because a CA came out of one.
        certificate = pulumi.Output.unsecret(self.ca_certificate)
        self.address = pulumi.Output.all(args["address"], certificate).apply(
            lambda resolved: ready_address(*resolved)
        )
        self.service_name = pulumi.Output.from_input(None)
        self.namespace = pulumi.Output.from_input(None)
        self.audit_file = pulumi.Output.from_input(None)
        self.root_token = pulumi.Output.secret(None)

    def _install(self, name: str, args: VaultInstallArgs) -> None:
        # Only looked with, so that what is seen is no secret because a kubeconfig is one.
        kubeconfig = pulumi.Output.unsecret(pulumi.Output.from_input(args.get("kubeconfig")))
        namespace = self._namespace(name, args, kubeconfig)
        if args["mode"] == "dev":
            values = self._development(name, args)
        else:
            values = self._servers(name, args, namespace)
        release = kubernetes.helm.v3.Release(
            f"{name}-release",
            release_args(args, values=values, namespace=namespace),
            # Its name is fixed, so that there cannot be two of them.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

        self.address = pulumi.Output.all(release.id, kubeconfig).apply(
            lambda resolved: self._installed_address(args, resolved[1])
        )
        self.service_name = known_after(objects_of(args).service, release)
        self.namespace = known_after(args.get("namespace", NAMESPACE), release)

    def _namespace(
        self, name: str, args: VaultInstallArgs, kubeconfig: pulumi.Output[str | None]
    ) -> pulumi.Output[str]:
        # Read through the provider, and compared with what the client sees of the same name.
        identity = kubernetes.core.v1.Namespace.get(
            f"{name}-cluster", IDENTITY_NAMESPACE, opts=pulumi.ResourceOptions(parent=self)
        )
        namespace: pulumi.Output[str] = pulumi.Output.all(identity.metadata, kubeconfig).apply(
            # What is read, not made, has its nested outputs as plain dictionaries.
            lambda resolved: _namespace_in(args, resolved[0]["uid"], resolved[1])
        )
        if not args.get("create_namespace", True):
            return namespace
        # With it, its volumes would go.
        is_kept = args["mode"] != "dev" and args.get("retention", "retain") == "retain"
        # Not left to Helm, which would leave it behind.
        return kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=namespace),
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=is_kept or None),
        ).metadata.name

    def _development(self, name: str, args: VaultInstallArgs) -> dict[str, Any]:
        token = random.RandomPassword(
            f"{name}-root-token",
            length=32,
            special=False,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ca_certificate = pulumi.Output.from_input(None)
        self.audit_file = pulumi.Output.from_input(None)
        self.root_token = pulumi.Output.secret(token.result)
        return development_release_values(args, root_token=token.result)

    def _servers(
        self, name: str, args: VaultInstallArgs, namespace: pulumi.Output[str]
    ) -> dict[str, Any]:
        certificates = tls_secret(name, args, namespace, parent=self)
        seal = seal_secret(name, args, namespace, parent=self)
        self.ca_certificate = certificates.ca_certificate
        self.audit_file = pulumi.Output.from_input(AUDIT_FILE)
        self.root_token = pulumi.Output.secret(None)
        return server_release_values(args, tls_secret=certificates.name, seal_secret=seal)

    async def _installed_address(self, args: VaultInstallArgs, kubeconfig: str | None) -> Any:
        # Asked for here: a thread has no stack.
        command = f"mesh-trust --stack {pulumi.get_stack()}"
        vault = await in_thread(
            lambda: VaultInCluster(
                ClusterAccess(kubeconfig, args.get("context")), objects_of(args), command
            )
        )
        seconds = args.get("timeout_seconds", INSTALL_TIMEOUT_SECONDS)
        return await self._ready_address(vault.look, seconds, planned=vault.address)

    async def _ready_address(
        self,
        look: Look,
        timeout_seconds: int,
        planned: Callable[[], str | None],
        hopeless: Collection[str] = (),
    ) -> Any:
        if pulumi.runtime.is_dry_run():
            found = await in_thread(look)
            if isinstance(found, Ready):
                return found.result
            if found.kind in hopeless:
                raise pulumi.RunError(f"{found.reason}; {found.advice}")
            # The preview goes on all the same: what is to mend Vault may be in it.
            warn(f"Vault is not ready: {found.reason}; {found.advice}")
            return await in_thread(planned) or pulumi.UNKNOWN
        ready = await until_ready("Vault", look, timeout_seconds, self._report)
        if ready.remark is not None:
            warn(ready.remark)
        return ready.result

    def _report(self, line: str, passing: bool) -> None:
        pulumi.log.info(line, self, ephemeral=passing)


async def _namespace_in(args: VaultInstallArgs, uid: str, kubeconfig: str | None) -> str:
    """The namespace of the release, in the cluster that the provider and the client both mean."""
    await in_thread(lambda: ClusterAccess(kubeconfig, args.get("context")).require_identity(uid))
    return args.get("namespace", NAMESPACE)
