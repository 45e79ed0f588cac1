"""The kinds of objects the plugin knows, each a small declaration."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lab.plugins.kubernetes import rollout, token_secret
from lab.plugins.kubernetes.readiness import Readiness
from lab.plugins.provider.provider import UnknownType

PACKAGE = "kubernetes"
Path = tuple[str, ...]

_CORE = "core"  # how types name the group whose name is empty
_IDENTITY: tuple[Path, ...] = (("metadata", "name"), ("metadata", "namespace"))

# The server's own groups. A group of anyone else's has a dot and is not in here.
_BUILT_IN_GROUPS = frozenset(
    f"{group}.k8s.io"
    for group in (
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "auditregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "internal.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "settings",
        "storage",
        "storagemigration",
    )
)
_PATCH = "Patch"  # how the types end by which others' objects are patched
# Groups in the SDK that are no group of any server.
_NOT_ON_A_SERVER = frozenset({"helm.sh"})


@dataclass(frozen=True)
class KubernetesKind:
    """What sets a kind apart from the others.

    `inputs` are the top-level fields, beside apiVersion, kind and metadata, that an import takes
    over from the server. A change below one of `force_new` replaces the object, and so does one
    below `content`, unless the provider's configuration lets the content of this kind change.
    `namespaced` is None where only the server knows. `is_patch` is set for the type that writes
    fields of an object of this kind, which is somebody else's.
    """

    group: str
    version: str
    kind: str
    namespaced: bool | None
    inputs: frozenset[str] = frozenset()
    force_new: tuple[Path, ...] = ()
    content: tuple[str, ...] = ()
    readiness: Readiness | None = None
    deletion_may_go_unawaited: bool = False
    is_patch: bool = False

    @property
    def api_version(self) -> str:
        """The `apiVersion` of such objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def token(self) -> str:
        """The type's name in a stack."""
        kind = f"{self.kind}{_PATCH}" if self.is_patch else self.kind
        return f"{PACKAGE}:{self.group or _CORE}/{self.version}:{kind}"

    @property
    def is_built_in(self) -> bool:
        """Whether the server itself has this kind, rather than by a custom resource definition."""
        return self.namespaced is not None

    @property
    def holds_secrets(self) -> bool:
        """Whether the content of such an object is secret as a whole."""
        return self.group == "" and self.kind == "Secret"

    @property
    def is_named_as_patch(self) -> bool:
        """Whether this may be the type that patches another kind, by its name."""
        return self.kind.endswith(_PATCH) and self.kind != _PATCH

    def patched(self) -> "KubernetesKind":
        """Return the kind that the type patches; only another name makes that another object."""
        return replace(
            self, kind=self.kind.removesuffix(_PATCH), force_new=(), content=(), is_patch=True
        )

    def replacing_fields(self, *, content_may_change: bool) -> tuple[Path, ...]:
        """Return the paths below which every change replaces the object."""
        content: Iterable[Path] = () if content_may_change else ((name,) for name in self.content)
        return (*_IDENTITY, *self.force_new, *content)


_RBAC = "rbac.authorization.k8s.io"

_KINDS = {
    kind.token: kind
    for kind in (
        KubernetesKind(
            "",
            "v1",
            "Namespace",
            namespaced=False,
            inputs=frozenset({"spec"}),
            deletion_may_go_unawaited=True,
        ),
        KubernetesKind(
            "",
            "v1",
            "ServiceAccount",
            namespaced=True,
            inputs=frozenset({"automountServiceAccountToken", "imagePullSecrets", "secrets"}),
        ),
        KubernetesKind(
            "",
            "v1",
            "Secret",
            namespaced=True,
            inputs=frozenset({"data", "immutable", "stringData", "type"}),
            force_new=(("type",),),
            content=("stringData", "data"),
            readiness=token_secret.READINESS,
        ),
        KubernetesKind(
            "",
            "v1",
            "ConfigMap",
            namespaced=True,
            inputs=frozenset({"binaryData", "data", "immutable"}),
            content=("binaryData", "data"),
        ),
        KubernetesKind(_RBAC, "v1", "Role", namespaced=True, inputs=frozenset({"rules"})),
        KubernetesKind(
            _RBAC,
            "v1",
            "RoleBinding",
            namespaced=True,
            inputs=frozenset({"roleRef", "subjects"}),
            force_new=(("roleRef",),),
        ),
        KubernetesKind(
            _RBAC,
            "v1",
            "ClusterRole",
            namespaced=False,
            inputs=frozenset({"aggregationRule", "rules"}),
        ),
        KubernetesKind(
            _RBAC,
            "v1",
            "ClusterRoleBinding",
            namespaced=False,
            inputs=frozenset({"roleRef", "subjects"}),
            force_new=(("roleRef",),),
        ),
        KubernetesKind(
            "apps",
            "v1",
            "Deployment",
            namespaced=True,
            inputs=frozenset({"spec"}),
            force_new=(("spec", "selector"),),
            readiness=rollout.READINESS,
            deletion_may_go_unawaited=True,
        ),
    )
}
_PATCHES = {kind.token: kind for kind in (_KINDS[f"{PACKAGE}:apps/v1:Deployment"].patched(),)}


def kind_of(token: str) -> KubernetesKind:
    """Return the kind a type's token names, for example `kubernetes:core/v1:Secret`.

    Custom resources of any group that is not one of the server's own are accepted. Raises
    `UnknownType` for everything else.
    """
    known = _KINDS.get(token) or _PATCHES.get(token)
    if known is not None:
        return known
    package, _, rest = token.partition(":")
    api_version, _, kind = rest.partition(":")
    group, _, version = api_version.partition("/")
    is_custom = (
        "." in group
        and group not in _BUILT_IN_GROUPS | _NOT_ON_A_SERVER
        and bool(version)
        and bool(kind)
    )
    if package != PACKAGE or not is_custom:
        raise UnknownType(PACKAGE, token)
    return KubernetesKind(group, version, kind, namespaced=None)
