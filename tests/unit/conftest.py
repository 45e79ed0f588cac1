"""The engine is replaced by a recorder: these tests are about shape, not about what works."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pulumi
import pulumi.runtime
import pulumi.runtime.rpc as rpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from mesh_trust.readiness import Ready

VAULT_ADDRESS = "http://192.0.2.7:8200"
"""Where Vault is found in these tests."""


class Recorder(pulumi.runtime.Mocks):
    """Stands in for engine and providers: keeps what is registered, answers with the inputs."""

    def __init__(self) -> None:
        self.registered: list[pulumi.runtime.MockResourceArgs] = []
        self.computed: dict[str, dict[str, Any]] = {}
        """Outputs beyond the inputs, by type token."""
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        """Results of invokes, by function token."""

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[str, Any]]:
        self.registered.append(args)
        return f"{args.name}-id", {**self.computed.get(args.typ, {}), **args.inputs}

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return self.answers[args.token](args.args), []

    def of_type(self, token: str) -> dict[str, dict[str, Any]]:
        """Inputs of what was registered with the type `token`, by name."""
        return {args.name: args.inputs for args in self.registered if args.typ == token}

    def types(self) -> list[str]:
        """Type tokens of everything that was registered."""
        return [args.typ for args in self.registered]


@pytest.fixture
def recorder() -> Recorder:
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, project="mesh-trust", stack="unit", preview=False)
    return mocks


_THREADS = ThreadPoolExecutor()
"""Those of whoever runs the programs, kept as a host of the engine keeps what it gives a loop.

The components give the loop others. Each of these has a loop of the mocked engine's, which would be
collected, unclosed, with its thread.
"""


@pytest.fixture(scope="session", autouse=True)
def loop_of_the_host() -> None:
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_THREADS)
    asyncio.set_event_loop(loop)


class ClusterSeen:
    """Stands in for the client that looks into clusters: keeps what it is asked for."""

    asked: ClassVar[list[tuple[Any, ...]]] = []
    """What to connect with, and the identities to require."""

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        self.asked.append((kubeconfig, context))

    def require_identity(self, uid: str) -> None:
        self.asked.append((uid,))


@pytest.fixture(autouse=True)
def vault_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here asks a server: Vault is ready wherever it is looked for."""
    ClusterSeen.asked.clear()
    monkeypatch.setattr("mesh_trust.vault_install.ClusterAccess", ClusterSeen)
    monkeypatch.setattr(
        "mesh_trust.vault_install.VaultInCluster.look", lambda _: Ready(VAULT_ADDRESS)
    )
    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", lambda *_: None)
    monkeypatch.setattr("mesh_trust.vault_install.leader_obstacle", lambda *_: None)


def make_certificate(
    common_name: str,
    *,
    path_length: int | None = None,
    days: int = 1,
    starts: datetime | None = None,
) -> str:
    """A self-signed certificate, PEM, for `common_name`; each call uses a key of its own.

    It is that of a CA where a path length is given.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    start = starts or datetime.now(UTC) - timedelta(hours=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
    )
    if path_length is not None:
        constraints = x509.BasicConstraints(ca=True, path_length=path_length)
        certificate = certificate.add_extension(constraints, critical=True)
    return certificate.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def secret(value: Any) -> dict[str, Any]:
    """How an input that is secret reaches a provider."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def run(program: Callable[[], pulumi.Output[Any]]) -> Any:
    """Runs `program` until all is registered, and returns the value of its output."""
    values: list[Any] = []

    def watched() -> pulumi.Output[None]:
        asyncio.get_running_loop().set_exception_handler(_without_what_failed_along)
        return program().apply(values.append)

    pulumi.runtime.test(watched)()  # type: ignore[no-untyped-call]
    return values[0]


def _without_what_failed_along(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Reports all but the many outputs that nobody asks for any more once a program has failed."""
    if "was never retrieved" not in context["message"]:
        loop.default_exception_handler(context)
