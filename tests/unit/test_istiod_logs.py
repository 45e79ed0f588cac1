"""Which lines of a log count, and what of them is shown."""

import pytest

from mesh_trust.operations.checks.istiod_logs import errors_in, without_secrets

ERRORS = [
    "2026-11-28T09:00:00.000000Z\terror\tca\tfailed to create CA",
    "2026-11-28T09:00:00.000000Z\tfatal\tcannot start",
    '{"level":"error","time":"2026-11-28T09:00:00Z","msg":"permission denied"}',
    '{"ts":1,"level": "fatal","msg":"gone"}',
    "E1128 09:00:00.000000       1 reflector.go:158] Unhandled Error",
]
NO_ERRORS = [
    "2026-11-28T09:00:00.000000Z\tinfo\tca\tno error at all",
    "2026-11-28T09:00:00.000000Z\twarn\tca\tan error is near",
    '{"level":"info","msg":"error"}',
    "I1128 09:00:00.000000       1 leaderelection.go:250] error",
    "Error: what a tool prints without a level",
]
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\\nMIIEow\\n-----END RSA PRIVATE KEY-----"
CUT_KEY = "-----BEGIN PRIVATE KEY-----\\nMIIEow"
TOKEN = "hvs.CAESIJ2Y4f"
OLD_TOKEN = "s.Xh3bkL0mQ4fT7vNzP1rUy9Wd"
LONG = "QUJD" * 20


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_counts(line: str) -> None:
    log = f"{NO_ERRORS[0]}\n{line}\n{NO_ERRORS[1]}\n"

    assert errors_in(log) == [" ".join(line.split())]


@pytest.mark.parametrize("line", NO_ERRORS)
def test_what_is_less_does_not(line: str) -> None:
    assert errors_in(line) == []


@pytest.mark.parametrize("secret", [JWT, KEY, CUT_KEY, TOKEN, OLD_TOKEN, LONG])
def test_neither_token_nor_key_is_shown(secret: str) -> None:
    shown = without_secrets(f"login failed with {secret}")

    assert shown.startswith("login failed with …")
    for part in secret.replace("-----", ".").split("."):
        assert len(part) < 6 or part not in shown, part


def test_a_secret_with_letters_of_a_token_is_hidden_whole() -> None:
    secret = f"{LONG}eyJ/{LONG}"

    assert without_secrets(f"login failed with {secret}") == "login failed with …"


def test_what_helps_is_shown() -> None:
    line = "PUT http://vault.example.com:8200/v1/auth/kube-east-mesh-auth/login: Code: 403"

    assert without_secrets(line) == line
