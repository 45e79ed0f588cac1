"""The plugins under the real engine: values come back usable, secret ones as secrets."""

import asyncio
import base64
import re
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import grpc
import pulumi
import pulumi_random as random
import pulumi_tls as tls
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pulumi import automation

from lab.directory import LabDirectory
from lab.toolchain import Source, Toolchain
from tests.engine import stack_of_program

StackOf = Callable[[Callable[[], None]], automation.Stack]


def random_values() -> None:
    keepers = {"generation": "1"}
    pulumi.export("password", random.RandomPassword("password", length=24, min_numeric=3).result)
    pulumi.export("string", random.RandomString("string", length=8, special=False).result)
    pulumi.export("id", random.RandomId("id", byte_length=4, keepers=keepers).hex)
    pulumi.export("bytes", random.RandomBytes("bytes", length=16).base64)
    pulumi.export("uuid", random.RandomUuid("uuid").result)
    pulumi.export("pet", random.RandomPet("pet", length=2, separator="_").id)
    pulumi.export("integer", random.RandomInteger("integer", min=3, max=5).result)
    letters = ["a", "b", "c"]
    pulumi.export("shuffle", random.RandomShuffle("shuffle", inputs=letters).results)


def certificates() -> None:
    authority_key = tls.PrivateKey("authority", algorithm="ECDSA", ecdsa_curve="P256")
    authority = tls.SelfSignedCert(
        "authority",
        private_key_pem=authority_key.private_key_pem,
        subject={"common_name": "root", "organization": "mesh"},
        is_ca_certificate=True,
        max_path_length=1,
        allowed_uses=["cert_signing", "crl_signing"],
        validity_period_hours=24,
    )
    key = tls.PrivateKey("server", algorithm="ED25519")
    request = tls.CertRequest(
        "server",
        private_key_pem=key.private_key_pem,
        subject={"common_name": "server"},
        dns_names=["server.test"],
    )
    certificate = tls.LocallySignedCert(
        "server",
        ca_private_key_pem=authority_key.private_key_pem,
        ca_cert_pem=authority.cert_pem,
        cert_request_pem=request.cert_request_pem,
        allowed_uses=["server_auth"],
        validity_period_hours=1,
    )
    pulumi.export("key", authority_key.private_key_pem)
    pulumi.export("root", authority.cert_pem)
    pulumi.export("certificate", certificate.cert_pem)


def values(outputs: automation.OutputMap) -> dict[str, Any]:
    return {name: output.value for name, output in outputs.items()}


def secret_names(outputs: automation.OutputMap) -> set[str]:
    return {name for name, output in outputs.items() if output.secret}


def changes(stack: automation.Stack) -> set[automation.OpType]:
    return set(stack.preview().change_summary) - {automation.OpType.SAME}


def test_random_values_are_as_asked_and_stay(stack_of: StackOf) -> None:
    stack = stack_of(random_values)
    outputs = stack.up().outputs
    got = values(outputs)
    assert len(got["password"]) == 24
    assert len(re.findall(r"\d", got["password"])) >= 3
    assert re.fullmatch(r"[A-Za-z0-9]{8}", got["string"])
    assert re.fullmatch(r"[0-9a-f]{8}", got["id"])
    assert len(base64.b64decode(got["bytes"])) == 16
    assert str(uuid.UUID(got["uuid"])) == got["uuid"]
    assert re.fullmatch(r"[a-z]+_[a-z]+", got["pet"])
    assert 3 <= got["integer"] <= 5
    assert sorted(got["shuffle"]) == ["a", "b", "c"]
    assert secret_names(outputs) == {"password", "bytes"}
    assert changes(stack) == set()
    stack.refresh()
    assert values(stack.up().outputs) == got


def test_certificates_chain_to_the_root_and_stay(stack_of: StackOf) -> None:
    stack = stack_of(certificates)
    outputs = stack.up().outputs
    got = values(outputs)
    root = x509.load_pem_x509_certificate(got["root"].encode())
    certificate = x509.load_pem_x509_certificate(got["certificate"].encode())
    certificate.verify_directly_issued_by(root)
    constraints = root.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca) == (True, True)
    assert constraints.value.path_length == 1
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["server.test"]
    key = load_pem_private_key(got["key"].encode(), password=None)
    assert key.public_key() == root.public_key()
    assert secret_names(outputs) == {"key"}
    assert changes(stack) == set()
    stack.refresh()
    assert changes(stack) == set()


def test_a_secret_value_is_nowhere_clear_in_the_state(
    stack_of: StackOf, engine: LabDirectory
) -> None:
    stack = stack_of(certificates)
    got = values(stack.up().outputs)
    states = [path for path in engine.pulumi_state.rglob(f"*{stack.name}*") if path.is_file()]
    written = "".join(path.read_text() for path in states)
    assert got["root"].splitlines()[1] in written
    assert got["key"].splitlines()[1] not in written
    assert "PRIVATE KEY" not in written


def test_a_changed_keeper_replaces(stack_of: StackOf) -> None:
    keepers = {"generation": "1"}

    def program() -> None:
        pulumi.export("id", random.RandomId("id", byte_length=4, keepers=keepers).hex)

    stack = stack_of(program)
    first = values(stack.up().outputs)["id"]
    keepers["generation"] = "2"
    assert changes(stack) == {automation.OpType.REPLACE}
    assert values(stack.up().outputs)["id"] != first


def test_a_key_that_is_to_reach_no_state_is_refused(
    stack_of: StackOf, toolchain: Toolchain
) -> None:
    if toolchain["pulumi-resource-tls"].source is not Source.BUILT:
        pytest.skip("the official plugin takes it")

    def program() -> None:
        key = tls.PrivateKey("key", algorithm="ED25519")
        tls.CertRequest(
            "request", private_key_pem_wo=key.private_key_pem, private_key_pem_wo_version=1
        )

    with pytest.raises(automation.CommandError, match="privateKeyPem"):
        stack_of(program).up()


class Unanswered(grpc.RpcError):
    """How a call ends whose engine is gone."""


async def fails_as_it_is_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise RuntimeError("not now") from None


async def goes_unanswered_as_it_is_cancelled() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        # What nobody waits for is told to the loop, at which the Automation API stops it.
        context = {"message": "unanswered", "exception": Unanswered()}
        asyncio.get_running_loop().call_exception_handler(context)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("end", [fails_as_it_is_cancelled, goes_unanswered_as_it_is_cancelled])
def test_a_program_that_fails_leaves_nothing_behind(
    engine: LabDirectory,
    command: automation.PulumiCommand,
    end: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    tasks: list[asyncio.Task[Any]] = []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise RuntimeError("not at all")

    def program() -> None:
        loop = asyncio.get_running_loop()
        loops.append(loop)
        pulumi.export("failed", fails())
        tasks.extend([*asyncio.all_tasks(loop), loop.create_task(end())])

    with stack_of_program(engine, command, "bridged", end.__name__, program) as stack:
        with pytest.raises(automation.CommandError):
            stack.up()
        assert not loops[0].is_closed(), "the Automation API closes it: stack_of_program need not"
    assert all(loop.is_closed() for loop in loops)
    assert all(task.done() for task in tasks)
