from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError
from mesh_trust.vault_seal import seal_plan

from .conftest import Recorder, run

AWS = {"region": "eu-central-1", "kms_key_id": "alias/vault"}
GCP = {"project": "p", "region": "global", "key_ring": "ring", "crypto_key": "key"}
AZURE = {"tenant_id": "0-1", "vault_name": "keys", "key_name": "vault"}
TRANSIT = {"address": "https://other:8200", "key_name": "unseal", "token": "hush"}
AWS_KEY = {"access_key_id": "AKIA", "secret_access_key": "hush"}


def planned(kind: str, fields: Mapping[str, Any]) -> Any:
    return seal_plan({kind: fields})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "fields", "parameters"),
    [
        ("awskms", AWS, AWS),
        (
            "awskms",
            AWS | {"endpoint": "https://kms.local"},
            AWS | {"endpoint": "https://kms.local"},
        ),
        ("gcpckms", GCP, GCP),
        ("azurekeyvault", AZURE, AZURE),
        ("azurekeyvault", AZURE | {"client_id": "7"}, AZURE | {"client_id": "7"}),
    ],
)
def test_without_credentials_the_pods_own_are_used(
    kind: str, fields: dict[str, str], parameters: dict[str, str]
) -> None:
    plan = planned(kind, fields)

    assert (plan.seal.kind, plan.seal.parameters) == (kind, parameters)
    assert (plan.content, plan.variables, plan.files, plan.environment) == ({}, (), (), {})


@pytest.mark.parametrize(
    ("kind", "fields", "content"),
    [
        (
            "awskms",
            AWS | AWS_KEY,
            {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush"},
        ),
        (
            "awskms",
            AWS | AWS_KEY | {"session_token": "hush2"},
            {
                "AWS_ACCESS_KEY_ID": "AKIA",
                "AWS_SECRET_ACCESS_KEY": "hush",
                "AWS_SESSION_TOKEN": "hush2",
            },
        ),
        ("azurekeyvault", AZURE | {"client_secret": "hush"}, {"AZURE_CLIENT_SECRET": "hush"}),
        ("transit", TRANSIT, {"VAULT_TOKEN": "hush"}),
    ],
)
def test_credentials_are_variables_and_not_in_the_configuration(
    kind: str, fields: dict[str, str], content: dict[str, str]
) -> None:
    plan = planned(kind, fields)

    assert plan.content == content
    assert plan.variables == tuple(content)
    assert (plan.files, plan.environment) == ((), {})
    assert not set(content.values()) & set(plan.seal.parameters.values())


def test_a_key_of_a_google_account_is_a_file() -> None:
    plan = planned("gcpckms", GCP | {"credentials": '{"private_key": "hush"}'})

    assert plan.content == {"credentials.json": '{"private_key": "hush"}'}
    assert (plan.variables, plan.files) == ((), ("credentials.json",))
    assert plan.environment == {"GOOGLE_APPLICATION_CREDENTIALS": "/vault/seal/credentials.json"}
    assert plan.seal.parameters == GCP


def test_another_vault_is_named_with_its_engine_and_its_ca() -> None:
    more = {"mount_path": "/keys/", "namespace": "team", "ca_certificate": "PEM"}
    plan = planned("transit", TRANSIT | more)

    assert plan.seal.parameters == {
        "address": "https://other:8200",
        "key_name": "unseal",
        "mount_path": "keys/",
        "namespace": "team",
        "tls_ca_cert": "/vault/seal/ca.crt",
    }
    assert plan.content == {"VAULT_TOKEN": "hush", "ca.crt": "PEM"}
    assert planned("transit", TRANSIT).seal.parameters["mount_path"] == "transit/"


def test_credentials_may_become_known_later(recorder: Recorder) -> None:
    def program() -> pulumi.Output[Any]:
        token = pulumi.Output.secret("hush")
        assert planned("transit", TRANSIT | {"token": token}).content == {"VAULT_TOKEN": token}
        return pulumi.Output.from_input(None)

    run(program)
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({}, "seal"),
        ("awskms", "seal"),
        ({"awskms": AWS, "gcpckms": GCP}, "seal"),
        ({"ocikms": {}}, "seal.ocikms"),
        ({"awskms": "alias/vault"}, "seal.awskms"),
        ({"awskms": {"region": "eu"}}, "seal.awskms.kms_key_id"),
        ({"awskms": AWS | {"key": "x"}}, "seal.awskms.key"),
        ({"awskms": AWS | {"access_key_id": "AKIA"}}, "seal.awskms.secret_access_key"),
        ({"awskms": AWS | {"secret_access_key": "hush"}}, "seal.awskms.access_key_id"),
        ({"awskms": AWS | AWS_KEY | {"secret_access_key": " "}}, "seal.awskms.secret_access_key"),
        ({"awskms": AWS | {"kms_key_id": 'a" }'}}, "seal.awskms.kms_key_id"),
        ({"awskms": AWS | {"kms_key_id": "{{ .Values }}"}}, "seal.awskms.kms_key_id"),
        ({"awskms": AWS | {"kms_key_id": 7}}, "seal.awskms.kms_key_id"),
        ({"gcpckms": GCP | {"project": "of-HOSTNAME"}}, "seal.gcpckms.project"),
        ({"gcpckms": GCP | {"credentials": 7}}, "seal.gcpckms.credentials"),
        ({"azurekeyvault": AZURE | {"tenant_id": ""}}, "seal.azurekeyvault.tenant_id"),
        ({"transit": {"address": "https://o", "key_name": "k"}}, "seal.transit.token"),
        ({"transit": TRANSIT | {"address": "http://o"}}, "seal.transit.address"),
        ({"transit": TRANSIT | {"address": "o:8200"}}, "seal.transit.address"),
        ({"transit": TRANSIT | {"mount_path": "a//b"}}, "seal.transit.mount_path"),
    ],
)
def test_what_cannot_be_used_is_named(args: Any, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as refused:
        seal_plan(args)
    assert "hush" not in str(refused.value)
