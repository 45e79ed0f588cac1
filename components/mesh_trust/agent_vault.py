"""How istiod's agent gets at Vault: where it is, what it asks for, and as whom."""

import base64
import re
from typing import Any, NotRequired, TypedDict

import pulumi

from .kubernetes_values import ObjectReference, object_reference, require_data_key
from .structures import fields_of, known_or_later, require_at_most_one, require_exactly_one
from .validation import InvalidInputError, require_server_address, require_vault_path

_TOKEN_KEY = "token"  # noqa: S105 - no secret
# Printable and no segment that leads back up.
_FILE_PATH = re.compile(r"(?!.*/\.\.?(/|$))(/[!-.0-~]+)+")


class KubernetesAuth(TypedDict):
    """A login with the token of a service account (Gloo: `kubernetesAuth`).

    Without `service_account_ref` and `mounted_sa_path` it is the token in the agent's own pod.
    """

    role: pulumi.Input[str]
    """Role to log in with (Gloo: `role`): the `role_name` of a ClusterAuthMount."""
    mount_path: NotRequired[pulumi.Input[str]]
    """Path below `auth/`: the `mount_path` of a ClusterAuthMount (Gloo: `mountPath`, where it
    begins with `/v1/auth/`); Gloo's own, `kubernetes`, when absent."""
    secret_token_key: NotRequired[str]
    """Key of the token in the service account's Secret (Gloo: `secretTokenKey`); `token` when
    absent."""
    service_account_ref: NotRequired[ObjectReference]
    """Service account to log in as (Gloo: `serviceAccountRef`); not together with
    `mounted_sa_path`."""
    mounted_sa_path: NotRequired[str]
    """Folder in the agent's container that holds a service account's token, an absolute path
    (Gloo: `mountedSaPath`)."""


class AgentVault(TypedDict):
    """A Vault, the paths in it, and a login there (Gloo: `agentCa.vault`).

    One of `token_secret_ref` and `kubernetes_auth` is required.
    """

    server: pulumi.Input[str]
    """Address of Vault as the cluster reaches it, `https://host[:port]` (Gloo: `server`)."""
    ca_path: pulumi.Input[str]
    """API path, without `/v1`, at which the root signs: the `ca_path` of a RootPki (Gloo:
    `caPath`)."""
    csr_path: pulumi.Input[str]
    """API path, without `/v1`, of certificate requests: the `csr_path` of an IntermediatePki
    (Gloo: `csrPath`)."""
    namespace: NotRequired[pulumi.Input[str] | None]
    """Namespace of Vault Enterprise that the paths are in (Gloo: `namespace`); none when absent."""
    ca_bundle: NotRequired[pulumi.Input[str] | None]
    """CA certificates that Vault's own certificate chains to, PEM (Gloo: `caBundle`, in base64).
    At most one of this and the next two; without any, the agent's system certificates."""
    ca_secret_ref: NotRequired[ObjectReference]
    """Secret with these certificates under the key `root-cert.pem` (Gloo: `caSecretRef`)."""
    ca_local_path: NotRequired[str]
    """File in the agent's container with these certificates, an absolute path (Gloo:
    `caLocalPath`)."""
    token_secret_ref: NotRequired[ObjectReference]
    """Secret with a token of Vault (Gloo: `tokenSecretRef`)."""
    kubernetes_auth: NotRequired[KubernetesAuth]
    """Login with a service account's token (Gloo: `kubernetesAuth`)."""


def agent_vault(field: str, value: object) -> dict[str, Any]:
    """The AgentVault `value` as Gloo has it, without what Gloo does by itself.

    Raises:
        InvalidInputError: a field is not usable, or excludes another one.
    """
    given = fields_of(field, value, AgentVault)
    ca = require_at_most_one(field, given, ("ca_bundle", "ca_secret_ref", "ca_local_path"))
    login = require_exactly_one(field, given, ("token_secret_ref", "kubernetes_auth"))
    vault: dict[str, Any] = {
        "server": known_or_later(_server, f"{field}.server", given["server"]),
        "caPath": known_or_later(require_vault_path, f"{field}.ca_path", given["ca_path"]),
        "csrPath": known_or_later(require_vault_path, f"{field}.csr_path", given["csr_path"]),
    }
    if "namespace" in given:
        vault["namespace"] = known_or_later(
            require_vault_path, f"{field}.namespace", given["namespace"]
        )
    if ca == "ca_bundle":
        vault["caBundle"] = known_or_later(_bundle, f"{field}.ca_bundle", given["ca_bundle"])
    elif ca == "ca_secret_ref":
        vault["caSecretRef"] = object_reference(f"{field}.ca_secret_ref", given["ca_secret_ref"])
    elif ca == "ca_local_path":
        vault["caLocalPath"] = _file_path(f"{field}.ca_local_path", given["ca_local_path"])
    if login == "kubernetes_auth":
        vault["kubernetesAuth"] = _kubernetes_auth(
            f"{field}.kubernetes_auth", given["kubernetes_auth"]
        )
    else:
        vault["tokenSecretRef"] = object_reference(
            f"{field}.token_secret_ref", given["token_secret_ref"]
        )
    return vault


def _kubernetes_auth(field: str, value: object) -> dict[str, Any]:
    given = fields_of(field, value, KubernetesAuth)
    account = require_at_most_one(field, given, ("service_account_ref", "mounted_sa_path"))
    auth: dict[str, Any] = {
        "role": known_or_later(require_vault_path, f"{field}.role", given["role"])
    }
    if "mount_path" in given:
        auth["mountPath"] = known_or_later(_login_path, f"{field}.mount_path", given["mount_path"])
    key = require_data_key(f"{field}.secret_token_key", given.get("secret_token_key", _TOKEN_KEY))
    if key != _TOKEN_KEY:
        auth["secretTokenKey"] = key
    if account == "service_account_ref":
        auth["serviceAccountRef"] = object_reference(f"{field}.{account}", given[account])
    elif account == "mounted_sa_path":
        auth["mountedSaPath"] = _file_path(f"{field}.{account}", given[account])
    return auth


def _server(field: str, value: str) -> str:
    return require_server_address(field, value, allow_http=True)


def _login_path(field: str, value: str) -> str:
    # Unlike the paths of mounts, Gloo takes this one with the API's version.
    return f"/v1/auth/{require_vault_path(field, value)}"


def _bundle(field: str, value: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidInputError(field, value, "give certificates in PEM, or leave it out")
    return base64.b64encode(value.encode()).decode()


def _file_path(field: str, value: str) -> str:
    if not isinstance(value, str) or not _FILE_PATH.fullmatch(value):
        raise InvalidInputError(
            field, value, "use an absolute path without spaces and outer slash, such as /etc/vault"
        )
    return value
