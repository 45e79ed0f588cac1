# ruff: noqa: ARG002, N802 - names and parameters of the methods are grpc's
"""The engine's protocol, translated to and from a `Provider`."""

import functools
import json
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from lab.plugins.provider.provider import (
    Checked,
    Difference,
    PartialFailure,
    Provider,
    ProviderError,
    ResourceType,
    resource_token,
)
from lab.plugins.provider.values import Properties, UnsupportedValue, from_struct, to_struct

_Method = TypeVar("_Method", bound=Callable[..., Any])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _internal_error(error: Exception) -> str:
    # The text of an unforeseen exception may quote a secret; its place in the code cannot.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return f"internal error in the lab's own plugin: {type(error).__name__} at {place}"


def _partial_failure(context: grpc.ServicerContext, failure: PartialFailure) -> None:
    detail = AnyMessage()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=failure.id,
            properties=to_struct(failure.state),
            inputs=to_struct(failure.inputs),
            reasons=[_one_line(reason) for reason in failure.reasons],
        )
    )
    code = grpc.StatusCode.UNKNOWN
    message = _one_line(str(failure))
    status = status_pb2.Status(code=code.value[0], message=message, details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)


def _reporting_errors(method: _Method) -> _Method:
    """Turn what a method raises into an error the engine can show, on one line."""

    @functools.wraps(method)
    def wrapper(self: object, request: object, context: grpc.ServicerContext) -> object:
        try:
            return method(self, request, context)
        except PartialFailure as failure:
            partial, code, message = failure, grpc.StatusCode.UNKNOWN, ""
        except (ProviderError, UnsupportedValue) as error:
            partial, code, message = None, grpc.StatusCode.UNKNOWN, _one_line(str(error))
        except Exception as error:  # noqa: BLE001 - grpc would send the engine its text
            partial, code, message = None, grpc.StatusCode.INTERNAL, _internal_error(error)
        # `abort` raises, so it stands outside the handlers: nothing is chained to it.
        if partial is not None:
            _partial_failure(context, partial)
        return context.abort(code, message)

    return wrapper  # type: ignore[return-value]


class ProviderServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Serves one provider to one engine."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def _type(self, request: Any) -> ResourceType:
        return self._provider.resource(request.type or resource_token(request.urn))

    @_reporting_errors
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        """Agree on what kinds of values are sent."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=self._provider.accepts_secrets,
            accept_resources=False,
            accept_outputs=True,
        )

    @_reporting_errors
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """Accept an engine that found the plugin already running."""
        return Empty()

    @_reporting_errors
    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the plugin's version."""
        return plugin_pb2.PluginInfo(version=self._provider.version)

    @_reporting_errors
    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Return a schema that names the package and its SDK, which programs bring along."""
        name, version = self._provider.name, self._provider.version
        sdk = f"github.com/pulumi/pulumi-{name}/sdk/v{version.partition('.')[0]}/go/{name}"
        language = {"go": {"importBasePath": sdk}}
        schema = {"name": name, "version": version, "language": language}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    @_reporting_errors
    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """Return no mapping: nothing is converted from other tools."""
        return provider_pb2.GetMappingResponse()

    @_reporting_errors
    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """Return no mappings: nothing is converted from other tools."""
        return provider_pb2.GetMappingsResponse()

    @_reporting_errors
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Validate the provider's own inputs."""
        return _check_response(
            self._provider.check_config(
                request.urn, from_struct(request.olds), from_struct(request.news)
            )
        )

    @_reporting_errors
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare the provider's inputs."""
        return _diff_response(
            self._provider.diff_config(
                request.urn,
                from_struct(request.old_inputs),
                from_struct(request.olds),
                from_struct(request.news),
                list(request.ignoreChanges),
            )
        )

    @_reporting_errors
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Hand the provider its configuration."""
        self._provider.configure(from_struct(request.args))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=self._provider.accepts_secrets,
            acceptResources=False,
            acceptOutputs=True,
            supportsPreview=True,
        )

    @_reporting_errors
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Validate a resource's inputs."""
        resource = self._type(request)
        return _check_response(
            resource.check(
                request.urn,
                from_struct(request.olds),
                from_struct(request.news, with_assets=resource.takes_assets),
            )
        )

    @_reporting_errors
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        """Compare a recorded resource with new inputs."""
        return _diff_response(
            self._type(request).diff(
                request.id,
                request.urn,
                from_struct(request.old_inputs),
                from_struct(request.olds),
                from_struct(request.news),
                list(request.ignoreChanges),
            )
        )

    @_reporting_errors
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        """Create a resource."""
        created = self._type(request).create(
            request.urn,
            from_struct(request.properties),
            preview=request.preview,
            timeout=request.timeout,
        )
        return provider_pb2.CreateResponse(id=created.id, properties=to_struct(created.state))

    @_reporting_errors
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        """Read a resource; an empty answer says that it does not exist."""
        reading = self._type(request).read(
            request.id, request.urn, from_struct(request.inputs), from_struct(request.properties)
        )
        if reading is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=reading.id,
            properties=to_struct(reading.state),
            inputs=to_struct(reading.inputs),
        )

    @_reporting_errors
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        """Change a resource in place."""
        state: Properties = self._type(request).update(
            request.id,
            request.urn,
            from_struct(request.old_inputs),
            from_struct(request.olds),
            from_struct(request.news),
            preview=request.preview,
            timeout=request.timeout,
            ignore_changes=list(request.ignoreChanges),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    @_reporting_errors
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Delete a resource."""
        self._type(request).delete(
            request.id,
            request.urn,
            from_struct(request.old_inputs),
            from_struct(request.properties),
            timeout=request.timeout,
        )
        return Empty()

    @_reporting_errors
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        """Call a function."""
        result = self._provider.invoke(request.tok, from_struct(request.args))
        response = provider_pb2.InvokeResponse()
        # `return` is a keyword of Python, so the field cannot be named in the ordinary way.
        getattr(response, "return").CopyFrom(to_struct(result))
        return response

    @_reporting_errors
    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """Make operations under way end soon."""
        self._provider.cancel()
        return Empty()


def _check_response(checked: Checked) -> provider_pb2.CheckResponse:
    return provider_pb2.CheckResponse(
        inputs=to_struct(checked.inputs),
        failures=[
            provider_pb2.CheckFailure(property=failure.property, reason=_one_line(failure.reason))
            for failure in checked.failures
        ],
    )


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    response = provider_pb2.DiffResponse
    return response(
        changes=response.DIFF_SOME if difference.changes else response.DIFF_NONE,
        replaces=difference.replaces,
        stables=difference.stables,
        deleteBeforeReplace=difference.delete_before_replace,
        diffs=sorted({_top_level(path) for path in difference.detailed}),
        detailedDiff={
            path: provider_pb2.PropertyDiff(
                kind=provider_pb2.PropertyDiff.Kind.Value(change.kind.name),
                inputDiff=change.of_input,
            )
            for path, change in difference.detailed.items()
        },
        hasDetailedDiff=True,
    )


def _top_level(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
