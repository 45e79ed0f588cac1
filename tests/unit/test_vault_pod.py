import pytest

from mesh_trust.vault_pod import last_error

INFO = "2026-11-24T11:38:34.903Z [INFO]  core: post-unseal setup complete\n"
ERROR = '2026-11-24T11:38:35.001Z [ERROR] core: failed to create listener: error="no"\n'


LOADING = "Error loading configuration from /vault/config: no such file"
JSON = '{"@level":"error","@message":"down"}'


@pytest.mark.parametrize(
    ("log", "told"),
    [
        ("", None),
        (INFO, None),
        ("Unseal Key: abc\nRoot Token: def\n", None),
        ("an error of no level\n", None),
        (INFO + ERROR + INFO, ERROR.strip()),
        (f"{LOADING}\n", LOADING),
        (f"{LOADING.lower()}\n", LOADING.lower()),
        (f'{JSON}\n{{"@level":"info","@message":"up"}}\n', JSON),
        ("panic: runtime error\n\ngoroutine 1 [running]:\n", "panic: runtime error"),
        ("fatal error: out of memory\n", "fatal error: out of memory"),
    ],
)
def test_the_last_line_of_an_error_is_told(log: str, told: str | None) -> None:
    assert last_error(log) == told


@pytest.mark.parametrize(
    "secret",
    [
        "hvs.CAESIJ-_x",
        "hvb.AAAAAQ-x_y",
        "s.iyNUhq8Ov4hIAx6snw5mB2nL",
        "0f4ae7c1d3b26598aa01",
        "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE=",
        "aB3/eFgHi+kLmNoP/RsTuVwX1yZa/bCdEfGhIjKlMnO=",
        # Without a digit, and without a long run between two slashes.
        "aDtYSuPifejb/nIkqJApGSBHxdzdpU/xYiYgSejbwAU=",
    ],
)
def test_what_may_be_a_secret_is_not_told(secret: str) -> None:
    assert (
        last_error(f'[ERROR] core: token "{secret}" expired') == '[ERROR] core: token "…" expired'
    )


def test_a_path_is_told() -> None:
    line = "[ERROR] open /vault/userconfig/tls/certificates/tls.crt: no such file or directory"

    assert last_error(line) == line


def test_an_error_of_any_length_is_one_line() -> None:
    told = last_error("[ERROR] " + "word " * 200)

    assert told is not None
    assert len(told) <= 300
