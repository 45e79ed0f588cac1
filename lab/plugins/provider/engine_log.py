"""Messages that the engine shows to its user beside a resource."""

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

_SECONDS = 5.0
_WITHOUT_PROXY = (("grpc.enable_http_proxy", 0),)  # an engine is on the plugin's own machine


class EngineLog:
    """The log of the engine at an address; without one, messages go nowhere."""

    def __init__(self, address: str | None) -> None:
        self._address = address

    def warn(self, urn: str, message: str) -> None:
        """Show a warning beside the resource; the caller keeps secrets out of it."""
        if self._address is None:
            return
        request = engine_pb2.LogRequest(
            severity=engine_pb2.LogSeverity.WARNING, message=message, urn=urn
        )
        with grpc.insecure_channel(self._address, options=_WITHOUT_PROXY) as channel:
            try:
                engine_pb2_grpc.EngineStub(channel).Log(request, timeout=_SECONDS)
            except grpc.RpcError:
                # An engine that has gone has nobody to show it to, and what the warning is about
                # is told to whoever comes next by the resource's own result.
                return
