"""Secret values: kept secret in the state, kept out of errors; and tokens that are waited for."""

import base64
from typing import Any

import pytest

from lab.plugins.provider.values import Properties, Secret, as_secret, reveal
from tests.conformance.harness import PartialError, Plugin, RefusedError
from tests.conformance.kubernetes.conftest import ConfiguredPlugin
from tests.conformance.kubernetes.server import Server

SECRET = "kubernetes:core/v1:Secret"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SERVICE_ACCOUNT = "kubernetes:core/v1:ServiceAccount"
TOKEN_TYPE = "kubernetes.io/service-account-token"
PASSWORD = "a-password-that-must-not-show"


def _secret(namespace: str, **fields: Any) -> Properties:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "example", "namespace": namespace},
        **fields,
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_content_is_secret_even_if_the_program_does_not_say_so(
    plugin: Plugin, namespace: str, field: str
) -> None:
    value = PASSWORD if field == "stringData" else _encoded(PASSWORD)
    created = plugin.create(SECRET, _secret(namespace, **{field: {"password": value}}))
    reading = plugin.read(created)

    expected = as_secret({"password": _encoded(PASSWORD)})
    assert created.inputs["data"] == expected
    assert "stringData" not in created.inputs
    assert created.state["data"] == expected
    inner: Any = created.state["__inputs"]
    assert inner["data"] == expected
    assert reading is not None
    assert reading.inputs["data"] == expected
    imported = plugin.import_(SECRET, created.id)
    assert imported is not None
    assert imported.inputs["data"] == imported.state["data"] == expected


def test_plain_content_overrides_encoded_content(
    plugin: Plugin, server: Server, namespace: str
) -> None:
    inputs = _secret(
        namespace,
        stringData={"both": "plain"},
        data={"both": _encoded("encoded"), "other": _encoded("other") + "\r\n"},
    )

    created = plugin.create(SECRET, inputs)

    live = server.find("v1", "Secret", namespace, "example")
    assert live["data"] == {"both": _encoded("plain"), "other": _encoded("other")}
    assert not plugin.diff(created, inputs).changes


def test_content_given_as_secret(plugin: Plugin, namespace: str) -> None:
    inputs = _secret(namespace, stringData=Secret({"password": PASSWORD}))

    created = plugin.create(SECRET, inputs)

    assert created.state["data"] == as_secret({"password": _encoded(PASSWORD)})
    assert not plugin.diff(created, inputs).changes


def test_secret_among_plain_values_stays_the_only_secret(plugin: Plugin, namespace: str) -> None:
    inputs: Properties = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "example", "namespace": namespace},
        "data": {"hidden": Secret(PASSWORD), "shown": "shown"},
    }

    created = plugin.create(CONFIG_MAP, inputs)
    reading = plugin.read(created)

    expected = {"hidden": Secret(PASSWORD), "shown": "shown"}
    assert created.inputs["data"] == expected
    assert created.state["data"] == expected
    assert reading is not None
    assert reading.state["data"] == expected
    assert reading.inputs["data"] == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"password": PASSWORD}},  # is not base64
        {"data": {"password": Secret(PASSWORD)}},
        {"stringData": {PASSWORD: PASSWORD, "not/a/key": PASSWORD}},
    ],
)
def test_errors_do_not_show_secrets(plugin: Plugin, namespace: str, fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        plugin.create(SECRET, _secret(namespace, **fields))

    message = str(refused.value)
    assert "was not successfully created" in message
    assert PASSWORD not in message
    assert PASSWORD[:10] not in message.replace("a-password-that-must-not-show", "")
    assert _encoded(PASSWORD) not in message


@pytest.mark.parametrize("broken", ["not base64", "YQ", "YQ=== ", "é"])
def test_broken_encoding_is_refused(plugin: Plugin, namespace: str, broken: str) -> None:
    with pytest.raises(RefusedError, match="was not successfully created"):
        plugin.create(SECRET, _secret(namespace, data={"key": broken}))


def test_token_is_waited_for(plugin: Plugin, namespace: str) -> None:
    account: Properties = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "agent", "namespace": namespace},
    }
    plugin.create(SERVICE_ACCOUNT, account)
    inputs = _secret(namespace, type=TOKEN_TYPE)
    metadata: Any = inputs["metadata"]
    metadata["annotations"] = {"kubernetes.io/service-account.name": "agent"}

    created = plugin.create(SECRET, inputs)

    assert isinstance(created.state["data"], Secret)
    content: Any = reveal(created.state["data"])
    assert content.keys() == {"ca.crt", "namespace", "token"}
    # What the controller wrote is no difference to inputs that do not speak of it.
    assert not plugin.diff(created, inputs).changes


def test_token_that_nobody_fills_is_a_partial_failure(plugin: Plugin, namespace: str) -> None:
    inputs = _secret(namespace, type=TOKEN_TYPE)
    metadata: Any = inputs["metadata"]
    metadata["annotations"] = {
        "kubernetes.io/service-account.name": "nobody",
        "pulumi.com/timeoutSeconds": "2",
    }

    with pytest.raises(PartialError) as failed:
        plugin.create(SECRET, inputs)

    assert failed.value.id == f"{namespace}/example"
    assert "was successfully created, but" in failed.value.reasons[0]
    state: Any = failed.value.state
    assert state["metadata"]["uid"]
    assert state["__inputs"]["metadata"]["name"] == "example"


def test_content_may_change_where_configured(
    configured_plugin: ConfiguredPlugin, namespace: str
) -> None:
    with configured_plugin({"enableSecretMutable": "true"}) as plugin:
        created = plugin.create(SECRET, _secret(namespace, stringData={"a": "1"}))
        changed = _secret(namespace, stringData={"a": "2"})
        difference = plugin.diff(created, changed)
        frozen = plugin.diff(created, {**changed, "immutable": True})

        assert difference.detailed == {"data.a": "UPDATE"}
        assert frozen.detailed == {"data.a": "UPDATE_REPLACE", "immutable": "ADD"}
        updated = plugin.update(created, changed)
        assert updated.state["data"] == as_secret({"a": _encoded("2")})
        other_type = plugin.diff(updated, {**changed, "type": "example.com/other"})
        assert other_type.replaces == ["type"]
