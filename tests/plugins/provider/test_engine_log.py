from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc
from typing_extensions import override

from lab.plugins.provider.engine_log import EngineLog


class Engine(engine_pb2_grpc.EngineServicer):
    def __init__(self) -> None:
        self.requests: list[engine_pb2.LogRequest] = []

    @override
    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> Empty:
        self.requests.append(request)
        return Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    engine = Engine()
    with ThreadPoolExecutor(1) as executor:
        server = grpc.server(executor)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield engine, f"127.0.0.1:{port}"
        server.stop(None).wait()


def test_a_warning_reaches_the_engine(
    engine: tuple[Engine, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    servicer, address = engine
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    EngineLog(address).warn("urn:pulumi:a", "be careful")

    assert [(request.severity, request.urn, request.message) for request in servicer.requests] == [
        (engine_pb2.LogSeverity.WARNING, "urn:pulumi:a", "be careful")
    ]


@pytest.mark.parametrize("address", [None, "127.0.0.1:9"])
def test_without_an_engine_it_goes_nowhere(address: str | None) -> None:
    EngineLog(address).warn("urn:pulumi:a", "be careful")
