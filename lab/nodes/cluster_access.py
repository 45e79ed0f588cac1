"""Requests to one cluster's API server, and waiting for what changes there."""

from pathlib import Path
from typing import Any

from lab.credentials import IdentityFiles
from lab.sessions import session_with

WATCH_SECONDS = 10.0
"""How long one wait for a change lasts, at most."""

Objects = list[dict[str, Any]]


class ClusterAccess:
    """One API server, asked as an administrator."""

    def __init__(self, url: str, authority: Path, administrator: IdentityFiles) -> None:
        self._url = url
        self._session = session_with(authority, administrator)

    def ask(self, method: str, path: str, content: Any = None, **parameters: Any) -> Any:
        """Send a request, and return the answer's content.

        Raises:
            requests.RequestException: the server does not answer, or refuses.
        """
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self._session.request(
            method,
            f"{self._url}{path}",
            params=parameters,
            json=content,
            headers={"Content-Type": kind},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def await_change(self, path: str, version: str) -> None:
        """Return when an object of the list has changed since `version`, or after a while."""
        parameters = {"watch": "true", "resourceVersion": version}
        parameters["timeoutSeconds"] = f"{WATCH_SECONDS:.0f}"
        with self._session.get(
            f"{self._url}{path}", params=parameters, stream=True, timeout=WATCH_SECONDS + 20
        ) as answer:
            answer.raise_for_status()
            next(answer.iter_lines(), None)
