"""What the stack's configuration says of names in Vault: the guide's, or those of another mesh."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import pulumi

from mesh_trust import InvalidInputError, names
from mesh_trust.validation import require_dns_label, require_vault_path

from .problems import Problems
from .values import known_fields, structure

KEY = "vaultNames"

CLUSTER = "{cluster}"
"""What stands for the cluster's name."""


@dataclass(frozen=True)
class ClusterNames:
    """Names of what one cluster has in Vault."""

    intermediate_mount: str
    """Mount in which it makes its requests."""
    ca_mount: str
    """Mount of a CA of its own."""
    auth_mount: str
    """Path below `auth/` of the mount at which its agent logs in."""
    role: str
    """Role that the agent takes on."""
    policy: str
    """Policy that the role carries."""


@dataclass(frozen=True)
class VaultNames:
    """Names of what an environment has in Vault; `{cluster}` in them stands for a cluster's."""

    root_mount: str = names.ROOT_MOUNT_PATH
    administrator: str = names.ADMINISTRATOR
    administrator_policy: str = names.ADMINISTRATOR_POLICY
    administrator_mount: str = names.ADMINISTRATOR_MOUNT_PATH
    intermediate_mount: str = names.intermediate_mount_path(CLUSTER)
    cluster_ca_mount: str = names.cluster_ca_mount_path(CLUSTER)
    auth_mount: str = names.auth_mount_path(CLUSTER)
    jwt_auth_mount: str = names.jwt_auth_mount_path(CLUSTER)
    role: str = names.role_name(CLUSTER)
    policy: str = names.role_name(CLUSTER)

    def of(self, cluster: str, reviewer_mode: str) -> ClusterNames:
        """The names for one cluster."""
        auth_mount = self.jwt_auth_mount if reviewer_mode == "jwt" else self.auth_mount
        return ClusterNames(
            intermediate_mount=self.intermediate_mount.replace(CLUSTER, cluster),
            ca_mount=self.cluster_ca_mount.replace(CLUSTER, cluster),
            auth_mount=auth_mount.replace(CLUSTER, cluster),
            role=self.role.replace(CLUSTER, cluster),
            policy=self.policy.replace(CLUSTER, cluster),
        )


# The fields of the configuration, and those of VaultNames.
_OF_ENVIRONMENT = {
    "rootMount": "root_mount",
    "administrator": "administrator",
    "administratorPolicy": "administrator_policy",
    "administratorMount": "administrator_mount",
}
_OF_CLUSTER = {
    "intermediateMount": "intermediate_mount",
    "clusterCaMount": "cluster_ca_mount",
    "authMount": "auth_mount",
    "jwtAuthMount": "jwt_auth_mount",
    "role": "role",
    "policy": "policy",
}
FIELDS = {**_OF_ENVIRONMENT, **_OF_CLUSTER}

# Vault keeps these in lower case, whatever it is given.
_LOWER_CASE = ("administratorPolicy", "role", "policy")


def load_names(config: pulumi.Config, problems: Problems) -> VaultNames:
    """Reads them from `config`.

    Notes names that could not be used, or that would be the same for every cluster.
    """
    entry = structure(config, KEY)
    if entry is None:
        return VaultNames()
    entry = known_fields(KEY, entry, FIELDS, problems)
    names = {field: problems.value(None, _checked, field, value) for field, value in entry.items()}
    return VaultNames(**{FIELDS[field]: name for field, name in names.items() if name is not None})


def _checked(field: str, value: object) -> str:
    name = f"{KEY}.{field}"
    if not isinstance(value, str):
        raise InvalidInputError(name, value, "give it a text")
    if field in _OF_CLUSTER and CLUSTER not in value:
        raise InvalidInputError(
            name, value, f"put {CLUSTER} where the cluster's name belongs: each needs its own"
        )
    plain = value.replace(CLUSTER, "cluster") if field in _OF_CLUSTER else value
    try:
        if field == "administrator":
            require_dns_label(name, plain)
        else:
            require_vault_path(name, plain)
    except InvalidInputError as error:
        # Of the name as it was given, not of what it was tried with.
        raise InvalidInputError(name, value, error.fix) from None
    if field in _LOWER_CASE and plain != plain.lower():
        raise InvalidInputError(name, value, "use lower case: Vault keeps such names so")
    return value


@dataclass(frozen=True)
class Used:
    """A name that the environment uses, and the field of the configuration that it comes from."""

    field: str
    name: str


def note_same_mounts(used: Sequence[Used], problems: Problems) -> None:
    """Notes mounts with the path of another, or one below it, which Vault refuses."""
    _note_clashes(
        used,
        lambda one, other: _lies_in(one.name, other.name) or _lies_in(other.name, one.name),
        problems,
    )


def note_same_policies(used: Sequence[Used], problems: Problems) -> None:
    """Notes policies with the name of another."""
    _note_clashes(used, lambda one, other: one.name == other.name, problems)


def _lies_in(path: str, mount: str) -> bool:
    return f"{path}/".startswith(f"{mount}/")


def _note_clashes(
    used: Sequence[Used], clash: Callable[[Used, Used], bool], problems: Problems
) -> None:
    said = set()
    for one, other in combinations(used, 2):
        # Once for the names of all clusters, which have a pattern in common.
        if clash(one, other) and (one.field, other.field) not in said:
            said.add((one.field, other.field))
            fix = f"use another one: {one.field} is {one.name!r} already"
            problems.note(InvalidInputError(other.field, other.name, fix))
