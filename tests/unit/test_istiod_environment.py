"""Which value a variable of istiod has, as Kubernetes makes it of several sources."""

from typing import Any

import pytest
from kubernetes import client

from mesh_trust.operations.istiod_environment import variable

MAPS = {
    "on": {"ISTIO_MULTIROOT_MESH": "true", "MULTIROOT_MESH": "short"},
    "off": {"ISTIO_MULTIROOT_MESH": "false"},
    "others": {"ANOTHER": "true"},
}
NAME = "ISTIO_MULTIROOT_MESH"


def container(env: list[dict[str, Any]], *sources: dict[str, Any]) -> Any:
    content = {"name": "discovery", "env": env, "envFrom": sources}
    # The stubs do not know it.
    return client.V1Container.from_dict(content)  # type: ignore[attr-defined]


def of_map(name: str, prefix: str | None = None) -> dict[str, Any]:
    return {"configMapRef": {"name": name}, **({} if prefix is None else {"prefix": prefix})}


@pytest.mark.parametrize(
    ("istiod", "value"),
    [
        (container([]), None),
        (container([{"name": NAME, "value": "true"}]), "true"),
        (container([{"name": "OTHER", "value": "true"}]), None),
        # The last counts.
        (container([{"name": NAME, "value": "true"}, {"name": NAME, "value": "false"}]), "false"),
        (container([], of_map("on")), "true"),
        (container([], of_map("on"), of_map("off")), "false"),
        (container([], of_map("off"), of_map("on"), of_map("others")), "true"),
        (container([], of_map("lacking")), None),
        (container([], {"secretRef": {"name": "on"}}), None),
        # A prefix is put before each key.
        (container([], of_map("on", "ISTIO_")), "short"),
        (container([], of_map("on", "OTHER_")), None),
        # Its own counts for more, and may come from where nobody looks.
        (container([{"name": NAME, "value": "false"}], of_map("on")), "false"),
        (
            container(
                [{"name": NAME, "valueFrom": {"secretKeyRef": {"name": "some", "key": "some"}}}],
                of_map("on"),
            ),
            None,
        ),
    ],
)
def test_the_value_that_counts_is_found(istiod: Any, value: str | None) -> None:
    assert variable(istiod, NAME, lambda name: MAPS.get(name, {})) == value
