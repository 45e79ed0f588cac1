"""Whether what the program makes in Vault is free, or the stack's own already."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_trust.settings import Settings

from ..about import About
from ..finding import Finding
from ..vault_client import asking
from .vault_health import SUBJECT

PATHS = About("vault-paths", SUBJECT)

OwnIds = Collection[tuple[str, str]]
"""Type and id of each resource in the stack's state."""

MOUNT = "vault:index/mount:Mount"
_AUTH_MOUNT = "vault:index/authBackend:AuthBackend"
_JWT_MOUNT = "vault:jwt/authBackend:AuthBackend"
_POLICY = "vault:index/policy:Policy"


@dataclass(frozen=True)
class _Mount:
    """A mount that the program makes."""

    label: str
    path: str
    kind: str
    """What Vault mounts there."""
    resource_type: str


def path_findings(client: Any, settings: Settings, own: OwnIds) -> Iterator[Finding]:
    """Compares mounts, auth mounts and policies with what is there and in the state."""
    with asking("what is mounted (sys/mounts, sys/auth)"):
        tables = {
            "mount": client.sys.list_mounted_secrets_engines()["data"],
            "auth mount": client.sys.list_auth_methods()["data"],
        }
    found: list[Finding] = []
    free = ours = 0
    for mount in _mounts(settings):
        if (mount.resource_type, mount.path) in own and f"{mount.path}/" in tables[mount.label]:
            ours += 1
            continue
        finding = _occupied(mount, tables[mount.label])
        free += finding is None
        if finding is not None:
            found.append(finding)
    for name in _policies(settings):
        with asking(f"policy {name}"):
            there = client.read(f"sys/policies/acl/{name}") is not None
        if there and (_POLICY, name) not in own:
            found.append(_adoptable("policy", name))
        ours += there and (_POLICY, name) in own
        free += not there
    yield from found
    if not found:
        yield PATHS.ok(f"of its mounts and policies {free} are free, and {ours} the stack's own")


def _mounts(settings: Settings) -> Iterator[_Mount]:
    if settings.root.signing_mount is None:
        yield _Mount("mount", settings.names.root_mount, "pki", MOUNT)
    for cluster in settings.clusters:
        names = cluster.names
        yield _Mount("mount", names.intermediate_mount, "pki", MOUNT)
        if settings.access.signing_ca == "cluster":
            yield _Mount("mount", names.ca_mount, "pki", MOUNT)
        by_jwt = cluster.login.get("reviewer_mode") == "jwt"
        yield _Mount(
            "auth mount",
            names.auth_mount,
            "jwt" if by_jwt else "kubernetes",
            _JWT_MOUNT if by_jwt else _AUTH_MOUNT,
        )
    if settings.access.administrator:
        path = settings.names.administrator_mount
        yield _Mount("auth mount", path, "userpass", _AUTH_MOUNT)


def _policies(settings: Settings) -> Iterator[str]:
    for cluster in settings.clusters:
        yield cluster.names.policy
    if settings.access.administrator:
        yield settings.names.administrator_policy


def _occupied(mount: _Mount, table: Mapping[str, Any]) -> Finding | None:
    there = table.get(f"{mount.path}/")
    if there is not None and there["type"] == mount.kind:
        return _adoptable(mount.label, mount.path)
    if there is not None:
        return PATHS.failed(
            f"at {mount.path} is a {mount.label} of type {there['type']}, and none of type "
            f"{mount.kind} can be made there (`path is already in use`)",
            "choose another name in vaultNames, or move it away (docs/several-meshes.md)",
        )
    for other in table:
        if f"{mount.path}/".startswith(other) or other.startswith(f"{mount.path}/"):
            return PATHS.failed(
                f"{mount.label} {other.rstrip('/')} is in the way of {mount.path}: Vault has no "
                "mount within another (`path is already in use`)",
                "choose another name in vaultNames (docs/several-meshes.md)",
            )
    return None


def _adoptable(label: str, name: str) -> Finding:
    return PATHS.failed(
        f"{label} {name} is there already, and not in the state of this stack (`path is already "
        "in use`)",
        "take it over with the commands that `pulumi preview` prints (docs/existing-setup.md), or "
        "choose another name in vaultNames",
    )
