"""One cluster's API server: requests, discovery and the schemas it serves."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException

from lab.plugins.kubernetes.objects import items, lookup, mapping, text
from lab.plugins.kubernetes.schema import Schema, Schemas
from lab.plugins.provider.values import Properties, Value

_APPLY_CONTENT_TYPE = "application/apply-patch+yaml"
_JSON_PATCH_CONTENT_TYPE = "application/json-patch+json"
_REQUIRED = "FieldValueRequired"
_CONNECT_SECONDS = 10.0
_ANSWER_SECONDS = 60.0  # the server's own limit; nothing here holds a request open to watch

# The server would otherwise drop fields it does not know, with a mere warning.
_STRICT = {"fieldValidation": "Strict"}


class ApiError(Exception):
    """An answer of the API server that is no success; `str()` is the server's own sentence."""

    def __init__(self, code: int, reason: str, message: str, details: Properties) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self._details = details

    @property
    def is_not_found(self) -> bool:
        """Whether the object, or something it needs, does not exist."""
        return self.code == 404

    @property
    def is_namespace_not_found(self) -> bool:
        """Whether it is the namespace that does not exist."""
        return self.is_not_found and text(self._details, "kind") == "namespaces"

    @property
    def is_forbidden(self) -> bool:
        """Whether the caller lacks the right."""
        return self.code == 403

    @property
    def is_already_existing(self) -> bool:
        """Whether an object of this name is there already."""
        return self.reason == "AlreadyExists"

    @property
    def is_conflict(self) -> bool:
        """Whether the request collides with another writer's."""
        return self.reason == "Conflict"

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return self.code == 429 or self.code >= 500

    @property
    def required_field(self) -> str | None:
        """The first field that an object cannot be without and was to be; None if there is none."""
        causes = items(self._details, "causes") if self.reason == "Invalid" else []
        return next(
            (text(each, "field") for each in causes if text(each, "reason") == _REQUIRED), None
        )

    @property
    def is_immutable_field(self) -> bool:
        """Whether a field was to change that cannot."""
        return self.reason == "Invalid" and "field is immutable" in str(self)


class Unreachable(Exception):  # noqa: N818 - named for what it is
    """The API server gave no answer."""


class NoSuchKind(Exception):  # noqa: N818 - named for what it is
    """The API server does not have the kind."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')


@dataclass(frozen=True)
class Endpoint:
    """Where the objects of one kind are served."""

    root: str
    plural: str
    namespaced: bool

    def path(self, namespace: str, name: str = "") -> str:
        """Return the URL path of one object, or of all where no name is given."""
        scope = f"/namespaces/{namespace or 'default'}" if self.namespaced else ""
        return f"{self.root}{scope}/{self.plural}{f'/{name}' if name else ''}"


def _group_version_path(api_version: str) -> str:
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


class Cluster:
    """A connection to one API server; safe to use from many threads.

    A request is given up after `request_seconds` without an answer, by default a minute.
    """

    def __init__(self, client: ApiClient, request_seconds: float | None) -> None:
        # The published types of the client leave out its plain requests.
        self._client: Any = client
        self._timeout = (_CONNECT_SECONDS, request_seconds or _ANSWER_SECONDS)
        self._lock = threading.Lock()
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._schemas: dict[str, Schemas] = {}

    def version(self) -> str:
        """Return the server's version, for example `v1.34.4`."""
        return text(self._request("GET", "/version"), "gitVersion")

    def endpoint(self, api_version: str, kind: str) -> Endpoint:
        """Return where objects of the kind are served; raises `NoSuchKind`."""
        with self._lock:
            known = self._endpoints.get((api_version, kind))
        if known is not None:
            return known
        root = f"/{_group_version_path(api_version)}"
        try:
            served = self._request("GET", root)
        except ApiError as error:
            if error.is_not_found:
                raise NoSuchKind(api_version, kind) from error
            raise
        for resource in items(served, "resources"):
            plural = text(resource, "name")
            if text(resource, "kind") == kind and "/" not in plural:
                found = Endpoint(root, plural, resource.get("namespaced") is True)
                with self._lock:
                    self._endpoints[api_version, kind] = found
                return found
        raise NoSuchKind(api_version, kind)

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """Return the schema of a kind's objects, or None where the server publishes none."""
        with self._lock:
            known = self._schemas.get(api_version)
        found = known.of_kind(api_version, kind) if known is not None else None
        if found is not None:
            return found
        try:
            document = self._request("GET", f"/openapi/v3/{_group_version_path(api_version)}")
        except ApiError as error:
            if error.is_not_found:
                return None
            raise
        schemas = Schemas(document)
        with self._lock:
            self._schemas[api_version] = schemas
        return schemas.of_kind(api_version, kind)

    def get(self, api_version: str, kind: str, namespace: str, name: str) -> Properties:
        """Return an object."""
        endpoint = self.endpoint(api_version, kind)
        return self._request("GET", endpoint.path(namespace, name))

    def objects(self, api_version: str, kind: str, namespace: str) -> list[Properties]:
        """Return all objects of a kind in a namespace."""
        endpoint = self.endpoint(api_version, kind)
        return items(self._request("GET", endpoint.path(namespace)), "items")

    def create(self, resource: Properties, field_manager: str, *, dry_run: bool) -> Properties:
        """Create an object, which must not exist yet."""
        return self._request(
            "POST",
            self._endpoint_of(resource).path(text(resource, "metadata", "namespace")),
            query={"fieldManager": field_manager, **_STRICT, **_dry_run(dry_run)},
            body=resource,
        )

    def apply(
        self, resource: Properties, field_manager: str, *, force: bool, dry_run: bool
    ) -> Properties:
        """Apply an object on the server, whether it exists or not.

        `force` takes over fields that other managers own; without it they are a conflict.
        """
        return self._request(
            "PATCH",
            self._path_of(resource),
            query={
                "fieldManager": field_manager,
                "force": "true" if force else "false",
                **_STRICT,
                **_dry_run(dry_run),
            },
            body=resource,
            content_type=_APPLY_CONTENT_TYPE,
        )

    def patch(self, resource: Properties, operations: list[Value]) -> Properties:
        """Change an object by JSON patch operations."""
        return self._request(
            "PATCH",
            self._path_of(resource),
            body=operations,
            content_type=_JSON_PATCH_CONTENT_TYPE,
        )

    def delete(
        self, api_version: str, kind: str, namespace: str, name: str, propagation: str
    ) -> Properties:
        """Ask for an object's deletion and return the server's answer."""
        endpoint = self.endpoint(api_version, kind)
        return self._request(
            "DELETE", endpoint.path(namespace, name), body={"propagationPolicy": propagation}
        )

    def _endpoint_of(self, resource: Properties) -> Endpoint:
        return self.endpoint(text(resource, "apiVersion"), text(resource, "kind"))

    def _path_of(self, resource: Properties) -> str:
        return self._endpoint_of(resource).path(
            text(resource, "metadata", "namespace"), text(resource, "metadata", "name")
        )

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Value = None,
        content_type: str = "application/json",
    ) -> Properties:
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=self._timeout)
            answer = response.read()
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(str(error)) from error
        except ApiException as error:
            raise Unreachable(f"{error.status} {error.reason}") from error
        if not 200 <= response.status <= 299:
            raise _error(response.status, answer)
        decoded: Properties = json.loads(answer)
        return decoded


def _dry_run(wanted: bool) -> dict[str, str]:
    return {"dryRun": "All"} if wanted else {}


def _error(code: int, answer: bytes) -> ApiError:
    try:
        status = json.loads(answer)
    except ValueError:
        status = None
    message = text(status, "message") or f"the server answered with HTTP status {code}"
    return ApiError(code, text(status, "reason"), message, mapping(lookup(status, "details")))
