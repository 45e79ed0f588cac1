"""The service account and the Secret ask the engine for what the SDK's own classes ask for."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks

from mesh_trust.core_objects import Secret, ServiceAccount

from .conftest import Recorder

_OF_THE_CALLER = {"sourcePosition", "stackTrace", "name"}


@pytest.fixture
def requests(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the engine is asked for, by the resource's name."""
    assert not recorder.registered
    found: dict[str, dict[str, Any]] = {}
    for method in ("RegisterResource", "ReadResource"):
        _note(monkeypatch, method, found)
    return found


def _note(monkeypatch: pytest.MonkeyPatch, method: str, found: dict[str, dict[str, Any]]) -> None:
    answer = getattr(mocks.MockMonitor, method)

    def noted(self: mocks.MockMonitor, request: Any) -> Any:
        asked = MessageToDict(request)
        found[asked["name"]] = {key: it for key, it in asked.items() if key not in _OF_THE_CALLER}
        return answer(self, request)

    monkeypatch.setattr(mocks.MockMonitor, method, noted)


def _metadata() -> kubernetes.meta.v1.ObjectMetaArgs:
    return kubernetes.meta.v1.ObjectMetaArgs(
        name="one", namespace="n", annotations={"a": pulumi.Output.from_input("b")}
    )


def test_they_are_as_those_of_the_sdk(requests: dict[str, dict[str, Any]]) -> None:
    opts = pulumi.ResourceOptions(protect=True)

    def program() -> None:
        ServiceAccount("account", _metadata(), automount_token=False, opts=opts)
        kubernetes.core.v1.ServiceAccount(
            "account of the SDK",
            metadata=_metadata(),
            automount_service_account_token=False,
            opts=opts,
        )
        Secret("secret", _metadata(), "kubernetes.io/service-account-token", opts)
        kubernetes.core.v1.Secret(
            "secret of the SDK",
            metadata=_metadata(),
            type="kubernetes.io/service-account-token",
            opts=opts,
        )
        Secret.read("read", "n/one", pulumi.ResourceOptions())
        kubernetes.core.v1.Secret.get("read of the SDK", "n/one")

    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]

    for name in ("account", "secret", "read"):
        assert requests[name] == requests[f"{name} of the SDK"]
    assert requests["account"]["object"]["automountServiceAccountToken"] is False
    assert sorted(requests["secret"]["additionalSecretOutputs"]) == ["data", "stringData"]
    assert requests["secret"]["version"] == requests["account"]["version"]
