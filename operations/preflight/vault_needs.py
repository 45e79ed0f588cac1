"""What the program asks of Vault, path by path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from settings import Cluster, Settings

_MOUNT = ("create", "read", "update", "delete")
_AUTH_MOUNT = (*_MOUNT, "sudo")
_WRITTEN = ("create", "read", "update", "delete")


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
        yield Need(f"{mount}/config/issuers", ("create", "read", "update"))
        yield Need(f"{mount}/issuers", ("list",))
        yield Need(f"{mount}/issuer/+", ("read",))
        if root.source == "vault":
            yield Need(f"{mount}/root/generate/internal", ("create", "update"))
        else:
            yield Need(f"{mount}/config/ca", ("create", "update"))
    if settings.access.signing_ca == "cluster":
        yield Need(f"{mount}/root/sign-intermediate", ("update",))


def _cluster(cluster: Cluster) -> Iterator[Need]:
    names = cluster.names
    yield from _pki_mount(names.intermediate_mount)
    yield Need(f"sys/policies/acl/{names.policy}", _WRITTEN)
    yield from _auth_mount(names.auth_mount)
    yield Need(f"auth/{names.auth_mount}/config", ("create", "read", "update"))
    yield Need(f"auth/{names.auth_mount}/role/{names.role}", _WRITTEN)


def _own_ca(cluster: Cluster) -> Iterator[Need]:
    mount = cluster.names.ca_mount
    yield from _pki_mount(mount)
    yield Need(f"{mount}/issuers/generate/intermediate/internal", ("update",))
    yield Need(f"{mount}/intermediate/set-signed", ("update",))
    yield Need(f"{mount}/issuers", ("list",))
    yield Need(f"{mount}/issuer/+", ("read",))
    yield Need(f"{mount}/config/issuers", ("create", "read", "update"))
    yield Need(f"{mount}/config/keys", ("read",))


def _administrator(settings: Settings) -> Iterator[Need]:
    names = settings.names
    yield from _auth_mount(names.administrator_mount)
    yield Need(f"auth/{names.administrator_mount}/users/{names.administrator}", _WRITTEN)
    yield Need(f"sys/policies/acl/{names.administrator_policy}", _WRITTEN)


def _pki_mount(path: str) -> Iterator[Need]:
    yield Need(f"sys/mounts/{path}", _MOUNT)
    yield Need(f"sys/mounts/{path}/tune", ("read", "update"))


def _auth_mount(path: str) -> Iterator[Need]:
    yield Need(f"sys/auth/{path}", _AUTH_MOUNT)
    yield Need(f"sys/mounts/auth/{path}/tune", ("read", "update"))


def lacking(need: Need, granted: Mapping[str, list[str]]) -> list[str]:
    """The capabilities that are not among those `granted`, by path."""
    has = granted.get(need.asked_at) or []
    return [] if "root" in has else [each for each in need.capabilities if each not in has]
