"""`ci with-vault`: where it logs in, as whom, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from mesh_trust.operations.command import main
from tests.background import in_background

ROLE = ("--role", "r", "--")
VAULT = "mesh-trust:vaultAddress: https://127.0.0.1:1"
VARIABLES = ("VAULT_ADDR", "VAULT_CACERT", "VAULT_NAMESPACE", "VAULT_ID_TOKEN", "VAULT_TOKEN")


@pytest.fixture(autouse=True)
def without_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES, "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: mesh-trust\nruntime: python\n")
    return tmp_path


def configure(project: Path, *lines: str) -> None:
    text = "".join(f"  {line}\n" for line in lines)
    (project / "Pulumi.prod.yaml").write_text(f"config:\n{text}")


def with_vault(
    project: Path, *arguments: str, stack: str | None = "prod", **environment: str
) -> Result:
    named = () if stack is None else ("--stack", stack)
    command = ["--cwd", str(project), *named, "ci", "with-vault", *arguments]
    return CliRunner().invoke(main, command, env=environment)


@dataclass
class Logins:
    """A server that logs everybody in as Vault does, and takes tokens back."""

    address: str = ""
    asked: list[tuple[str, Any, str | None]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [path for path, _, _ in self.asked]


@pytest.fixture
def logins() -> Iterator[Logins]:
    logins = Logins()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = json.loads(self.rfile.read(length) or "null")
            namespace = self.headers["X-Vault-Namespace"]
            logins.asked.append((self.path, sent, namespace))
            body = json.dumps({"auth": {"client_token": "hvs.of-a-login"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST  # noqa: N815 - the name is the server's

        def do_GET(self) -> None:
            """As GitHub's service for identities."""
            asked = parse_qs(urlsplit(self.path).query)
            is_ours = self.headers["Authorization"] == "Bearer of-the-job"
            body = json.dumps(
                {"value": f"jwt-for-{asked['audience'][0]}-{asked['api'][0]}"} if is_ours else {}
            ).encode()
            self.send_response(200 if is_ours else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    logins.address = f"http://127.0.0.1:{server.server_port}"
    with in_background(server):
        yield logins


SAYS_ITS_TOKEN = ("sh", "-c", 'test "$VAULT_TOKEN" = hvs.of-a-login && exit 7')


def test_the_configuration_says_where_vault_is(project: Path, logins: Logins) -> None:
    configure(
        project, f"mesh-trust:vaultAddress: {logins.address}", "mesh-trust:vaultNamespace: a/b"
    )
    # The configuration counts, as it does in an update.
    done = with_vault(
        *(project, "--mount", "jwt-gitlab", *ROLE, *SAYS_ITS_TOKEN),
        stack="o/mesh-trust/prod",
        VAULT_ADDR="https://127.0.0.1:1",
        VAULT_ID_TOKEN="jwt",
    )
    assert done.exit_code == 7, done.output
    assert logins.asked == [
        ("/v1/auth/jwt-gitlab/login", {"role": "r", "jwt": "jwt"}, "a/b"),
        ("/v1/auth/token/revoke-self", None, "a/b"),
    ]


@pytest.mark.parametrize("stack", ["prod", None])
def test_variables_say_it_where_the_configuration_does_not(
    project: Path, logins: Logins, stack: str | None
) -> None:
    configure(project, "other:vaultAddress: https://127.0.0.1:1")
    given = {"VAULT_ADDR": logins.address, "VAULT_ID_TOKEN": "jwt"}
    done = with_vault(project, *ROLE, *SAYS_ITS_TOKEN, stack=stack, **given)
    assert done.exit_code == 7, done.output
    assert logins.asked[0][2] is None


def test_the_identity_of_a_job_on_github(project: Path, logins: Logins) -> None:
    configure(project, f"mesh-trust:vaultAddress: {logins.address}")
    job = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{logins.address}/token?api=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
    }
    asks = ("--github-audience", "mesh-trust-prod", *ROLE, *SAYS_ITS_TOKEN)
    done = with_vault(project, *asks, **job)
    assert done.exit_code == 7, done.output
    assert logins.asked[0][1] == {"role": "r", "jwt": "jwt-for-mesh-trust-prod-2"}

    refused = with_vault(
        project, *asks, **{**job, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "canary-token"}
    )
    assert refused.exit_code == 2
    assert "GitHub gives the job no token" in refused.output
    assert "canary-token" not in refused.output
    without = with_vault(project, *asks)
    assert (without.exit_code, "give the job `permissions: id-token" in without.output) == (2, True)


def test_a_stack_that_makes_a_vault_is_not_logged_in_to(project: Path) -> None:
    configure(project, "mesh-trust:vaultInstall: {mode: ha}")
    done = with_vault(project, *ROLE, "sh", "-c", "exit 7")
    assert done.exit_code == 7
    assert "prod makes a Vault: nothing is logged in to." in done.output
    configure(project, "mesh-trust:vaultInstall: {mode: dev}")
    assert with_vault(project, *ROLE, "true").exit_code == 2


@pytest.mark.parametrize(
    ("lines", "given", "said"),
    [
        ((), {}, "it is told nowhere where Vault is: set vaultAddress"),
        ((VAULT,), {}, "VAULT_ID_TOKEN is not set"),
        ((VAULT,), {"VAULT_ID_TOKEN": "jwt"}, "role 'r' is refused"),
        (
            ("mesh-trust:vaultAddress: http://vault.example.com:8200",),
            {"VAULT_ID_TOKEN": "jwt"},
            "vaultAddress: 'http://vault.example.com:8200' is not valid; use https",
        ),
        (
            (),
            {"VAULT_ADDR": "http://vault.example.com:8200", "VAULT_ID_TOKEN": "jwt"},
            "VAULT_ADDR: 'http://vault.example.com:8200' is not valid; use https",
        ),
        (
            (VAULT, "mesh-trust:vaultCaFile: missing.pem"),
            {"VAULT_ID_TOKEN": "jwt"},
            "missing.pem' is not valid; name a readable file",
        ),
        (
            (VAULT,),
            {"VAULT_CACERT": "/nowhere.pem", "VAULT_ID_TOKEN": "jwt"},
            "VAULT_CACERT: '/nowhere.pem' is not valid; name a readable file",
        ),
        (("mesh-trust:vaultStack: a b",), {}, "vaultStack: 'a b' is not valid; name a stack"),
        (("mesh-trust:vaultNamespace: a//b", VAULT), {}, "vaultNamespace: 'a//b' is not valid"),
    ],
)
def test_what_keeps_it_from_logging_in(
    project: Path, lines: tuple[str, ...], given: dict[str, str], said: str
) -> None:
    configure(project, *lines)
    done = with_vault(project, *ROLE, "sh", "-c", "echo it ran", **given)
    assert done.exit_code == 2
    assert said in done.output
    assert "it ran" not in done.output
    assert "Traceback" not in done.output


def test_arguments_that_go_together_with_nothing(project: Path) -> None:
    configure(project, VAULT)
    twice = with_vault(project, "--jwt-variable", "A", "--github-audience", "b", *ROLE, "true")
    assert (twice.exit_code, "exclude each other" in twice.output) == (2, True)
    nosuch = with_vault(project, *ROLE, "true", stack="nosuch")
    assert (nosuch.exit_code, "has no Pulumi.nosuch.yaml" in nosuch.output) == (2, True)


_NOTES_SIGNALS = """
trap 'echo it was told; exit 9' TERM
echo "$VAULT_TOKEN"
while true; do sleep 0.1; done
"""
_DEAF = "trap '' TERM; echo \"$VAULT_TOKEN\"; exec sleep 60"


@pytest.mark.parametrize(
    ("script", "signals", "exit_code", "told"),
    [
        # It ends in its own way, and so does the run.
        (_NOTES_SIGNALS, 1, 9, "it was told\n"),
        # It has no way of its own.
        ('echo "$VAULT_TOKEN"; exec sleep 60', 1, 128 + signal.SIGTERM, ""),
        # It does not end, and the one who asks does not wait.
        (_DEAF, 2, 128 + signal.SIGTERM, ""),
    ],
)
def test_a_token_is_given_back_where_a_signal_ends_the_run(
    project: Path, logins: Logins, script: str, signals: int, exit_code: int, told: str
) -> None:
    configure(project, f"mesh-trust:vaultAddress: {logins.address}")
    command = [sys.executable, "-m", "mesh_trust.operations", "--cwd", str(project)]
    command += ["--stack", "prod", "ci", "with-vault", *ROLE, "sh", "-c", script]
    with subprocess.Popen(
        command,
        env={**os.environ, "VAULT_ID_TOKEN": "jwt"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        # Its own group: what is left of it is ended below.
        start_new_session=True,
    ) as run:
        try:
            assert run.stdout is not None
            assert run.stdout.readline() == "hvs.of-a-login\n"
            for _ in range(signals):
                run.send_signal(signal.SIGTERM)
                # A second one is none while the first waits to be taken.
                time.sleep(0.5)
            assert run.wait(timeout=30) == exit_code
            assert logins.paths == ["/v1/auth/jwt/login", "/v1/auth/token/revoke-self"]
        finally:
            with suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
        assert run.stdout.read() == told
