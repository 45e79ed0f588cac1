from pathlib import Path

import pytest

from lab.plugins.provider.provider import ProviderError
from lab.plugins.provider.values import Properties, Secret
from lab.plugins.vault.configuration import Configuration, read_configuration

GIVEN: Properties = {"address": "https://vault:8200", "token": Secret("root")}
DEFAULT = Configuration(
    address="https://vault:8200",
    token="root",
    verify=True,
    namespace="",
    namespace_from_token=True,
    child_token_seconds=1200,
    child_token_name="terraform",
    retries=2,
    version=None,
    ask_version=True,
)


def test_defaults() -> None:
    assert read_configuration(GIVEN, {}) == DEFAULT


@pytest.mark.parametrize(
    ("inputs", "environment", "expected"),
    [
        ({"caCertFile": "/a.pem"}, {}, Path("/a.pem")),
        ({"caCertDir": "/dir"}, {}, Path("/dir")),
        ({"caCertFile": "/a.pem", "caCertDir": "/dir"}, {}, Path("/a.pem")),
        ({}, {"VAULT_CACERT": "/b.pem"}, Path("/b.pem")),
        ({}, {"VAULT_CAPATH": "/dir"}, Path("/dir")),
        ({"caCertFile": "/a.pem"}, {"VAULT_CACERT": "/b.pem"}, Path("/a.pem")),
        ({"skipTlsVerify": "true", "caCertFile": "/a.pem"}, {}, False),
        ({}, {"VAULT_SKIP_VERIFY": "1"}, False),
        ({"skipTlsVerify": "false"}, {"VAULT_SKIP_VERIFY": "1"}, True),
        ({}, {"VAULT_SKIP_VERIFY": "perhaps"}, True),
    ],
)
def test_what_a_server_is_verified_against(
    inputs: Properties, environment: dict[str, str], expected: bool | Path
) -> None:
    assert read_configuration({**GIVEN, **inputs}, environment).verify == expected


@pytest.mark.parametrize(
    ("inputs", "environment", "expected"),
    [
        ({"maxLeaseTtlSeconds": "60"}, {"TERRAFORM_VAULT_MAX_TTL": "90"}, 60),
        ({"maxLeaseTtlSeconds": 60}, {}, 60),
        ({}, {"TERRAFORM_VAULT_MAX_TTL": "90"}, 90),
        ({}, {"TERRAFORM_VAULT_MAX_TTL": "soon"}, 1200),
        ({"skipChildToken": "true", "maxLeaseTtlSeconds": "60"}, {}, None),
        ({"skipChildToken": True}, {}, None),
        ({}, {"TERRAFORM_VAULT_SKIP_CHILD_TOKEN": "true"}, None),
        ({"skipChildToken": "false"}, {"TERRAFORM_VAULT_SKIP_CHILD_TOKEN": "true"}, 1200),
    ],
)
def test_the_child_token_s_lifetime(
    inputs: Properties, environment: dict[str, str], expected: int | None
) -> None:
    configuration = read_configuration({**GIVEN, **inputs}, environment)
    assert configuration.child_token_seconds == expected


def test_inputs_go_before_the_environment() -> None:
    environment = {
        "VAULT_ADDR": "http://other:8200",
        "VAULT_TOKEN": "other",
        "VAULT_NAMESPACE": "other",
        "VAULT_MAX_RETRIES": "7",
    }
    configuration = read_configuration(
        {**GIVEN, "namespace": "/team/", "maxRetries": "3"}, environment
    )
    assert (configuration.address, configuration.token) == ("https://vault:8200", "root")
    assert (configuration.namespace, configuration.retries) == ("team", 3)
    alone = read_configuration({}, environment)
    assert (alone.address, alone.token) == ("http://other:8200", "other")
    assert (alone.namespace, alone.retries) == ("other", 7)


def test_what_the_plugin_cannot_do_is_refused() -> None:
    with pytest.raises(ProviderError, match="VAULT_CACERT_BYTES is set"):
        read_configuration(GIVEN, {"VAULT_CACERT_BYTES": "pem"})


def test_a_configuration_shows_no_token() -> None:
    assert "root" not in repr(read_configuration(GIVEN, {}))
