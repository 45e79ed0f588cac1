import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from lab.plugins.provider.servicer import ProviderServicer
from lab.plugins.provider.values import UNKNOWN, Properties, Secret, from_struct, to_struct
from tests.conformance.harness import PartialError, Plugin, RefusedError, Resource, urn_of
from tests.plugins.provider.tiny import BOX, READ_BOX, TinyProvider

PropertyDiff = provider_pb2.PropertyDiff


@pytest.fixture
def provider() -> TinyProvider:
    return TinyProvider()


@pytest.fixture
def channel(provider: TinyProvider) -> Iterator[grpc.Channel]:
    with ThreadPoolExecutor(4) as executor:
        server = grpc.server(executor)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderServicer(provider), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
        server.stop(None).wait()


@pytest.fixture
def stub(channel: grpc.Channel) -> provider_pb2_grpc.ResourceProviderStub:
    return provider_pb2_grpc.ResourceProviderStub(channel)


@pytest.fixture
def plugin(channel: grpc.Channel) -> Plugin:
    return Plugin(channel)


@pytest.mark.parametrize("accepts", [True, False])
def test_handshake_and_configure_agree_on_secrets(accepts: bool) -> None:
    servicer = ProviderServicer(TinyProvider(accepts_secrets=accepts))
    context: grpc.ServicerContext = None  # type: ignore[assignment]  # neither uses it
    shaken = servicer.Handshake(provider_pb2.ProviderHandshakeRequest(), context)
    configured = servicer.Configure(provider_pb2.ConfigureRequest(), context)
    assert (shaken.accept_secrets, configured.acceptSecrets) == (accepts, accepts)
    assert (shaken.accept_outputs, configured.acceptOutputs) == (True, True)
    assert (shaken.accept_resources, configured.acceptResources) == (False, False)
    assert configured.supportsPreview


def test_what_the_plugin_tells_of_itself(
    plugin: Plugin, stub: provider_pb2_grpc.ResourceProviderStub
) -> None:
    assert plugin.version() == "1.2.3"
    schema = stub.GetSchema(provider_pb2.GetSchemaRequest()).schema
    sdk = "github.com/pulumi/pulumi-tiny/sdk/v1/go/tiny"
    language = {"go": {"importBasePath": sdk}}
    assert json.loads(schema) == {"name": "tiny", "version": "1.2.3", "language": language}
    assert stub.GetMapping(provider_pb2.GetMappingRequest(key="terraform")).data == b""
    assert list(stub.GetMappings(provider_pb2.GetMappingsRequest()).providers) == []
    assert stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:1")) == Empty()


def test_configuration_arrives_with_its_secrets(plugin: Plugin, provider: TinyProvider) -> None:
    plugin.configure({"token": Secret("hidden"), "later": UNKNOWN})
    assert provider.configuration == {"token": Secret("hidden"), "later": UNKNOWN}


def test_configuration_is_compared(plugin: Plugin) -> None:
    assert plugin.diff_config("pulumi:providers:tiny", {"a": "1"}, {"a": "2"}).changes
    assert not plugin.diff_config("pulumi:providers:tiny", {"a": "1"}, {"a": "1"}).changes


def test_check_fills_in_and_refuses(plugin: Plugin, provider: TinyProvider) -> None:
    assert plugin.check(BOX, {"size": 2}).inputs == {"size": 2, "label": "none"}
    refused = plugin.check(BOX, {}, olds={"size": 1})
    assert refused.failures == [("size", "a box has a size")]
    assert provider.box.calls[-1] == ("check", urn_of(BOX, "example"), {"size": 1}, {})


def test_an_update_that_changes_nothing(plugin: Plugin) -> None:
    box = plugin.create(BOX, {"size": 1})
    difference = plugin.diff(box, {"size": 1})
    assert not difference.changes
    assert difference.detailed == {}
    assert difference.stables == ["size"]


def test_changes_are_told_in_detail(
    stub: provider_pb2_grpc.ResourceProviderStub, provider: TinyProvider
) -> None:
    response = stub.Diff(
        provider_pb2.DiffRequest(
            id="box-1",
            urn=urn_of(BOX, "example"),
            old_inputs=to_struct({"size": 1}),
            olds=to_struct({"size": 1, "serial": 1}),
            news=to_struct({"size": 2}),
            ignoreChanges=["label"],
        )
    )
    assert response.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert response.hasDetailedDiff
    assert response.deleteBeforeReplace
    assert list(response.replaces) == ["size"]
    assert list(response.diffs) == ["labels", "size"]
    assert dict(response.detailedDiff) == {
        "size": PropertyDiff(kind=PropertyDiff.UPDATE_REPLACE),
        "labels[0].text": PropertyDiff(kind=PropertyDiff.ADD, inputDiff=True),
    }
    assert provider.box.calls[-1] == (
        "diff",
        "box-1",
        {"size": 1},
        {"size": 1, "serial": 1},
        ("label",),
    )


def test_a_resource_from_creation_to_deletion(plugin: Plugin, provider: TinyProvider) -> None:
    box = plugin.create(BOX, {"size": 1})
    assert box.id == "box-1"
    assert box.state["code"] == Secret("hidden")
    read = plugin.read(box)
    assert read is not None
    assert (read.id, read.inputs, read.state) == ("box-1", {"size": 1}, box.state)
    updated = plugin.update(box, {"size": 1, "label": "new"})
    assert updated.state["label"] == "new"
    plugin.delete(updated)
    assert provider.box.calls[-1] == ("delete", "box-1", updated.inputs, updated.state)
    assert plugin.read(box) is None


def test_a_preview_says_what_it_cannot_know(plugin: Plugin, provider: TinyProvider) -> None:
    box = plugin.create(BOX, {"size": UNKNOWN}, preview=True)
    assert (box.id, box.state["size"], box.state["serial"]) == ("", UNKNOWN, UNKNOWN)
    assert provider.box.stored == {}
    plugin.update(Resource(BOX, "example", "box-1", {}, {}), {"size": 1}, preview=True)
    assert provider.box.calls[-1] == ("update", "box-1", {}, {}, True)


def test_a_function_is_called(plugin: Plugin) -> None:
    assert plugin.invoke(READ_BOX, {"id": "box-1"}) == {"found": "box-1", "code": Secret("hidden")}


def test_cancel_reaches_the_provider(plugin: Plugin, provider: TinyProvider) -> None:
    plugin.cancel()
    assert provider.cancelled


def test_an_error_is_one_line(plugin: Plugin) -> None:
    with pytest.raises(RefusedError) as refusal:
        plugin.create(BOX, {"size": 1, "label": "refused"})
    assert str(refusal.value) == "no such label: refused"


def test_a_bug_shows_its_place_and_no_value(plugin: Plugin) -> None:
    with pytest.raises(RefusedError) as refusal:
        plugin.create(BOX, {"size": 1, "label": "bug", "code": Secret("hidden")})
    message = str(refusal.value)
    assert "KeyError at tiny.py:" in message
    assert "hidden" not in message


def test_a_partial_failure_keeps_the_resource(plugin: Plugin) -> None:
    with pytest.raises(PartialError) as failure:
        plugin.create(BOX, {"size": 1, "label": "half"})
    assert failure.value.id == "box-h"
    assert failure.value.state == {"serial": 1}
    assert failure.value.reasons == ["lid missing", "dented"]


@pytest.mark.parametrize("token", ["tiny:index/bag:Bag", READ_BOX])
def test_an_unknown_type_is_refused_by_name(plugin: Plugin, token: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        plugin.check(token, {})
    assert str(refusal.value) == (
        f"{token} is not known to the lab's own tiny plugin; "
        "the official tiny plugin is needed for it"
    )


def test_an_unknown_function_is_refused_by_name(plugin: Plugin) -> None:
    with pytest.raises(RefusedError, match="tiny:index/other:other is not known"):
        plugin.invoke("tiny:index/other:other", {})


def test_a_type_below_a_component_is_found_by_its_own_token(
    stub: provider_pb2_grpc.ResourceProviderStub,
) -> None:
    news: Properties = {"size": 1}
    urn = f"urn:pulumi:dev::conformance::mesh:index:Root${BOX}::example::with colons"
    response = stub.Check(provider_pb2.CheckRequest(urn=urn, news=to_struct(news)))
    assert from_struct(response.inputs) == {"size": 1, "label": "none"}


@pytest.mark.parametrize("method", ["Construct", "Call", "Parameterize"])
def test_what_no_provider_has_is_unimplemented(
    stub: provider_pb2_grpc.ResourceProviderStub, method: str
) -> None:
    request = {
        "Construct": provider_pb2.ConstructRequest(),
        "Call": provider_pb2.CallRequest(),
        "Parameterize": provider_pb2.ParameterizeRequest(),
    }[method]
    with pytest.raises(grpc.RpcError) as error:
        getattr(stub, method)(request)
    assert error.value.code() is grpc.StatusCode.UNIMPLEMENTED
