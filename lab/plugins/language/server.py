"""The language host's process: serve on loopback until the engine or a signal ends it."""

import asyncio
import contextlib
import signal

import grpc
import grpc.aio
from pulumi.runtime.proto.language_pb2_grpc import add_LanguageRuntimeServicer_to_server

from lab.plugins.language.host import LanguageHost
from lab.plugins.language.refusal import UnsupportedOperations

_MAX_MESSAGE_BYTES = 400 * 1024 * 1024  # the engine's own limit
_GRACE_SECONDS = 1.0


async def serve(engine_address: str) -> None:
    """Print the port as the first line on stdout, and serve.

    SIGINT, SIGTERM and the loss of the engine end the running programs, and then this quietly.
    An empty address means that an engine will attach by a Handshake.
    """
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    host = LanguageHost(engine_address)
    server = grpc.aio.server(
        interceptors=[UnsupportedOperations()],
        options=[
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
        ],
    )
    add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    watching = asyncio.create_task(_watch(engine_address, ended)) if engine_address else None
    await ended.wait()
    if watching is not None:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    await host.end()
    await server.stop(_GRACE_SECONDS)


async def _watch(engine_address: str, lost: asyncio.Event) -> None:
    """Set `lost` when the engine, which listens before it starts a host, cannot be reached."""
    direct = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(engine_address, options=direct) as channel:
        while (
            state := channel.get_state(try_to_connect=True)
        ) is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            await channel.wait_for_state_change(state)
    lost.set()
