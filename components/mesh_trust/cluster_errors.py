"""How it fails to read a cluster, each in a single line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulumi

from .readiness import on_one_line

_FORBIDDEN = (401, 403)


class UnusableAccessError(pulumi.RunError):
    """A kubeconfig leads nowhere or astray; the message is a single line.

    It is found out while values resolve, where the SDK would wrap an InvalidInputError, which is a
    ValueError, into lines of its own.
    """

    def __init__(self, field: str, value: object, fix: str) -> None:
        super().__init__(f"{field}: {value!r} is not valid; {fix}")


class ClusterSilentError(Exception):
    """The API server does not answer, or not with sense; the message is a single line."""


class ClusterRefusedError(pulumi.RunError):
    """The user of a kubeconfig may not read what has to be read; the message is a single line."""

    def __init__(self, said: str, reads: str) -> None:
        self.reason = f"the cluster of the kubeconfig refuses to be read: {said}"
        """What the API server says, part of a sentence."""
        self.advice = f"give the user of the kubeconfig the right to read {reads}"
        """What to do, likewise."""
        super().__init__(f"{self.reason}; {self.advice}")


@contextmanager
def explained(reads: str) -> Iterator[None]:
    """Has what the official client raises said in one line; `reads` is what is read.

    Raises:
        ClusterRefusedError: the user of the kubeconfig may not read that.
        ClusterSilentError: the API server does not answer, or not with sense.
    """
    from kubernetes.client import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        said = on_one_line(_message(error))
        if error.status in _FORBIDDEN:
            raise ClusterRefusedError(said, reads) from None
        raise ClusterSilentError(f"its API server answers {error.status}: {said}") from None
    except (HTTPError, OSError) as error:
        raise ClusterSilentError(
            f"its API server does not answer ({on_one_line(str(error), 200)})"
        ) from None


def _message(error: Any) -> str:
    try:
        status = json.loads(error.body or "null")
    except ValueError:
        # What stands between may answer in words of its own.
        status = None
    said = status.get("message") if isinstance(status, dict) else None
    return str(said or error.reason)
