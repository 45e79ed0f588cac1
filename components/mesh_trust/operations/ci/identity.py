"""The identity of a pipeline's job: a JSON Web Token that the forge has signed."""

from collections.abc import Mapping

import requests

from mesh_trust.readiness import on_one_line

from ..errors import OperationError

_URL, _TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_TIMEOUT_SECONDS = 30


def token_of_github(environment: Mapping[str, str], audience: str) -> str:
    """One that GitHub Actions makes for the job, for `audience`.

    Raises:
        OperationError: the job may have none, or GitHub does not answer as it should.
    """
    url, token = environment.get(_URL), environment.get(_TOKEN)
    if not url or not token:
        raise OperationError(
            f"{_URL} is not set: give the job `permissions: id-token: write`, on GitHub Actions"
        )
    try:
        answer = requests.get(
            url,
            params={"audience": audience},
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        return str(answer.json()["value"])
    except requests.RequestException as error:
        raise OperationError(
            f"GitHub gives the job no token ({on_one_line(str(error), 200)}): run it again"
        ) from None
    except (KeyError, TypeError):
        raise OperationError("GitHub's answer has no token in it: run the job again") from None
