"""Reads what an API server has in its JSON form, with the official client's connections alone.

Its classes of objects take more than a second of a processor to load, which every update and
every preview would pay.
"""

from collections.abc import Mapping
from typing import Any


class ClusterJson:
    """What the API server of an `kubernetes.client.ApiClient` has; only reads."""

    def __init__(self, api_client: Any) -> None:
        self._client = api_client

    def get(
        self, path: str, names: Mapping[str, str], query: Mapping[str, Any], seconds: float
    ) -> dict[str, Any]:
        """What is at `path`, in which each `{key}` stands for the name of this key in `names`.

        The server may take `seconds` for its answer.

        Raises:
            kubernetes.client.ApiException: it answers with anything but success and an object.
            urllib3.exceptions.HTTPError: it does not answer.
        """
        from kubernetes.client import ApiException

        request = self._client.param_serialize(
            "GET",
            path,
            path_params=dict(names),
            query_params=list(query.items()),
            header_params={"Accept": "application/json"},
            auth_settings=["BearerToken"],
        )
        answer = self._client.call_api(*request, _request_timeout=seconds)
        answer.read()
        try:
            found = self._client.response_deserialize(answer, {"2XX": "object"}).data
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ApiException(status=answer.status, reason="that is no JSON object")
        return found
