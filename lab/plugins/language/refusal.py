"""Answers to operations that the language host does not have."""

from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import grpc
import grpc.aio

from lab.plugins.language.host import LanguageHost

_SUPPORTED = frozenset(name for name, member in vars(LanguageHost).items() if callable(member))


class UnsupportedOperations(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Answers UNIMPLEMENTED, naming the operation, for what `LanguageHost` does not override."""

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any]"]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """Pass on what is supported."""
        operation = handler_call_details.method.rpartition("/")[2]
        if operation in _SUPPORTED:
            return await continuation(handler_call_details)

        async def refuse(_request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
            await context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"the lab's Python language host does not support {operation}",
            )

        return grpc.unary_unary_rpc_method_handler(refuse)
