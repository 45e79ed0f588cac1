"""What a way has made, seen with the servers' own clients: all ways have to make the same.

Secrets and what is made anew each time (identifiers, keys, times) are told by what they are alone.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from kubernetes import client

Shape = dict[str, Any]
"""Values that can be compared and written as JSON, by the name of the thing."""

_GLOO = "gloo-mesh"
_ISTIO = "istio-system"
_ADMINISTRATORS_OWN = ("default", "root")
_OF_VAULT_ITSELF = ("cubbyhole/", "identity/", "secret/", "sys/", "token/")
_OF_THE_CLUSTER = "kubernetes.io/bootstrapping"
_BY_A_CLIENT = (
    "creationTimestamp",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
)


class NotTheSameError(Exception):
    """A way has not made what it was to make."""


def shape_of(vault: Any, clusters: Mapping[str, Any]) -> Shape:
    """Return all there is in Vault and in the clusters (API clients by name) of the trust."""
    found = _in_vault(vault)
    with ThreadPoolExecutor(max_workers=4) as pool:
        for name, its in zip(clusters, pool.map(_in_cluster, clusters.values()), strict=True):
            found |= {f"{name} {key}": value for key, value in its.items()}
    return found


def require_same(shape: Shape, reference: Shape, what: str) -> None:
    """Compare two shapes.

    Raises:
        NotTheSameError: they differ; each difference has its line.
    """
    if different := differences(shape, reference):
        raise NotTheSameError(f"{what} has not made the same:\n" + "\n".join(different))


def require_whole(shape: Shape, clusters: Sequence[str], what: str) -> None:
    """See to it that nothing is missing which the guide makes for each cluster.

    Raises:
        NotTheSameError: something is.
    """
    if missing := sorted(set(_whole(clusters)) - set(shape)):
        raise NotTheSameError(f"{what} has not made: {', '.join(missing)}")


def differences(shape: Shape, reference: Shape) -> list[str]:
    """Say how two shapes differ, a line for each thing."""
    return [
        f"{name}: {_told(shape, name)} instead of {_told(reference, name)}"
        for name in sorted(shape.keys() | reference.keys())
        if shape.get(name) != reference.get(name)
    ]


def _told(shape: Shape, name: str) -> str:
    return json.dumps(shape[name]) if name in shape else "nothing"


def _whole(clusters: Sequence[str]) -> list[str]:
    names = ["mount pki/", "issuers of pki/"]
    for each in clusters:
        agent = f"gen-int-ca-istio-{each}-mesh"
        mount = f"kube-{each}-mesh-auth/"
        names += [f"mount pki_int_{each}/", f"auth {mount}", f"config of {mount}"]
        names += [f"role {mount}{agent}", f"policy {agent}", f"{each} RootTrustPolicy {each}"]
        names += [
            f"{each} {kind} {name}"
            for kind, name in (
                ("ServiceAccount", "vault-token-reviewer"),
                ("Secret", "vault-token-reviewer"),
                ("ClusterRoleBinding", "vault-token-reviewer"),
                ("ClusterRole", "gloo-mesh-istiod-agent"),
                ("ClusterRoleBinding", "gloo-mesh-istiod-agent"),
            )
        ]
    return names


def _in_vault(vault: Any) -> Shape:
    found: Shape = {}
    for path, mount in vault.sys.list_mounted_secrets_engines()["data"].items():
        if path in _OF_VAULT_ITSELF:
            continue
        found[f"mount {path}"] = _mount(mount)
        if mount["type"] == "pki":
            found[f"issuers of {path}"] = _issuers(vault, path)
    for path, mount in vault.sys.list_auth_methods()["data"].items():
        if path in _OF_VAULT_ITSELF:
            continue
        found[f"auth {path}"] = _mount(mount)
        configured = vault.read(f"auth/{path}config")
        found[f"config of {path}"] = _configuration(configured["data"] if configured else {})
        roles = vault.list(f"auth/{path}role")
        for role in roles["data"]["keys"] if roles else []:
            found[f"role {path}{role}"] = vault.read(f"auth/{path}role/{role}")["data"]
    for name in vault.sys.list_policies()["data"]["policies"]:
        if name not in _ADMINISTRATORS_OWN:
            text = vault.sys.read_policy(name)["data"]["rules"]
            found[f"policy {name}"] = " ".join(text.split())
    return found


def _mount(mount: Mapping[str, Any]) -> Shape:
    kept = ("default_lease_ttl", "max_lease_ttl", "token_type")
    its = {name: mount["config"][name] for name in kept if name in mount["config"]}
    return {"type": mount["type"], "description": mount["description"], **its}


def _configuration(said: Mapping[str, Any]) -> Shape:
    # A shell's $(…) leaves out the last line's end, and Vault keeps what it is given.
    return {key: each.strip() if isinstance(each, str) else each for key, each in said.items()}


def _issuers(vault: Any, path: str) -> list[Shape]:
    listed = vault.list(f"{path}issuers")
    identifiers = listed["data"]["keys"] if listed else []
    default = vault.read(f"{path}config/issuers")["data"]["default"]
    return [_issuer(vault, path, each, default) for each in identifiers]


def _issuer(vault: Any, path: str, identifier: str, default: str) -> Shape:
    issuer = vault.read(f"{path}issuer/{identifier}")["data"]
    certificate = x509.load_pem_x509_certificate(issuer["certificate"].encode())
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    key = certificate.public_key()
    assert isinstance(key, EllipticCurvePublicKey)
    return {
        "default": identifier == default,
        "signs": bool(issuer["key_id"]),
        "subject": certificate.subject.rfc4514_string(),
        "key": key.curve.name,
        "days": lifetime.days,
        "path length": constraints.value.path_length,
        "usage": [usage.key_cert_sign, usage.crl_sign, usage.digital_signature],
    }


def _in_cluster(api: Any) -> Shape:
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)
    custom: Any = client.CustomObjectsApi(api)
    policies = custom.list_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", _GLOO, "roottrustpolicies"
    )["items"]
    lists = {
        "ServiceAccount": core.list_namespaced_service_account(_ISTIO).items,
        "Secret": core.list_namespaced_secret(_ISTIO).items,
        "ClusterRole": rbac.list_cluster_role().items,
        "ClusterRoleBinding": rbac.list_cluster_role_binding().items,
        "RootTrustPolicy": policies,
    }
    return {
        f"{kind} {each['metadata']['name']}": _said(each)
        for kind, items in lists.items()
        for each in map(api.sanitize_for_serialization, items)
        if not each["metadata"]["name"].startswith("system:")
        # The cluster's own, whose rules its controller may still be putting together.
        and _OF_THE_CLUSTER not in (each["metadata"].get("labels") or {})
    }


def _said(item: dict[str, Any]) -> Shape:
    metadata = {key: value for key, value in item["metadata"].items() if key not in _BY_A_CLIENT}
    # What each client leaves behind of itself, and the server of a token's use.
    metadata["annotations"] = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith(("pulumi.com/", "kubectl.kubernetes.io/"))
        and key != "kubernetes.io/service-account.uid"
    }
    metadata["labels"] = {
        key: value
        for key, value in (metadata.get("labels") or {}).items()
        if key not in ("app.kubernetes.io/managed-by", "kubernetes.io/legacy-token-last-used")
    }
    said = {
        key: value
        for key, value in item.items()
        if key not in ("metadata", "status", "apiVersion", "kind")
    }
    if "data" in said:
        said["data"] = {key: _kind_of(value) for key, value in said["data"].items()}
    return {"metadata": metadata, **said}


def _kind_of(value: str) -> str:
    """Say of a Secret's value that it is there, and not what it is."""
    return "filled" if base64.b64decode(value) else "empty"
