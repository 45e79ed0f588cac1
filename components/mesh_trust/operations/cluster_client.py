"""The official Kubernetes client, which gives up in time and says in one line why."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulumi
from kubernetes import client

from mesh_trust.client_configuration import client_configuration
from mesh_trust.cluster_errors import ClusterSilentError, UnusableAccessError, explained
from mesh_trust.settings import Connection

from .unreachable import UnreachableError

REQUEST_SECONDS = 10
"""How long an API server may take for one answer."""

_PAGE = 500


class ClusterClient:
    """Clients of one cluster."""

    def __init__(self, connection: Connection) -> None:
        """Asks nothing yet.

        Raises:
            UnreachableError: the kubeconfig leads nowhere.
        """
        try:
            configuration = client_configuration(connection.kubeconfig, connection.context)
        except UnusableAccessError as error:
            raise UnreachableError(str(error), "mend the kubeconfig") from None
        self._answers: dict[object, Any] = {}
        self.context = connection.context
        self.configuration = configuration
        self.host = str(configuration.host)
        """Address of the API server."""
        self.api = _PatientApiClient(configuration)
        # The stubs make every field of an answer optional.
        self.core: Any = client.CoreV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.policy: Any = client.PolicyV1Api(self.api)
        self.custom: Any = client.CustomObjectsApi(self.api)
        self.definitions: Any = client.ApiextensionsV1Api(self.api)
        self.authorization: Any = client.AuthorizationV1Api(self.api)
        self.version: Any = client.VersionApi(self.api)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Reads `what`, as a sentence names it.

        Raises:
            UnreachableError: the API server does not answer, or the user may not read it. What is
                not there is kubernetes.client.ApiException with status 404, as the client raises
                it.
        """
        try:
            with explained(what):
                try:
                    yield
                except client.ApiException as error:
                    if error.status == 404:
                        raise _AbsentError(error) from None
                    raise
        except _AbsentError as absent:
            raise absent.error from None
        except ClusterSilentError as error:
            fix = f"see that it runs: `kubectl --context {self.context} get --raw /readyz`"
            raise UnreachableError(str(error), fix) from None
        except pulumi.RunError as error:
            seen, _, fix = str(error).partition("; ")
            raise UnreachableError(seen, fix) from None

    def found(self, what: str, read: Any, *arguments: Any, **options: Any) -> Any | None:
        """What `read` gives for the arguments, where it is there; else, and for a kind that the
        cluster does not know, None.

        Raises:
            UnreachableError: the API server does not answer, or the user may not read `what`.
        """
        try:
            with self.reading(what):
                return read(*arguments, **options)
        except client.ApiException:
            return None

    def found_once(self, what: str, read: Any, *arguments: Any) -> Any | None:
        """As `found`, and the same again for the same question, for who looks at one moment.

        Raises:
            UnreachableError: the API server does not answer, or the user may not read `what`.
        """
        question = (read.__name__, arguments)
        if question not in self._answers:
            self._answers[question] = self.found(what, read, *arguments)
        return self._answers[question]


def each_of(ask: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
    """All that a list has, page by page."""
    token: str | None = None
    while True:
        page = ask(*arguments, limit=_PAGE, _continue=token, **options)
        yield from page.items
        # The stubs' name for `continue`.
        token = page.metadata._continue
        if not token:
            return


class _AbsentError(Exception):
    def __init__(self, error: client.ApiException) -> None:
        super().__init__()
        self.error = error


class _PatientApiClient(client.ApiClient):
    """One that waits for no answer longer than REQUEST_SECONDS, unless it is told to."""

    def call_api(self, *args: Any, **options: Any) -> Any:
        """Sends one request."""
        if options.get("_request_timeout") is None:
            options["_request_timeout"] = REQUEST_SECONDS
        # The stubs do not know it.
        return super().call_api(*args, **options)  # type: ignore[misc]
