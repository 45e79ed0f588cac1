"""What the program asks of Vault, path by path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mesh_trust.environment.vault_access import AUDIT_PATH
from mesh_trust.settings import Cluster, Settings

# Vault's own paths and those of the PKI engine know no creation: to write there is to update.
_UPDATED = ("read", "update")
_MADE = (*_UPDATED, "delete")
_CREATED = ("create", *_MADE)


@dataclass(frozen=True)
class Need:
    """Capabilities that the token needs at a path."""

    path: str
    """Without `/v1`, as a policy has it: `+` stands for what has no name yet, as an issuer."""
    capabilities: tuple[str, ...]

    @property
    def asked_at(self) -> str:
        """The same path with some name in that place."""
        return self.path.replace("+", "any")


def vault_needs(settings: Settings) -> list[Need]:
    """All that `pulumi preview`, `up`, `refresh` and `destroy` ask for, each path once.

    As the README and docs/stack-token.md put it, but with this environment's own names.
    """
    needed: dict[str, set[str]] = {}
    for need in _needs(settings):
        needed.setdefault(need.path, set()).update(need.capabilities)
    return [Need(path, tuple(sorted(each))) for path, each in needed.items()]


def _needs(settings: Settings) -> Iterator[Need]:
    # The provider works with a token of its own below the one that it is given.
    yield Need("auth/token/create", ("update",))
    yield Need("auth/token/lookup-self", ("read",))
    yield Need("sys/mounts", ("read",))
    yield Need("sys/auth", ("read",))
    if settings.vault.audit_file is not None:
        yield Need("sys/audit", ("read", "sudo"))
        yield Need(f"sys/audit/{AUDIT_PATH}", ("delete", "sudo", "update"))
    yield from _root(settings)
    for cluster in settings.clusters:
        yield from _cluster(cluster)
        if settings.access.signing_ca == "cluster":
            yield from _own_ca(cluster)
    if settings.access.administrator:
        yield from _administrator(settings)


def _root(settings: Settings) -> Iterator[Need]:
    root, mount = settings.root, settings.names.root_mount
    if root.signing_mount is not None:
        mount = root.signing_mount
        yield Need(f"{mount}/issuer/default", ("read",))
        yield Need(f"sys/mounts/{mount}/tune", ("read",))
    else:
        yield from _pki_mount(mount)
        yield Need(f"{mount}/config/issuers", _UPDATED)
        yield Need(f"{mount}/issuers", ("list",))
        yield Need(f"{mount}/issuer/+", ("read",))
        if root.source == "vault":
            # It is a resource, and goes with the stack.
            yield Need(f"{mount}/issuer/+", ("delete",))
        if len(root.generations) > 1:
            # One that is taken out may have signed what still lives; its issuer is let go of.
            yield Need(f"{mount}/certs", ("list",))
            yield Need(f"{mount}/issuer/+", ("update", "patch"))
        made = "issuers/generate/root/internal" if root.source == "vault" else "config/ca"
        yield Need(f"{mount}/{made}", ("update",))
    if settings.access.signing_ca == "cluster":
        yield Need(f"{mount}/root/sign-intermediate", ("update",))


def _cluster(cluster: Cluster) -> Iterator[Need]:
    names = cluster.names
    yield from _pki_mount(names.intermediate_mount)
    yield Need(f"sys/policies/acl/{names.policy}", _MADE)
    yield from _auth_mount(names.auth_mount)
    yield Need(f"auth/{names.auth_mount}/config", _UPDATED)
    yield Need(f"auth/{names.auth_mount}/role/{names.role}", _CREATED)


def _own_ca(cluster: Cluster) -> Iterator[Need]:
    mount = cluster.names.ca_mount
    yield from _pki_mount(mount)
    yield Need(f"{mount}/issuers/generate/intermediate/internal", ("update",))
    yield Need(f"{mount}/intermediate/set-signed", ("update",))
    yield Need(f"{mount}/issuers", ("list",))
    yield Need(f"{mount}/issuer/+", ("read",))
    yield Need(f"{mount}/config/issuers", _UPDATED)
    yield Need(f"{mount}/config/keys", ("read",))


def _administrator(settings: Settings) -> Iterator[Need]:
    names = settings.names
    yield from _auth_mount(names.administrator_mount)
    yield Need(f"auth/{names.administrator_mount}/users/{names.administrator}", _CREATED)
    yield Need(f"sys/policies/acl/{names.administrator_policy}", _MADE)


def _pki_mount(path: str) -> Iterator[Need]:
    yield Need(f"sys/mounts/{path}", _MADE)
    yield Need(f"sys/mounts/{path}/tune", _UPDATED)


def _auth_mount(path: str) -> Iterator[Need]:
    yield Need(f"sys/auth/{path}", (*_MADE, "sudo"))
    yield Need(f"sys/mounts/auth/{path}/tune", _UPDATED)


def lacking(need: Need, granted: Mapping[str, list[str]]) -> list[str]:
    """The capabilities that are not among those `granted`, by path."""
    has = granted.get(need.asked_at) or []
    return [] if "root" in has else [each for each in need.capabilities if each not in has]
