"""What is in Vault and in the clusters, seen with their own clients."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import hvac
from kubernetes import client, config

from lab.lab import Lab

ROOT_MAP = "kube-root-ca.crt"

# What Kubernetes makes, renews or counts by itself at any moment; and the ReplicaSets of former
# pods, which it keeps for a Deployment to be rolled back to.
_RESTLESS_KINDS = frozenset(
    {"ComponentStatus", "Endpoints", "EndpointSlice", "Event", "Lease", "ReplicaSet"}
)


@dataclass(frozen=True)
class Inventory:
    """Names of all there is, each with a mark that changes when the thing changes."""

    vault: dict[str, Any]
    kubernetes: dict[str, str]

    def names(self) -> set[str]:
        """Names of all there is."""
        return {*self.vault, *self.kubernetes}

    def changes_since(self, before: "Inventory") -> set[str]:
        """Names of what is new, gone or different."""
        old, new = {**before.vault, **before.kubernetes}, {**self.vault, **self.kubernetes}
        return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def vault_client(lab: Lab, token: str | None = None) -> Any:
    """A client of the lab's Vault, with its root token unless another is given."""
    environment = lab.environment()
    return hvac.Client(
        url=environment["VAULT_ADDR"],
        token=environment["VAULT_TOKEN"] if token is None else token,
        verify=environment["VAULT_CACERT"],
    )


def kubernetes_client(lab: Lab, cluster: str) -> Any:
    """An administrator's client of `cluster`."""
    return config.new_client_from_config(str(lab.directory.kubeconfig), cluster)


CLUSTERS = ("mgmt", "east", "west", "north")


def await_own_objects(lab: Lab, clusters: Sequence[str] = CLUSTERS) -> None:
    """Waits until `clusters` have made what they make in every namespace by themselves."""
    deadline = time.monotonic() + 60
    while lacking := [name for name in clusters if _lacks_root_certificates(lab, name)]:
        assert time.monotonic() < deadline, lacking
        time.sleep(0.2)


def _lacks_root_certificates(lab: Lab, cluster: str) -> bool:
    core: Any = client.CoreV1Api(kubernetes_client(lab, cluster))
    namespaces = {each.metadata.name for each in core.list_namespace().items}
    maps = core.list_config_map_for_all_namespaces(field_selector=f"metadata.name={ROOT_MAP}").items
    return namespaces != {each.metadata.namespace for each in maps}


def take_inventory(lab: Lab, clusters: Sequence[str] = CLUSTERS) -> Inventory:
    """The inventory of Vault and of `clusters`."""
    found: dict[str, str] = {}
    for cluster in clusters:
        found.update(_objects(lab, cluster))
    return Inventory(dict(vault_contents(vault_client(lab))), found)


def vault_contents(vault: Any) -> Iterator[tuple[str, Any]]:
    """Names of all there is in a Vault, each with what it is and says."""
    for path, mount in vault.sys.list_mounted_secrets_engines()["data"].items():
        yield f"mount {path}", _mount(mount)
        if mount["type"] == "pki":
            issuers = vault.list(f"{path}issuers")
            yield f"issuers of {path}", sorted(issuers["data"]["keys"]) if issuers else []
            yield f"default issuer of {path}", vault.read(f"{path}config/issuers")["data"]
    for path, mount in vault.sys.list_auth_methods()["data"].items():
        yield f"auth {path}", _mount(mount)
        if mount["type"] in ("kubernetes", "jwt"):
            config = vault.read(f"auth/{path}config")
            yield f"config of {path}", config and config["data"]
            roles = vault.list(f"auth/{path}role")
            for role in roles["data"]["keys"] if roles else []:
                yield f"role {path}{role}", vault.read(f"auth/{path}role/{role}")["data"]
        if mount["type"] == "userpass":
            users = vault.list(f"auth/{path}users")
            for user in users["data"]["keys"] if users else []:
                yield f"user {path}{user}", vault.read(f"auth/{path}users/{user}")["data"]
    for name in vault.sys.list_policies()["data"]["policies"]:
        yield f"policy {name}", vault.sys.read_policy(name)["data"]["rules"]


def _mount(mount: Any) -> tuple[str, str, Any]:
    return mount["uuid"], mount["description"], mount["config"]


def _objects(lab: Lab, cluster: str) -> Iterator[tuple[str, str]]:
    api = kubernetes_client(lab, cluster)
    for group_version in _group_versions(api):
        prefix = "/api/v1" if group_version == "v1" else f"/apis/{group_version}"
        for resource in _get(api, prefix)["resources"]:
            name, kind = resource["name"], resource["kind"]
            if "/" in name or "list" not in resource["verbs"] or kind in _RESTLESS_KINDS:
                continue
            for item in _get(api, f"{prefix}/{name}").get("items", []):
                metadata = item["metadata"]
                path = f"{metadata.get('namespace', '-')}/{metadata['name']}"
                yield f"{cluster} {group_version} {kind} {path}", _mark(item)


def _group_versions(api: Any) -> list[str]:
    groups = _get(api, "/apis")["groups"]
    return ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]


def _get(api: Any, path: str) -> Any:
    response: Any = api.call_api("GET", f"{api.configuration.host}{path}")
    response.read()
    assert response.status == 200, f"{path} answers {response.status}"
    return json.loads(response.data)


def _mark(item: dict[str, Any]) -> str:
    """What an object is and says, without what servers count and report."""
    metadata = dict(item["metadata"])
    for field in ("resourceVersion", "managedFields", "generation"):
        metadata.pop(field, None)
    # Counts how often a Deployment's pods became others.
    metadata.get("annotations", {}).pop("deployment.kubernetes.io/revision", None)
    metadata["annotations"] = metadata.get("annotations", {})
    # The day on which a token Secret was last used.
    metadata.get("labels", {}).pop("kubernetes.io/legacy-token-last-used", None)
    metadata["labels"] = metadata.get("labels", {})
    said = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    text = json.dumps([metadata, said], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
