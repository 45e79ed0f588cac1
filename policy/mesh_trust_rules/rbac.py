"""Kubernetes permissions without wildcards, and none by which their holder could gain more."""

from collections.abc import Iterator, Mapping

from .resource import Resource, texts
from .rule import Bound, Rule, Settings

_GROUP = "kubernetes:rbac.authorization.k8s.io/"
_ROLES = ("Role", "ClusterRole", "RolePatch", "ClusterRolePatch")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding", "RoleBindingPatch", "ClusterRoleBindingPatch")
_VERBS = ["get", "list", "watch", "create", "update", "patch", "delete"]
_FIELDS = ("apiGroups", "resources", "nonResourceURLs")


def permissions(resource: Resource, settings: Settings) -> Iterator[str]:
    """Faults of a role, or of its being given to somebody."""
    kind = resource.type.rpartition(":")[2]
    if not resource.type.startswith(_GROUP):
        return
    if kind in _ROLES:
        yield from _faults_of_role(resource, kind, settings)
    role = resource.text("roleRef", "name")
    if kind in _BINDINGS and role in settings["refusedRoles"]:
        yield (
            f"{kind} {resource.name!r} gives {role!r}; make a role that lists what is needed, and "
            "bind that"
        )


def _faults_of_role(resource: Resource, kind: str, settings: Settings) -> Iterator[str]:
    rules = resource.at("rules")
    for number, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
        if not isinstance(rule, Mapping):
            continue
        for verb in texts(rule.get("verbs")):
            if verb not in settings["allowedVerbs"]:
                yield (
                    f"{kind} {resource.name!r}, rule {number}: the verb {verb!r} is not allowed; "
                    "list the verbs that are needed, or add it to allowedVerbs"
                )
        for field in _FIELDS:
            for value in texts(rule.get(field)):
                if "*" in value:
                    yield (
                        f"{kind} {resource.name!r}, rule {number}: {value!r} in {field}; list what "
                        "is needed"
                    )


RULES = (
    Rule(
        "rbac-wildcards",
        "Kubernetes roles list what they allow, and allow nothing by which one could gain more.",
        permissions,
        bounds=(
            Bound("allowedVerbs", _VERBS, "Verbs that a role may have."),
            Bound("refusedRoles", ["cluster-admin"], "Roles that nobody is to be given."),
        ),
    ),
)
