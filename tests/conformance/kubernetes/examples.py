"""One example of each kind: what a program may say of it, and what the plugin makes of that."""

from dataclasses import dataclass, field

from lab.plugins.provider.values import Properties

RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Example:
    """A kind's example.

    `type` is its name in a stack. `fields` are its inputs beside apiVersion, kind and metadata, as
    a program writes them. `updated` are other fields that can be had in place, with the difference
    expected. `replaced` are fields that cannot; None where only the name makes another object.
    `drift` is what another writer does to it, with the difference this makes; it makes no one else
    the owner of a field.
    """

    type: str
    namespaced: bool
    fields: Properties
    updated: Properties
    update_difference: dict[str, str]
    drift: Properties
    drift_difference: dict[str, str]
    unknown_field: Properties
    unknown_path: str
    replaced: Properties | None = None
    replacements: list[str] = field(default_factory=list)

    @property
    def api_version(self) -> str:
        return self.type.split(":")[1].removeprefix("core/")

    @property
    def kind(self) -> str:
        return self.type.split(":")[2]

    def identity(self, namespace: str, name: str | None) -> Properties:
        metadata: Properties = {"labels": {"example": "yes"}}
        if name is not None:
            metadata["name"] = name
        if self.namespaced:
            metadata["namespace"] = namespace
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}

    def inputs(self, namespace: str, name: str | None) -> Properties:
        return {**self.identity(namespace, name), **self.fields}

    def updated_inputs(self, namespace: str, name: str | None) -> Properties:
        return {**self.inputs(namespace, name), **self.updated}

    def id(self, namespace: str, name: str) -> str:
        return f"{namespace}/{name}" if self.namespaced else name


_RULE: Properties = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
_WIDER_RULE: Properties = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
_SUBJECT: Properties = {"kind": "ServiceAccount", "name": "agent", "namespace": "agents"}
_OTHER_SUBJECT: Properties = {"kind": "ServiceAccount", "name": "other", "namespace": "agents"}


def _role_ref(kind: str, name: str) -> Properties:
    return {"apiGroup": RBAC, "kind": kind, "name": name}


def _pods(app: str, image: str) -> Properties:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": image,
                    "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}},
                    "env": [{"name": "EMPTY", "value": ""}],
                    "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
                }
            ],
            "hostNetwork": False,
            "volumes": [{"name": "scratch", "emptyDir": {}}],
        },
    }


def _deployment(app: str, image: str) -> Properties:
    return {
        "replicas": 0,
        "selector": {"matchLabels": {"app": app}},
        "template": _pods(app, image),
    }


_LABEL_DRIFT: Properties = {"metadata": {"labels": {"example": None}}}
_LABEL_DIFFERENCE = {"metadata.labels": "ADD"}

EXAMPLES = [
    Example(
        type="kubernetes:core/v1:Namespace",
        namespaced=False,
        fields={},
        updated={},
        update_difference={},
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"spec": {"finalisers": []}},
        unknown_path="spec.finalisers",
    ),
    Example(
        type="kubernetes:core/v1:ServiceAccount",
        namespaced=True,
        fields={"automountServiceAccountToken": False, "imagePullSecrets": []},
        updated={"automountServiceAccountToken": True},
        update_difference={"automountServiceAccountToken": "UPDATE"},
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"automountToken": True},
        unknown_path="automountToken",
    ),
    Example(
        type="kubernetes:core/v1:Secret",
        namespaced=True,
        fields={"type": "Opaque", "stringData": {"password": "first-password"}},
        updated={},
        update_difference={},
        replaced={"stringData": {"password": "other-password"}},
        replacements=["data.password"],
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"stringdata": {}},
        unknown_path="stringdata",
    ),
    Example(
        type="kubernetes:core/v1:ConfigMap",
        namespaced=True,
        fields={"data": {"key": "value", "empty": ""}},
        updated={},
        update_difference={},
        replaced={"data": {"key": "other", "empty": ""}},
        replacements=["data.key"],
        drift={"data": {"key": None}},
        drift_difference={"data.key": "ADD_REPLACE"},
        unknown_field={"dat": {"key": "value"}},
        unknown_path="dat",
    ),
    Example(
        type=f"kubernetes:{RBAC}/v1:Role",
        namespaced=True,
        fields={"rules": [_RULE]},
        updated={"rules": [_WIDER_RULE]},
        update_difference={"rules[0].verbs[1]": "ADD"},
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"rules": [{**_RULE, "verb": "get"}]},
        unknown_path="rules[0].verb",
    ),
    Example(
        type=f"kubernetes:{RBAC}/v1:RoleBinding",
        namespaced=True,
        fields={"roleRef": _role_ref("Role", "reader"), "subjects": [_SUBJECT]},
        updated={"subjects": [_OTHER_SUBJECT]},
        update_difference={"subjects[0].name": "UPDATE"},
        replaced={"roleRef": _role_ref("Role", "writer")},
        replacements=["roleRef.name"],
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"roleref": {}},
        unknown_path="roleref",
    ),
    Example(
        type=f"kubernetes:{RBAC}/v1:ClusterRole",
        namespaced=False,
        fields={"rules": [_RULE]},
        updated={"rules": [_WIDER_RULE]},
        update_difference={"rules[0].verbs[1]": "ADD"},
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"rule": []},
        unknown_path="rule",
    ),
    Example(
        type=f"kubernetes:{RBAC}/v1:ClusterRoleBinding",
        namespaced=False,
        fields={"roleRef": _role_ref("ClusterRole", "reader"), "subjects": [_SUBJECT]},
        updated={"subjects": [_SUBJECT, _OTHER_SUBJECT]},
        update_difference={"subjects[1]": "ADD"},
        replaced={"roleRef": _role_ref("ClusterRole", "writer")},
        replacements=["roleRef.name"],
        drift={"subjects": None},
        drift_difference={"subjects": "ADD"},
        unknown_field={"subject": []},
        unknown_path="subject",
    ),
    Example(
        type="kubernetes:apps/v1:Deployment",
        namespaced=True,
        fields={"spec": _deployment("example", "example.invalid/app:1")},
        updated={"spec": _deployment("example", "example.invalid/app:2")},
        update_difference={"spec.template.spec.containers[0].image": "UPDATE"},
        replaced={"spec": _deployment("other", "example.invalid/app:1")},
        replacements=["spec.selector.matchLabels.app"],
        drift=_LABEL_DRIFT,
        drift_difference=_LABEL_DIFFERENCE,
        unknown_field={"spec": {**_deployment("example", "image"), "replica": 1}},
        unknown_path="spec.replica",
    ),
    Example(
        type="kubernetes:conformance.example/v1:Widget",
        namespaced=True,
        fields={"spec": {"size": 1, "parts": ["a"]}},
        updated={"spec": {"size": 2, "parts": ["a", "b"], "colour": "red"}},
        update_difference={
            "spec.colour": "ADD",
            "spec.parts[1]": "ADD",
            "spec.size": "UPDATE",
        },
        drift={"spec": {"size": None}},
        drift_difference={"spec.size": "ADD"},
        unknown_field={"spec": {"sise": 1}},
        unknown_path="spec.sise",
    ),
]
