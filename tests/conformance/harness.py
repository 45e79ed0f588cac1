"""A plugin's process, driven over grpc as the engine drives it, with plain values."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from lab.plugins.provider.values import Properties, Value, from_struct, to_struct

_CHECKOUT = Path(__file__).parents[2]
_CALL_SECONDS = 60.0


@dataclass(frozen=True)
class CheckResult:
    inputs: Properties
    failures: list[tuple[str, str]]


@dataclass(frozen=True)
class DiffResult:
    changes: bool
    replaces: list[str]
    stables: list[str]
    delete_before_replace: bool
    detailed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Resource:
    """A resource as the engine keeps it between calls."""

    token: str
    name: str
    id: str
    inputs: Properties
    state: Properties


class RefusedError(Exception):
    """The plugin answered with an error; its text is the error's."""


class PartialError(Exception):
    """The plugin answered that a resource exists but failed to become what was asked for."""

    def __init__(self, resource_id: str, state: Properties, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.id = resource_id
        self.state = state
        self.reasons = reasons


def urn_of(token: str, name: str) -> str:
    return f"urn:pulumi:dev::conformance::{token}::{name}"


class Plugin:
    """A running plugin; its calls are those of the engine."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = provider_pb2_grpc.ResourceProviderStub(channel)

    def handshake(self) -> provider_pb2.ProviderHandshakeResponse:
        request = provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1")
        response: provider_pb2.ProviderHandshakeResponse = self._call("Handshake", request)
        return response

    def version(self) -> str:
        version: str = self._call("GetPluginInfo", Empty()).version
        return version

    def check_config(self, token: str, inputs: Mapping[str, Value]) -> CheckResult:
        return self._check("CheckConfig", token, "provider", inputs, None)

    def diff_config(
        self, token: str, old: Mapping[str, Value], new: Mapping[str, Value]
    ) -> DiffResult:
        request = provider_pb2.DiffRequest(
            urn=urn_of(token, "provider"),
            old_inputs=to_struct(old),
            olds=to_struct(old),
            news=to_struct(new),
        )
        return _diff_result(self._call("DiffConfig", request))

    def configure(self, inputs: Mapping[str, Value]) -> provider_pb2.ConfigureResponse:
        request = provider_pb2.ConfigureRequest(
            args=to_struct(inputs), acceptSecrets=True, acceptResources=True, sends_old_inputs=True
        )
        response: provider_pb2.ConfigureResponse = self._call("Configure", request)
        return response

    def check(
        self,
        token: str,
        inputs: Mapping[str, Value],
        *,
        name: str = "example",
        olds: Mapping[str, Value] | None = None,
    ) -> CheckResult:
        return self._check("Check", token, name, inputs, olds)

    def create(
        self,
        token: str,
        inputs: Mapping[str, Value],
        *,
        name: str = "example",
        preview: bool = False,
    ) -> Resource:
        """Check the inputs and create the resource from what the check returned."""
        checked = self.check(token, inputs, name=name)
        assert checked.failures == []
        request = provider_pb2.CreateRequest(
            urn=urn_of(token, name),
            properties=to_struct(checked.inputs),
            preview=preview,
        )
        response = self._call("Create", request)
        return Resource(token, name, response.id, checked.inputs, from_struct(response.properties))

    def diff(
        self,
        resource: Resource,
        inputs: Mapping[str, Value],
        *,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        """Check new inputs of the program and compare the resource with them."""
        checked = self.check(resource.token, inputs, name=resource.name, olds=resource.inputs)
        assert checked.failures == []
        return self.diff_checked(resource, checked.inputs, ignore_changes=ignore_changes)

    def diff_checked(
        self,
        resource: Resource,
        checked: Mapping[str, Value],
        *,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        request = provider_pb2.DiffRequest(
            id=resource.id,
            urn=urn_of(resource.token, resource.name),
            old_inputs=to_struct(resource.inputs),
            olds=to_struct(resource.state),
            news=to_struct(checked),
            ignoreChanges=ignore_changes,
        )
        return _diff_result(self._call("Diff", request))

    def update(
        self, resource: Resource, inputs: Mapping[str, Value], *, preview: bool = False
    ) -> Resource:
        """Check new inputs of the program and update the resource in place."""
        checked = self.check(resource.token, inputs, name=resource.name, olds=resource.inputs)
        assert checked.failures == []
        request = provider_pb2.UpdateRequest(
            id=resource.id,
            urn=urn_of(resource.token, resource.name),
            old_inputs=to_struct(resource.inputs),
            olds=to_struct(resource.state),
            news=to_struct(checked.inputs),
            preview=preview,
        )
        state = from_struct(self._call("Update", request).properties)
        return Resource(resource.token, resource.name, resource.id, checked.inputs, state)

    def read(self, resource: Resource) -> Resource | None:
        """Read the resource as a refresh does; None means that it is gone."""
        request = provider_pb2.ReadRequest(
            id=resource.id,
            urn=urn_of(resource.token, resource.name),
            inputs=to_struct(resource.inputs),
            properties=to_struct(resource.state),
        )
        response = self._call("Read", request)
        if not response.id:
            return None
        return Resource(
            resource.token,
            resource.name,
            response.id,
            from_struct(response.inputs),
            from_struct(response.properties),
        )

    def import_(self, token: str, resource_id: str, *, name: str = "example") -> Resource | None:
        """Read a resource of which only the id is known."""
        return self.read(Resource(token, name, resource_id, {}, {}))

    def delete(self, resource: Resource) -> None:
        request = provider_pb2.DeleteRequest(
            id=resource.id,
            urn=urn_of(resource.token, resource.name),
            properties=to_struct(resource.state),
            old_inputs=to_struct(resource.inputs),
        )
        self._call("Delete", request)

    def invoke(self, token: str, arguments: Mapping[str, Value]) -> Properties:
        request = provider_pb2.InvokeRequest(tok=token, args=to_struct(arguments))
        response = self._call("Invoke", request)
        assert list(response.failures) == []
        return from_struct(getattr(response, "return"))

    def cancel(self) -> None:
        self._call("Cancel", Empty())

    def _check(
        self,
        method: str,
        token: str,
        name: str,
        inputs: Mapping[str, Value],
        olds: Mapping[str, Value] | None,
    ) -> CheckResult:
        request = provider_pb2.CheckRequest(urn=urn_of(token, name), news=to_struct(inputs))
        if olds is not None:
            request.olds.CopyFrom(to_struct(olds))
        response = self._call(method, request)
        failures = [(failure.property, failure.reason) for failure in response.failures]
        return CheckResult(from_struct(response.inputs), failures)

    def _call(self, method: str, request: object) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=_CALL_SECONDS)
        except grpc.RpcError as error:
            raise _as_refusal(error) from None


def _as_refusal(error: Any) -> RefusedError | PartialError:
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            failed = provider_pb2.ErrorResourceInitFailed()
            if detail.Unpack(failed):
                return PartialError(failed.id, from_struct(failed.properties), list(failed.reasons))
    details: str = error.details() or ""
    assert "\n" not in details
    return RefusedError(details)


def _diff_result(response: provider_pb2.DiffResponse) -> DiffResult:
    assert response.hasDetailedDiff
    kinds = provider_pb2.PropertyDiff.Kind
    return DiffResult(
        changes=response.changes == provider_pb2.DiffResponse.DIFF_SOME,
        replaces=list(response.replaces),
        stables=list(response.stables),
        delete_before_replace=response.deleteBeforeReplace,
        detailed={path: kinds.Name(diff.kind) for path, diff in response.detailedDiff.items()},
    )


@dataclass
class PluginProcess:
    """A plugin's own process: its handle, its port and what it wrote to stderr so far."""

    process: subprocess.Popen[str]
    port: int
    stderr: list[str]


@contextmanager
def plugin_process(
    module: str,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    folder: Path = _CHECKOUT,
) -> Iterator[PluginProcess]:
    """Start `python -m <module>` in a folder; on leaving, end it and demand a quiet end."""
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(_CHECKOUT), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        stderr: list[str] = []
        reader = threading.Thread(target=stderr.extend, args=(process.stderr,))
        reader.start()
        try:
            first_line = process.stdout.readline()
            yield PluginProcess(process, int(first_line), stderr)
        finally:
            process.terminate()
            try:
                status = process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                # The failure stays; what is left of the process would hold up the whole run.
                process.kill()
                raise
            finally:
                reader.join()
        assert stderr == []
        assert status == 0


@contextmanager
def running_plugin(
    module: str,
    environment: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    folder: Path = _CHECKOUT,
) -> Iterator[Plugin]:
    """Start a plugin and connect to it; it is not configured yet."""
    with (
        plugin_process(module, environment, arguments, folder) as started,
        grpc.insecure_channel(f"127.0.0.1:{started.port}") as channel,
    ):
        yield Plugin(channel)
