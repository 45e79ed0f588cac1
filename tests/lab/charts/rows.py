"""How a table of the Vault chart's values says what each of them changes in the objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

from mesh_trust.vault_values import development_values

from .rendering import ABSENT

DEV = development_values(log_level="debug", service_type="LoadBalancer", root_token="a-token")
STANDALONE: dict[str, Any] = {"injector": {"enabled": False}}
HA: dict[str, Any] = {
    "injector": {"enabled": False},
    "server": {"ha": {"enabled": True, "raft": {"enabled": True}}},
}

SET = "StatefulSet/vault"
PODS = f"{SET}.spec.template"
CONTAINER = f"{PODS}.spec.containers[vault]"
ENVIRONMENT = f"{CONTAINER}.env"
SERVICE = "Service/vault"
INTERNAL = "Service/vault-internal"
UI = "Service/vault-ui"
ACCOUNT = "ServiceAccount/vault"
BINDING = "ClusterRoleBinding/vault-server-binding"

TEMPLATE = "of: {{ .Release.Name }}"
FILLED = {"of": "vault"}


@dataclass(frozen=True)
class Row:
    """`key` set to `value` makes `changes`, and no other, where `beside` is set before and after.

    `key` and those of `beside` are dotted; `changes` are as `rendering.changes` gives them.
    """

    key: str
    value: Any
    changes: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=lambda: DEV)

    def __str__(self) -> str:
        return f"{self.key}={self.value!r:.30}"


def standalone(
    key: str, value: Any, changes: Mapping[str, Any], beside: Mapping[str, Any] | None = None
) -> Row:
    """A row of mode standalone; the others are of mode dev."""
    return Row(key, value, changes, beside or {}, STANDALONE)


def cluster(
    key: str, value: Any, changes: Mapping[str, Any], beside: Mapping[str, Any] | None = None
) -> Row:
    """A row of mode ha."""
    return Row(key, value, changes, beside or {}, HA)


def gone(*paths: str) -> dict[str, Any]:
    """Changes by which these are taken away."""
    return dict.fromkeys(paths, ABSENT)


def added(*paths: str) -> dict[str, Any]:
    """Changes by which these come, as other tests say what they then are."""
    return dict.fromkeys(paths, ANY)


def in_namespace(namespace: str) -> dict[str, Any]:
    """The changes of mode dev when its objects are in another namespace."""
    metadata = [f"{name}.metadata" for name in (SET, SERVICE, INTERNAL, ACCOUNT)]
    return {f"{path}.namespace": namespace for path in (*metadata, f"{BINDING}.subjects[vault]")}


def variable(name: str, value: str) -> dict[str, Any]:
    """The change by which the container has one more environment variable."""
    return {f"{ENVIRONMENT}[{name}]": {"name": name, "value": value}}
