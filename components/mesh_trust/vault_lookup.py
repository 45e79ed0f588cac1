"""What Vault has already of that which a stack is about to make."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import pulumi

GET_SECRET = "vault:generic/getSecret:getSecret"  # noqa: S105 - no secret
"""The provider's function that reads any path."""
_GET_ROLE = "vault:kubernetes/getAuthBackendRole:getAuthBackendRole"

# What the provider says of a path at which nothing is, or nothing that the token may read.
_NOTHING = "no secret found at"

Inputs = Mapping[str, Any]
"""Inputs of a resource by the names that its provider gives them; what a preview does not know yet
is `pulumi.output.UNKNOWN`."""

Find = Callable[[Inputs, pulumi.InvokeOptions], Awaitable[str | None]]
"""Gives the id with which to import what the resource would overwrite, or None where that is
nothing, or cannot be known yet."""


@dataclass(frozen=True)
class Kind:
    """A kind of thing that is looked for before it is made."""

    label: str
    """What a message calls it, before its id."""
    find: Find
    seen: bool = True
    """Whether finding it is a reason to stop; it is none where `find` cannot look, but only tells
    what the id would be, or where `of_mount`."""
    of_mount: bool = False
    """Whether every mount has it anyhow, so that it is foreign only where its mount is."""
    where: str = "Vault"
    """Where it is looked for, as a message says it."""
    makes: "MountOf | None" = None
    """The mount that it is, where it is one."""
    within: "MountOf | None" = None
    """The mount that it is in, where it is in one: it is not there before that is."""


MountOf = Callable[[Inputs], str]
"""Gives the API path of a mount, without `/v1`."""


async def _mount(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    path = _text(inputs, "path")
    return path if path and await _is_mounted("sys/mounts", path, inputs, opts) else None


async def _auth_mount(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    path = _text(inputs, "path") or _text(inputs, "type")
    return path if path and await _is_mounted("sys/auth", path, inputs, opts) else None


def _mount_path(inputs: Inputs) -> str:
    return str(inputs.get("path"))


def _auth_mount_path(inputs: Inputs) -> str:
    return f"auth/{inputs.get('path') or inputs.get('type')}"


def _mount_around(inputs: Inputs) -> str:
    return str(inputs.get("backend"))


def _auth_mount_around(inputs: Inputs) -> str:
    return f"auth/{inputs.get('backend')}"


async def _policy(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    name = _text(inputs, "name")
    # The provider itself reads a policy before it writes one, and so refuses what is forbidden.
    return name if name and await _read(f"sys/policies/acl/{name}", inputs, opts) else None


async def _role(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    backend, name = _text(inputs, "backend"), _text(inputs, "roleName")
    if not backend or not name:
        return None
    found = await _invoke(_GET_ROLE, {"backend": backend, "roleName": name}, inputs, opts)
    # A role that is missing is an answer without values.
    return f"auth/{backend}/role/{name}" if found.get("boundServiceAccountNames") else None


async def _jwt_role(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    backend, name = _text(inputs, "backend"), _text(inputs, "roleName")
    # The provider has no function that would tell a role that is missing from a forbidden one.
    path = f"auth/{backend}/role/{name}"
    return path if backend and name and await _read(path, inputs, opts) else None


async def _endpoint(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    path = _text(inputs, "path")
    return path if path and await _read(path, inputs, opts) else None


async def _auth_config(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    backend = _text(inputs, "backend")
    path = f"auth/{backend}/config"
    return path if backend and await _read(path, inputs, opts) else None


async def _default_issuer(inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
    backend = _text(inputs, "backend")
    path = f"{backend}/config/issuers"
    chosen = await _read(path, inputs, opts) if backend else {}
    return path if chosen.get("default") else None


async def _root_trust_policy(inputs: Inputs, _: pulumi.InvokeOptions) -> str | None:
    metadata = inputs.get("metadata")
    if not isinstance(metadata, Mapping):
        return None
    namespace, name = _text(metadata, "namespace"), _text(metadata, "name")
    return f"{namespace}/{name}" if namespace and name else None


KINDS: Mapping[str, Kind] = {
    "vault:index/mount:Mount": Kind("mount", _mount, makes=_mount_path),
    "vault:index/authBackend:AuthBackend": Kind("auth mount", _auth_mount, makes=_auth_mount_path),
    "vault:index/policy:Policy": Kind("policy", _policy),
    "vault:kubernetes/authBackendRole:AuthBackendRole": Kind(
        "role", _role, within=_auth_mount_around
    ),
    "vault:jwt/authBackend:AuthBackend": Kind("auth mount", _auth_mount, makes=_auth_mount_path),
    "vault:jwt/authBackendRole:AuthBackendRole": Kind("role", _jwt_role, within=_auth_mount_around),
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": Kind(
        "configuration", _auth_config, within=_auth_mount_around
    ),
    "vault:generic/endpoint:Endpoint": Kind("data at", _endpoint),
    "vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers": Kind(
        "default issuer", _default_issuer, seen=False, of_mount=True, within=_mount_around
    ),
    "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy": Kind(
        "RootTrustPolicy", _root_trust_policy, seen=False
    ),
}
"""What is looked for, by type token."""


_Tables = dict[tuple[str, str | None], asyncio.Task[Mapping[str, Any]]]

_TABLES: WeakKeyDictionary[pulumi.Resource, _Tables] = WeakKeyDictionary()
"""What was mounted when a program asked first, by its provider, and by table and namespace."""


async def _is_mounted(table: str, path: str, inputs: Inputs, opts: pulumi.InvokeOptions) -> bool:
    """Whether something is mounted at `path`; no where the provider is not configured yet.

    All mounts of a program are looked for in one answer: Vault itself refuses to mount where
    something is. What was there then is looked for again, as it may have gone or moved since.

    Raises:
        pulumi.RunError: the token may not read it.
    """
    if f"{path}/" not in await _mounted_at_first(table, inputs, opts):
        return False
    return f"{path}/" in await _mounted(table, inputs, opts)


async def _mounted_at_first(
    table: str, inputs: Inputs, opts: pulumi.InvokeOptions
) -> Mapping[str, Any]:
    provider = opts.provider
    if provider is None:
        return await _mounted(table, inputs, opts)
    tables = _TABLES.setdefault(provider, {})
    key = (table, _text(inputs, "namespace"))
    if key not in tables:
        tables[key] = asyncio.ensure_future(_mounted(table, inputs, opts))
    asked, found = tables[key], None
    try:
        found = await asked
    finally:
        # Vault has mounts of its own always: what did not tell them is asked again.
        if not found and tables.get(key) is asked:
            del tables[key]
    return found


async def _mounted(table: str, inputs: Inputs, opts: pulumi.InvokeOptions) -> Mapping[str, Any]:
    """What is mounted; nothing where the provider is not configured yet.

    Raises:
        pulumi.RunError: the token may not read it.
    """
    try:
        return await _data(table, inputs, opts)
    except Exception as error:
        if _NOTHING in str(error):
            raise pulumi.RunError(
                f"the token for Vault may not read {table}; without that, it cannot be told what "
                "is there already"
            ) from None
        raise


async def _read(path: str, inputs: Inputs, opts: pulumi.InvokeOptions) -> Mapping[str, Any]:
    """The data at `path`, empty where there is none or the provider is not configured yet."""
    try:
        return await _data(path, inputs, opts)
    except Exception as error:
        # A look-up that fails raises no type of its own.
        if _NOTHING in str(error):
            return {}
        raise


async def _data(path: str, inputs: Inputs, opts: pulumi.InvokeOptions) -> Mapping[str, Any]:
    found = await _invoke(GET_SECRET, {"path": path}, inputs, opts)
    data = json.loads(found.get("dataJson") or "null")
    return data if isinstance(data, Mapping) else {}


async def _invoke(
    function: str, arguments: dict[str, str], inputs: Inputs, opts: pulumi.InvokeOptions
) -> Mapping[str, Any]:
    """The function's result, without values where the provider is not configured yet.

    A failure of a typed look-up would end the whole program, caught or not.
    """
    namespace = _text(inputs, "namespace")
    if namespace:
        arguments = {**arguments, "namespace": namespace}
    found = await pulumi.runtime.invoke_async(function, arguments, opts)
    return found or {}


def _text(inputs: Inputs, name: str) -> str | None:
    value = inputs.get(name)
    return value if isinstance(value, str) else None
