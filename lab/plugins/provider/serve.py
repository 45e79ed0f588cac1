"""A provider plugin's process: serve on loopback until the engine or a signal ends it."""

import argparse
import atexit
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from lab.plugins.provider.engine_log import EngineLog
from lab.plugins.provider.provider import Provider
from lab.plugins.provider.servicer import ProviderServicer

# An operation holds a thread while it waits for a server; the engine runs many at a time.
_THREADS = 64
_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_GRACE_SECONDS = 1.0
_ENDING_SIGNALS = frozenset((signal.SIGINT, signal.SIGTERM))
_ENGINE_PROBE_SECONDS = 2.0
_REFUSALS_OF_A_LOST_ENGINE = 2


def serve(provider: Provider, arguments: list[str] | None = None) -> None:
    """Serve the provider and return once the process has been asked to end.

    The first line on stdout is the port. SIGINT and SIGTERM end it quietly, and so does the loss
    of the engine whose address is the command line's only argument; without one, the plugin
    waits for an engine to attach. What is registered with `atexit` from here on is done in the end.
    """
    ended = threading.Event()
    atexit.register(_leave, ended)
    # Blocked and waited for, not handled: a handler may find the main thread holding any lock.
    # Before the port is printed: whoever reads it may send a signal at once.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING_SIGNALS)

    engine = _engine_address(arguments)
    provider.engine_log = EngineLog(engine)
    with ThreadPoolExecutor(max_workers=_THREADS) as executor:
        server = grpc.server(
            executor,
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ],
        )
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderServicer(provider), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        print(port, flush=True)

        _wait(engine)
        provider.cancel()
        server.stop(_GRACE_SECONDS).wait()
    ended.set()


def _leave(ended: threading.Event) -> None:
    """End the process once all that came after this is done, if it was to end."""
    if not ended.is_set():
        return
    # Taking the interpreter down takes 0.3 s, a second on a busy machine. The engine ends the
    # plugins of a stack one after the other within five seconds, and reports whatever is left by
    # then as "exited prematurely".
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _engine_address(arguments: list[str] | None) -> str | None:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("engine", nargs="?")
    # The engine also passes its own logging and tracing flags.
    known, _ = parser.parse_known_args(arguments)
    address: str | None = known.engine
    return address


def _wait(engine: str | None) -> None:
    """Return at a signal, or when an engine that once was there is gone."""
    if engine is None or _is_gone(engine):
        signal.sigwait(_ENDING_SIGNALS)
        return
    refusals = 0
    while refusals < _REFUSALS_OF_A_LOST_ENGINE:
        if signal.sigtimedwait(_ENDING_SIGNALS, _ENGINE_PROBE_SECONDS) is not None:
            return
        refusals = refusals + 1 if _is_gone(engine) else 0


def _is_gone(address: str) -> bool:
    """Tell whether nobody listens there any more; one who is slow to answer is not gone."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=_ENGINE_PROBE_SECONDS):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
