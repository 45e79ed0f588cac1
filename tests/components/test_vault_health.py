"""What is told of a Vault that cannot be worked with, by real Vaults."""

import json
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import hvac
import pytest

from lab import certificates
from lab.certificates import Identity
from lab.vault_server import unseal
from mesh_trust.readiness import Obstacle
from mesh_trust.vault_health import health_obstacle
from tests.background import in_background

from .conftest import DevelopmentVault, ServedVault

ALWAYS = float("inf")


def health(vault: ServedVault) -> Obstacle | None:
    return health_obstacle(vault.address, vault.ca_certificate)


def seal(vault: ServedVault) -> None:
    client: Any = hvac.Client(
        vault.address,
        vault.directory.vault_root_token.read_text(),
        verify=str(vault.directory.vault_authority),
    )
    client.sys.seal()
    client.adapter.close()


def test_a_vault_from_its_first_start_to_its_end(new_vault: ServedVault) -> None:
    address = new_vault.address
    assert health(new_vault) == Obstacle(
        "uninitialised",
        f"Vault at {address} is not initialised",
        f"run `mesh-trust vault init --address {address} --ca-file FILE --keys-file FILE "
        "--token-file FILE`",
    )

    assert unseal(new_vault.directory, address) == "initialised and unsealed"
    assert health(new_vault) is None

    seal(new_vault)
    assert health(new_vault) == Obstacle(
        "sealed",
        f"Vault at {address} is sealed",
        f"run `mesh-trust vault unseal --address {address} --ca-file FILE --keys-file FILE`",
    )
    unseal(new_vault.directory, address)
    assert health(new_vault) is None


def test_a_ca_that_is_not_vaults(new_vault: ServedVault) -> None:
    other = certificates.new_authority("another").certificate.decode()

    found = health_obstacle(new_vault.address, other)

    assert found == Obstacle(
        "certificate",
        f"the certificate of {new_vault.address} does not hold against the CA that is given "
        "(unable to get local issuer certificate)",
        "give the CA that Vault's certificate chains to, and an address that is in it: "
        f"`openssl s_client -showcerts -connect {new_vault.address.removeprefix('https://')}`",
        0,
    )


def test_no_ca_at_all(new_vault: ServedVault, monkeypatch: pytest.MonkeyPatch) -> None:
    found = health_obstacle(new_vault.address, None)
    assert found is not None
    assert "does not hold against the system's certificates" in found.reason

    # Where the system's certificates are is said as for every program that uses OpenSSL or Go.
    monkeypatch.setenv("SSL_CERT_FILE", str(new_vault.directory.vault_authority))
    unseal(new_vault.directory, new_vault.address)
    assert health_obstacle(new_vault.address, None) is None


def test_the_shells_own_vault_is_not_meant(
    new_vault: ServedVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    unseal(new_vault.directory, new_vault.address)
    monkeypatch.setenv("VAULT_ADDR", "https://192.0.2.1")
    monkeypatch.setenv("VAULT_CACERT", "/absent")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/absent")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    assert health(new_vault) is None


def test_plain_http_where_vault_serves_tls(new_vault: ServedVault) -> None:
    address = new_vault.address.replace("https", "http")

    found = health_obstacle(address, None)

    assert found is not None
    assert found.reason == f"{address}/v1/sys/health answers 400, as no Vault does"
    assert "https where Vault serves it" in found.advice


def test_tls_where_vault_serves_plain_http(development_vault: DevelopmentVault) -> None:
    address = f"https://127.0.0.1:{development_vault.port}"

    found = health_obstacle(address, None)

    assert found is not None
    assert found.kind == "tls"
    assert found.reason.startswith(f"no TLS connection comes about with {address} (")
    assert found.advice == "use http where Vault serves plain HTTP"
    assert found.patience_seconds == ALWAYS


def test_a_development_server_is_ready_without_a_token(
    development_vault: DevelopmentVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "of another Vault")
    assert health_obstacle(f"http://127.0.0.1:{development_vault.port}", None) is None


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("https://127.0.0.1:1", "Connection refused"),
        # A name that is never given away (RFC 2606); the words are the resolver's.
        ("http://vault.invalid:8200", "[A-Z][a-z ]+"),
    ],
)
def test_nothing_that_answers(address: str, said: str) -> None:
    found = health_obstacle(address, None)

    assert found is not None
    assert found.kind == "address"
    assert re.fullmatch(rf"Vault does not answer at {address} \({said}\)", found.reason)
    assert found.patience_seconds == ALWAYS


@contextmanager
def answering(
    status: int, identity: Identity | None, folder: Path, content: bytes = b""
) -> Iterator[tuple[str, Any]]:
    """A server that answers so, over TLS with `identity`; its address, and the headers it gets."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if identity is not None:
        (folder / "server.pem").write_bytes(identity.certificate + identity.private_key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(folder / "server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if identity is None else "https"
    with in_background(server):
        yield f"{scheme}://127.0.0.1:{server.server_port}", seen


# Only Vault Enterprise and clusters have these states, as the API documentation lists them.
@pytest.mark.parametrize("status", [429, 473])
def test_a_standby_is_ready(status: int, tmp_path: Path) -> None:
    with answering(status, None, tmp_path) as (address, _):
        assert health_obstacle(address, None) is None


@pytest.mark.parametrize(
    ("status", "kind", "patience_seconds"),
    [(472, "secondary", 0), (404, "not Vault", ALWAYS), (502, "not Vault", ALWAYS)],
)
def test_what_is_no_vault_to_work_with(
    status: int, kind: str, patience_seconds: float, tmp_path: Path
) -> None:
    with answering(status, None, tmp_path) as (address, _):
        found = health_obstacle(address, None)

    assert found is not None
    assert (found.kind, found.patience_seconds) == (kind, patience_seconds)
    assert address in found.reason


# No Vault that old is to be had; what it answers is in the API documentation.
@pytest.mark.parametrize("version", ["1.10.11", "1.9.2+ent", "0.11.6"])
@pytest.mark.parametrize("status", [200, 429, 501, 503])
def test_a_vault_that_is_too_old(version: str, status: int, tmp_path: Path) -> None:
    content = json.dumps({"initialized": True, "version": version}).encode()
    with answering(status, None, tmp_path, content) as (address, _):
        assert health_obstacle(address, None) == Obstacle(
            "too old",
            f"Vault at {address} is of version {version}, and a mount holds several issuers from "
            "1.11 on only",
            "upgrade it, or give the address of another",
            0,
        )


@pytest.mark.parametrize(
    "content", [b'{"version": "1.11.0"}', b'{"version": "2.0.1+ent.hsm"}', b"{}", b"[]", b"up"]
)
def test_a_vault_that_is_new_enough_or_does_not_tell(content: bytes, tmp_path: Path) -> None:
    with answering(200, None, tmp_path, content) as (address, _):
        assert health_obstacle(address, None) is None


def test_nobody_is_sent_the_shells_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hush")
    with answering(200, None, tmp_path) as (address, seen):
        assert health_obstacle(address, None) is None

    assert len(seen) == 1
    assert "hush" not in str(seen[0])


def test_an_address_that_is_not_in_the_certificate(tmp_path: Path) -> None:
    authority = certificates.new_authority("an authority")
    ca = authority.certificate.decode()
    theirs = certificates.issue_server(authority, "theirs", ["vault.example.com"])
    ours = certificates.issue_server(authority, "ours", ["127.0.0.1"])

    with answering(200, theirs, tmp_path) as (address, _):
        found = health_obstacle(address, ca)
    with answering(200, ours, tmp_path) as (address, _):
        assert health_obstacle(address, ca) is None

    assert found is not None
    assert "certificate is not valid for '127.0.0.1'" in found.reason
    assert found.patience_seconds == 0
