"""Connections to a port of a pod through the API server, for whoever cannot get to it otherwise."""

import re
from concurrent.futures import Future
from threading import Thread
from typing import Any

from kubernetes import client as kubernetes
from kubernetes.stream import portforward

from mesh_trust.readiness import on_one_line

from .cluster_client import REQUEST_SECONDS, ClusterClient
from .unreachable import UnreachableError

# What the client of websockets says of an answer that is none to an upgrade.
_REFUSED = re.compile(r"Handshake status (\d{3}) ?([A-Za-z ]*)")


class PodPort:
    """One port of a pod, to be connected to as often as is wanted."""

    def __init__(self, client: ClusterClient, namespace: str, pod: str, port: int) -> None:
        self.namespace = namespace
        self.pod = pod
        self.port = port
        self._client = client
        self._forward: Any = None

    @property
    def kubectl(self) -> str:
        """How a command to the pod's cluster starts."""
        return f"kubectl --context {self._client.context}"

    def logs(self, container: str) -> str:
        """The command that shows what a container of the pod has logged."""
        return f"{self.kubectl} logs -n {self.namespace} {self.pod} -c {container}"

    @property
    def told(self) -> str | None:
        """What the node has told beside the last connection, such as that nobody serves the port:
        then the connection just ends."""
        return None if self._forward is None else self._forward.error(self.port)

    def connect(self) -> Any:
        """Makes a connection, a socket that is not secured yet.

        Raises:
            UnreachableError: the API server does not make one.
        """
        answer: Future[Any] = Future()

        def ask() -> None:
            # Not the client's own: a forward changes how its client asks, for as long as it takes.
            core: Any = kubernetes.CoreV1Api(kubernetes.ApiClient(self._client.configuration))
            asked = core.connect_get_namespaced_pod_portforward
            try:
                answer.set_result(
                    portforward(asked, self.pod, self.namespace, ports=str(self.port))
                )
            except kubernetes.ApiException as error:
                answer.set_exception(error)

        # The client of websockets waits for ever, and takes no limit from Kubernetes'.
        Thread(target=ask, daemon=True).start()
        try:
            self._forward = answer.result(REQUEST_SECONDS)
        except TimeoutError:
            raise self._refused(f"no answer in {REQUEST_SECONDS} s") from None
        except kubernetes.ApiException as error:
            raise self._refused(str(error.reason)) from None
        return self._forward.socket(self.port)

    def _refused(self, reason: str) -> UnreachableError:
        """What the client says of everything, from a refusal to a server that is not there."""
        found = _REFUSED.search(reason)
        said = on_one_line(reason if found is None else f"{found[1]} {found[2]}", 150)
        if found is None:
            fix = f"see that the API server runs: `{self.kubectl} get --raw /readyz`"
        elif found[1] == "403":
            fix = "give the user of the kubeconfig the right to create pods/portforward there"
        elif found[1] == "401":
            fix = "log in anew, or mend the credentials in the kubeconfig"
        else:
            fix = (
                "see that the pod and its node run: "
                f"`{self.kubectl} get pod -n {self.namespace} {self.pod} -o wide`"
            )
        return UnreachableError(
            f"no connection to pod {self.namespace}/{self.pod} is to be had through the API "
            f"server ({said})",
            fix,
        )
