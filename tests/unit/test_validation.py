import pytest

from mesh_trust import InvalidInputError
from mesh_trust.validation import (
    require_common_name,
    require_dns_label,
    require_one_of,
    require_server_address,
    require_vault_path,
    require_whole_number,
)


@pytest.mark.parametrize("value", ["a", "east", "eu-west-1", "0", "a" * 63])
def test_a_dns_label_passes(value: str) -> None:
    assert require_dns_label("cluster", value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "East",
        "a_b",
        "a b",
        "a/b",
        "-a",
        "a-",
        "a" * 64,
        "é",
        'a"',
        "a.b",
        "*",
        "+",
        "a\n",
        None,
        7,
    ],
)
def test_anything_else_is_no_dns_label(value: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^cluster: .*lower-case"):
        require_dns_label("cluster", value)


@pytest.mark.parametrize("value", ["pki", "pki_int_east", "team/pki", "v1.2-x"])
def test_a_vault_path_passes(value: str) -> None:
    assert require_vault_path("mount_path", value) == value


@pytest.mark.parametrize(
    "value", ["", "/pki", "pki/", "a//b", "pki_int_*", "pki/+/x", 'x"', "a b", "a\n", None]
)
def test_a_path_that_could_widen_a_policy_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^mount_path: "):
        require_vault_path("mount_path", value)


@pytest.mark.parametrize("value", [1, 2, 10**6])
def test_a_whole_number_passes(value: int) -> None:
    assert require_whole_number("days", value, minimum=1, unit="days") == value


@pytest.mark.parametrize("value", [0, -1, 1.5, "1", True, None])
def test_any_other_number_is_refused(value: int) -> None:
    with pytest.raises(InvalidInputError, match=r"^days: .*whole number of days, 1 or more"):
        require_whole_number("days", value, minimum=1, unit="days")


def test_one_of_a_closed_set() -> None:
    assert require_one_of("mode", "dev", ("dev", "existing")) == "dev"
    with pytest.raises(InvalidInputError, match=r"^mode: 'prod' .*use one of dev, existing$"):
        require_one_of("mode", "prod", ("dev", "existing"))


@pytest.mark.parametrize(
    "value",
    ["https://vault", "https://vault.example.com:8200", "https://127.0.0.1:1", "https://[::1]:1"],
)
def test_a_server_address_passes(value: str) -> None:
    assert require_server_address("address", value) == value


@pytest.mark.parametrize(
    "value",
    [
        "vault:8200",
        "vault",
        "",
        "https://",
        "https://vault/",
        "https://vault/v1",
        "https://vault?x",
        "https://vault#x",
        "https://me@vault",
        "https://vault:port",
        "https://vault:99999",
        "https://vault:0",
        "https://vault:",
        "https://vault:8200\n",
        "https://va ult:8200",
        "https://välut",
        "ftp://vault",
        None,
    ],
)
@pytest.mark.parametrize("allow_http", [False, True])
def test_anything_else_is_no_server_address(value: str, allow_http: bool) -> None:
    with pytest.raises(InvalidInputError, match=r"^address: "):
        require_server_address("address", value, allow_http=allow_http)


def test_plain_http_is_for_development_only() -> None:
    assert require_server_address("address", "http://vault:8200", allow_http=True)
    with pytest.raises(InvalidInputError, match=r"plain HTTP is for development only"):
        require_server_address("address", "http://vault:8200")


def test_a_common_name_has_1_to_64_characters() -> None:
    for value in ("x", "x" * 64):
        assert require_common_name("common_name", value) == value
    for wrong in ("", "x" * 65, 7, None):
        with pytest.raises(InvalidInputError, match=r"^common_name: .*1 to 64"):
            require_common_name("common_name", wrong)  # type: ignore[arg-type]
