"""A login for whoever looks after this setup in Vault by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_random as random
import pulumi_vault as vault

from .administrator_policy import AdministeredNames, administrator_policy
from .known_values import known_after
from .login_role import DEFAULT_TTL_SECONDS, require_token_ttl
from .names import ADMINISTRATOR, ADMINISTRATOR_MOUNT_PATH, ADMINISTRATOR_POLICY
from .never_overwrite import never_overwriting
from .validation import once_known, require_dns_label, require_vault_path, require_whole_number

PASSWORD_LENGTH = 32


class AdministeredCluster(TypedDict):
    """One cluster's part in Vault; the fields are outputs of its ClusterTrust."""

    intermediate_mount_path: pulumi.Input[str]
    """Mount in which the cluster makes its requests."""
    auth_mount_path: pulumi.Input[str]
    """Path of the auth mount below `auth/`."""
    role_name: pulumi.Input[str]
    """Role that the agent takes on."""
    policy_name: pulumi.Input[str]
    """Policy that the role carries."""


class VaultAdministratorArgs(TypedDict):
    """What there is to look after, and as whom."""

    signing_mount_paths: Sequence[pulumi.Input[str]]
    """Mounts whose CAs sign: the `mount_path` of a RootPki, and of each ClusterCa."""
    clusters: Sequence[AdministeredCluster]
    """The clusters."""
    username: NotRequired[str]
    """Name to log in with, an RFC 1123 label; `admin` when absent."""
    policy_name: NotRequired[str]
    """Name of the policy; `admins` when absent."""
    mount_path: NotRequired[str]
    """Path of the userpass auth mount below `auth/`; `userpass` when absent."""
    token_ttl_seconds: NotRequired[int]
    """Lifetime of a login, in seconds; 3600 when absent."""
    password_generation: NotRequired[int]
    """Counts passwords: another number makes a new one. 1 when absent."""


class VaultAdministrator(pulumi.ComponentResource):
    """A user of Vault with a generated password, who may look after this setup and nothing else."""

    username: pulumi.Output[str]
    """Name to log in with."""
    password: pulumi.Output[str]
    """The generated password; secret."""
    policy_name: pulumi.Output[str]
    """Name of the user's policy."""
    mount_path: pulumi.Output[str]
    """Path of the userpass auth mount below `auth/`."""

    def __init__(
        self, name: str, args: VaultAdministratorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Registers auth mount, policy and user.

        Raises:
            InvalidInputError: a name, number or lifetime is not usable.
        """
        username = require_dns_label("username", args.get("username", ADMINISTRATOR))
        policy_name = require_vault_path(
            "policy_name", args.get("policy_name", ADMINISTRATOR_POLICY)
        )
        mount_path = require_vault_path(
            "mount_path", args.get("mount_path", ADMINISTRATOR_MOUNT_PATH)
        )
        ttl_seconds = require_token_ttl(
            "token_ttl_seconds", args.get("token_ttl_seconds", DEFAULT_TTL_SECONDS)
        )
        generation = require_whole_number(
            "password_generation", args.get("password_generation", 1), minimum=1, unit="passwords"
        )
        signing_mount_paths = pulumi.Output.all(*args["signing_mount_paths"])
        clusters = pulumi.Output.all(*(pulumi.Output.all(**each) for each in args["clusters"]))

        super().__init__("mesh-trust:index:VaultAdministrator", name, None, never_overwriting(opts))

        mount = vault.AuthBackend(
            f"{name}-mount",
            path=mount_path,
            type="userpass",
            description="Administrators of the mesh's trust",
            opts=pulumi.ResourceOptions(parent=self),
        )
        policy = vault.Policy(
            f"{name}-policy",
            name=policy_name,
            policy=pulumi.Output.all(signing_mount_paths, clusters).apply(
                lambda resolved: once_known(_policy_text, policy_name, *resolved)
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        password = random.RandomPassword(
            f"{name}-password",
            length=PASSWORD_LENGTH,
            # Letters and digits survive every shell.
            special=False,
            keepers={"generation": str(generation)},
            opts=pulumi.ResourceOptions(parent=self),
        )
        # The provider's own user type takes the password as a value that it never compares, so that
        # a new one would go unnoticed.
        user = vault.generic.Endpoint(
            f"{name}-user",
            path=known_after(f"auth/{mount_path}/users/{username}", mount),
            data_json=pulumi.Output.json_dumps(
                {
                    "password": password.result,
                    "token_policies": [known_after(policy_name, policy)],
                    "token_ttl": ttl_seconds,
                    "token_max_ttl": ttl_seconds,
                }
            ),
            # Vault never gives a password back.
            ignore_absent_fields=True,
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.username = known_after(username, user)
        self.password = pulumi.Output.secret(password.result)
        self.policy_name = known_after(policy_name, policy)
        self.mount_path = known_after(mount_path, mount)
        self.register_outputs(
            {
                "username": self.username,
                "password": self.password,
                "policy_name": self.policy_name,
                "mount_path": self.mount_path,
            }
        )


def _policy_text(
    name: str, signing_mount_paths: Sequence[str], clusters: Sequence[Mapping[str, Any]]
) -> str:
    return administrator_policy(
        name, signing_mount_paths, [AdministeredNames(**each) for each in clusters]
    )
