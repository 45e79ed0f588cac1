import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
import psutil
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2_grpc

from tests.conformance.harness import PluginProcess, plugin_process, running_plugin

MODULE = "tests.plugins.provider.tiny"
END_SECONDS = 10


def call_version(port: int) -> str:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        version: str = (
            provider_pb2_grpc.ResourceProviderStub(channel).GetPluginInfo(Empty()).version
        )
        return version


def wait_for_quiet_end(started: PluginProcess) -> str:
    stdout = started.process.stdout
    assert stdout is not None
    assert started.process.wait(END_SECONDS) == 0
    return stdout.read()


def test_the_port_is_the_first_line_and_answers() -> None:
    with running_plugin(MODULE) as plugin:
        assert plugin.version() == "1.2.3"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_after_cancelling(number: signal.Signals) -> None:
    with plugin_process(MODULE) as started:
        call_version(started.port)
        started.process.send_signal(number)
        assert wait_for_quiet_end(started) == "cancelled\n"
        assert started.stderr == []


def test_it_puts_away_what_is_its_own_and_does_not_wait_for_the_interpreter() -> None:
    with plugin_process("tests.plugins.provider.put_away") as started:
        call_version(started.port)
        started.process.send_signal(signal.SIGINT)
        assert wait_for_quiet_end(started) == "cancelled\nput away\n"


def test_the_interpreter_would_take_time_otherwise() -> None:
    """The control: without an end that was asked for, it comes to that."""
    command = [sys.executable, "-c", "from tests.plugins.provider import put_away"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "taken down\n"


def test_it_listens_on_loopback_only() -> None:
    with plugin_process(MODULE) as started:
        listening = {
            (connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
            for connection in psutil.Process(started.process.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {("127.0.0.1", started.port)}


def test_it_ends_when_its_engine_is_gone() -> None:
    with ThreadPoolExecutor(1) as executor:
        engine = grpc.server(executor)
        port = engine.add_insecure_port("127.0.0.1:0")
        engine.start()
        with plugin_process(MODULE, arguments=[f"127.0.0.1:{port}"]) as started:
            assert call_version(started.port) == "1.2.3"
            with pytest.raises(subprocess.TimeoutExpired):
                started.process.wait(2)
            engine.stop(None).wait()
            assert wait_for_quiet_end(started) == "cancelled\n"


def test_an_engine_too_busy_to_answer_is_not_gone() -> None:
    # The plugin's first look fills the queue; the system then leaves others without an answer.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as engine:
        address = engine.getsockname()
        with plugin_process(MODULE, arguments=[f"127.0.0.1:{address[1]}"]) as started:
            with pytest.raises(subprocess.TimeoutExpired):
                started.process.wait(7)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=1)


def test_flags_of_the_engine_are_left_alone() -> None:
    with plugin_process(MODULE, arguments=["--logtostderr", "-v=9"]) as started:
        assert call_version(started.port) == "1.2.3"
