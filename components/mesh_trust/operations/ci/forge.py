"""How GitHub and GitLab are asked."""

from collections.abc import Mapping
from typing import Any

import requests

from mesh_trust.readiness import on_one_line

from ..errors import OperationError

_TIMEOUT_SECONDS = 30


def needed(environment: Mapping[str, str], name: str) -> str:
    """A variable that the pipeline sets.

    Raises:
        OperationError: it does not.
    """
    value = environment.get(name)
    if not value:
        raise OperationError(f"{name} is not set: the pipeline has to give it to this step")
    return value


def asked(
    method: str, url: str, headers: Mapping[str, str], sent: Mapping[str, str] | None = None
) -> Any:
    """What the server answers, which is JSON.

    Raises:
        OperationError: it refuses, or cannot be reached.
    """
    try:
        answer = requests.request(
            method, url, headers=dict(headers), json=sent, timeout=_TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        raise OperationError(f"{method} {url}: {on_one_line(str(error), 200)}") from None
    if not answer.ok:
        raise OperationError(
            f"{method} {url} is refused with {answer.status_code} "
            f"({on_one_line(answer.text, 200)}); the token has to be allowed to write comments"
        )
    return answer.json()
