"""One environment's settings: read once, checked as a whole, frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from mesh_trust import InvalidInputError

from .access import Access, load_access
from .cluster import Cluster
from .clusters import KEY as CLUSTERS
from .clusters import load_clusters
from .connections import MANAGEMENT, Connection, Connections, note_untold_management
from .keys import note_keys_of_another_stack, note_unknown_keys
from .lifetimes import note_wrong_order
from .names import KEY as VAULT_NAMES
from .names import Used, VaultNames, load_names, note_same_mounts, note_same_policies
from .permissions import KEY as PERMISSIONS
from .problems import Problems
from .root import Root, load_root
from .trust_policy import TrustPolicy, load_trust_policy
from .values import boolean, is_secret
from .vault import Vault, load_vault
from .vault_stack import OutputsOf


def _untold_outputs(stack: str) -> Mapping[str, Any]:
    raise pulumi.RunError(f"nothing here reads the outputs of {stack}")


@dataclass(frozen=True)
class Settings:
    """One environment."""

    development: bool
    management: Connection | None
    """How to get to the management cluster; None: it is not told."""
    root: Root
    vault: Vault
    access: Access
    names: VaultNames
    trust_policy: TrustPolicy
    clusters: tuple[Cluster, ...]
    has_secret_values: bool
    """Whether the values for Gloo's chart may have secrets among them."""

    @property
    def connections(self) -> dict[str, Connection]:
        """How to get to the clusters that something is made in, by the cluster's name."""
        connections = {cluster.name: cluster.connection for cluster in self.clusters}
        placements = {self.trust_policy.placement} | {
            cluster.agent.placement for cluster in self.clusters if cluster.agent is not None
        }
        uses_management = self.vault.is_installed or MANAGEMENT in placements
        if self.management is not None and uses_management:
            connections[MANAGEMENT] = self.management
        return connections

    @property
    def root_signs_for_days(self) -> int:
        """Lifetime in days of what the root itself signs."""
        if self.access.signing_ca == "cluster":
            return self.access.cluster_ca_lifetime_days
        return self.vault.intermediate_lifetime_days

    @property
    def root_signs_for_key(self) -> str:
        """The key of the configuration that says so."""
        if self.access.signing_ca == "cluster":
            return "clusterCaLifetimeDays"
        return "intermediateLifetimeDays"

    @property
    def cluster_ca_mounts(self) -> list[str]:
        """Mounts of the CAs of the clusters' own; none where the root signs for the clusters."""
        if self.access.signing_ca != "cluster":
            return []
        return [cluster.names.ca_mount for cluster in self.clusters]

    @classmethod
    def load(
        cls, look: "Look | None" = None, outputs_of: OutputsOf = _untold_outputs
    ) -> "Settings":
        """Reads the configuration of the running stack, and of the environment what it leaves open.

        `look` looks further: at the servers that the settings name, as far as these are sound.
        `outputs_of` reads another stack's outputs, for a configuration that names one.

        Raises:
            InvalidConfigurationError: values are missing or not usable; it names all of them.
        """
        config = pulumi.Config()
        problems = Problems(lambda key: is_secret(config, key))
        settings = cls._read(config, problems, outputs_of)
        if look is not None:
            look(settings, problems)
        problems.raise_any()
        return settings

    @classmethod
    def _read(cls, config: pulumi.Config, problems: Problems, outputs_of: OutputsOf) -> "Settings":
        note_unknown_keys(problems)
        development = problems.value(False, boolean, config, "development")
        connections = Connections(config, problems)
        management = connections.management()
        vault = load_vault(
            config, management, problems, development=development, outputs_of=outputs_of
        )
        access = load_access(config, problems)
        root = load_root(config, problems, vault_is_installed=vault.is_installed)
        note_wrong_order(vault.intermediate_lifetime_days, access, root, problems)
        names = load_names(config, problems)
        trust_policy = load_trust_policy(config, problems)
        if vault.has_a_stack_of_its_own:
            clusters: tuple[Cluster, ...] = ()
            note_keys_of_another_stack(config, problems)
        else:
            clusters = load_clusters(config, connections, access.login, names, problems)
        settings = cls(
            development,
            management,
            root,
            vault,
            access,
            names,
            trust_policy,
            clusters,
            # A cluster has its own below the key of all.
            any(is_secret(config, key) for key in (PERMISSIONS, CLUSTERS)),
        )
        if any(each.agent is not None and each.agent.placement == MANAGEMENT for each in clusters):
            note_untold_management(config, "a manifest is applied in", problems)
        settings._note_clashes(problems)
        return settings

    def _note_clashes(self, problems: Problems) -> None:
        """Notes two things of one name, with the names that were chosen."""
        for cluster in self.clusters:
            if cluster.name == MANAGEMENT and self.management is not None:
                fix = "use another one: it is that of the management cluster"
                problems.note(InvalidInputError(f"{cluster.place}.name", cluster.name, fix))
        if self.root.signing_mount is not None:
            mounts = [Used("rootSigningMount", self.root.signing_mount)]
        else:
            mounts = [Used(f"{VAULT_NAMES}.rootMount", self.names.root_mount)]
        auth_mounts, policies = [], []
        for cluster in self.clusters:
            own = cluster.names
            mounts.append(Used(f"{VAULT_NAMES}.intermediateMount", own.intermediate_mount))
            if self.access.signing_ca == "cluster":
                mounts.append(Used(f"{VAULT_NAMES}.clusterCaMount", own.ca_mount))
            auth_mounts.append(Used(f"{VAULT_NAMES}.authMount", own.auth_mount))
            policies.append(Used(f"{VAULT_NAMES}.policy", own.policy))
        if self.access.administrator:
            names = self.names
            auth_mounts.append(Used(f"{VAULT_NAMES}.administratorMount", names.administrator_mount))
            policies.append(Used(f"{VAULT_NAMES}.administratorPolicy", names.administrator_policy))
        note_same_mounts(mounts, problems)
        note_same_mounts(auth_mounts, problems)
        note_same_policies(policies, problems)


Look = Callable[[Settings, Problems], None]
"""Looks at what settings name, and notes what is wrong there."""
