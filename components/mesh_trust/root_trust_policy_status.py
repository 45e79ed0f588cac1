"""What Gloo has said of a RootTrustPolicy, and whether it says so of what the policy now says."""

from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pulumi

from .cluster_access import ClusterAccess
from .cluster_errors import ClusterRefusedError, ClusterSilentError, UnusableAccessError
from .cluster_obstacle import cluster_obstacle
from .readiness import Obstacle, Ready, on_one_line
from .structures import fields_of
from .validation import InvalidInputError, require_whole_number

API_VERSION = "admin.gloo.solo.io/v2"
KIND = "RootTrustPolicy"
PLURAL = "roottrustpolicies"

READS = f"{KIND} objects ({PLURAL}.{API_VERSION.partition('/')[0]})"
"""What is read to see the status."""

AWAIT_SECONDS = 300

_GONE_SECONDS = 15.0
"""Patience with a policy that is not there: a server that has just started may not know it yet."""

_HOPELESS = {
    "INVALID": (
        "it has values or references that Gloo finds wrong, or is in conflict with a policy that "
        "was accepted before",
        "correct what it says, and run `pulumi up` again",
    ),
    "FAILED": (
        "it is correct, but Gloo ran into an error when it put it into effect",
        "look at the log of Gloo's management server",
    ),
    "UNLICENSED": (
        "the licence of Gloo's management server is none for it",
        "give the management server a licence key that is",
    ),
}
"""States that waiting does not mend: what they mean, and what to do."""


class AwaitStatus(TypedDict):
    """How to see what Gloo says of a policy; `{}` has all defaults."""

    kubeconfig: NotRequired[pulumi.Input[str]]
    """Kubeconfig of the kubernetes provider, a path or the content; as kubectl finds it when
    absent."""
    context: NotRequired[str]
    """Context of the kubeconfig; its current one when absent."""
    timeout_seconds: NotRequired[int]
    """How long to wait, in seconds; 300 when absent."""


def check_await_status(value: object) -> None:
    """Makes sure that `value`, an AwaitStatus, can be used.

    Raises:
        InvalidInputError: a field is not usable.
    """
    given = fields_of("await_status", value, AwaitStatus)
    for field in ("kubeconfig", "context"):
        value = given.get(field, "…")
        is_late = field == "kubeconfig" and isinstance(value, pulumi.Output | Awaitable)
        if not is_late and not (isinstance(value, str) and value):
            raise InvalidInputError(f"await_status.{field}", value, "name one, or leave it out")
    require_whole_number(
        "await_status.timeout_seconds",
        given.get("timeout_seconds", AWAIT_SECONDS),
        minimum=1,
        unit="seconds",
    )


@dataclass(frozen=True)
class PolicyInCluster:
    """A RootTrustPolicy in a cluster, as Gloo has judged it."""

    cluster: ClusterAccess
    namespace: str
    name: str
    uid: str
    """What the provider made."""

    def __str__(self) -> str:
        return f"{KIND} {self.namespace}/{self.name}"

    def look(self) -> Ready | Obstacle:
        """Looks once whether Gloo has accepted what the policy now says.

        Raises:
            UnusableAccessError: the cluster has another policy of that name.
        """
        try:
            found = self.cluster.custom_object(API_VERSION, PLURAL, self.namespace, self.name)
        except (ClusterSilentError, ClusterRefusedError) as error:
            return cluster_obstacle(error, self.cluster.kubectl)
        if found is None:
            return Obstacle(
                "gone",
                f"it is not in the cluster at {self.cluster.host}",
                "name the cluster of the kubernetes provider in await_status; or, if it was "
                "deleted, have it made anew: `pulumi refresh` and `pulumi up`",
                _GONE_SECONDS,
            )
        if found["metadata"]["uid"] != self.uid:
            raise UnusableAccessError(
                "await_status.context",
                self.cluster.host,
                f"name the cluster of the kubernetes provider in kubeconfig and context: there is "
                f"another {self} there; or, if somebody made it anew, run `pulumi refresh`",
            )
        return self.judged(found["metadata"], found.get("status") or {})

    def judged(self, metadata: Mapping[str, Any], status: Mapping[str, Any]) -> Ready | Obstacle:
        """Whether Gloo has accepted the policy that has this metadata and status."""
        if "deletionTimestamp" in metadata:
            return Obstacle(
                "deleted",
                "it is being deleted",
                f"see who deletes it, and what keeps it: {self._describe}",
                _GONE_SECONDS,
            )
        state, present = status.get("state"), metadata["generation"]
        observed = status.get("observedGeneration")
        if state is None:
            return self._pending("no status", "Gloo has written no status yet")
        if observed != present:
            return self._pending(
                "status of before",
                f"Gloo has looked at generation {observed} only ({state}), and this is generation "
                f"{present}",
            )
        words = said_in(status)
        said = f": {words}" if words else ""
        if state == "ACCEPTED":
            return Ready(state)
        if state == "WARNING":
            remark = f"{self} is accepted with a WARNING: Gloo has found something amiss{said}; "
            return Ready(state, f"{remark}see {self._describe}")
        if state in _HOPELESS:
            meaning, advice = _HOPELESS[state]
            return Obstacle(
                state, f"it is {state}: {meaning}{said}", f"{advice}; see {self._describe}", 0
            )
        return self._pending(str(state), f"it is {state}{said}")

    def _pending(self, kind: str, reason: str) -> Obstacle:
        return Obstacle(
            kind,
            reason,
            "see that Gloo's management server runs, and looks after this cluster and namespace: "
            f"{self._describe}",
        )

    @property
    def _describe(self) -> str:
        resource = f"{PLURAL}.{API_VERSION.partition('/')[0]}"
        return f"`{self.cluster.kubectl} describe {resource} -n {self.namespace} {self.name}`"


def said_in(status: Mapping[str, Any]) -> str:
    """What a status says in words, its own and of its conditions, on a single line."""
    return on_one_line("; ".join(_words(status)))


def _words(status: Mapping[str, Any]) -> Iterator[str]:
    for holder in (status, *(status.get("conditions") or ())):
        message = holder.get("message")
        if isinstance(message, str) and message.strip():
            yield message
