from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError
from mesh_trust.vault_values import (
    VaultObjects,
    development_values,
    merge_values,
    refuse_values_of_ours,
    vault_objects,
)

from .conftest import Recorder, run


def objects(values: dict[str, Any], release: str = "vault") -> VaultObjects:
    ours = development_values(log_level="debug", service_type="LoadBalancer", root_token="…")
    return vault_objects(release, "secrets", merge_values(ours, values))


def test_values_are_merged_as_helm_merges_them() -> None:
    ours = {"a": {"b": 1, "c": [1, 2]}, "d": 1}

    assert merge_values(ours, {"a": {"c": [3]}, "e": None}) == {
        "a": {"b": 1, "c": [3]},
        "d": 1,
        "e": None,
    }
    assert ours == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_the_objects_of_the_guides_release() -> None:
    assert objects({}) == VaultObjects("vault", "secrets", "vault", "LoadBalancer", 8200)


@pytest.mark.parametrize(
    ("release", "values", "name"),
    [
        ("vault", {"fullnameOverride": "ours"}, "ours"),
        ("vault", {"fullnameOverride": ""}, "vault"),
        ("vault", {"fullnameOverride": None}, "vault"),
        ("vault", {"fullnameOverride": "a" * 62 + "-b"}, "a" * 62),
        ("vault", {"nameOverride": "secrets"}, "vault-secrets"),
        ("vault", {"nameOverride": "ault"}, "vault"),
        ("vault", {"fullnameOverride": "ours", "nameOverride": "secrets"}, "ours"),
        ("our-vault", {}, "our-vault"),
        ("ours", {}, "ours-vault"),
    ],
)
def test_the_name_is_the_charts(release: str, values: dict[str, Any], name: str) -> None:
    assert objects(values, release).name == name


@pytest.mark.parametrize(
    ("service", "service_type", "port"),
    [
        ({}, "LoadBalancer", 8200),
        ({"type": "NodePort", "nodePort": 30000}, "NodePort", 8200),
        ({"type": None}, "ClusterIP", 8200),
        ({"port": 80}, "LoadBalancer", 80),
    ],
)
def test_the_service_is_that_of_the_merged_values(
    service: dict[str, Any], service_type: str, port: int
) -> None:
    found = objects({"server": {"service": service}})

    assert (found.service_type, found.port) == (service_type, port)
    assert found.address_inside == f"http://vault.secrets.svc:{port}"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"fullnameOverride": 7}, "values.fullnameOverride"),
        ({"fullnameOverride": "A"}, "values.fullnameOverride"),
        ({"nameOverride": "a b"}, "values.nameOverride"),
        ({"server": {"service": {"type": "ExternalName"}}}, "values.server.service.type"),
        ({"server": {"service": {"port": 0}}}, "values.server.service.port"),
        ({"server": {"service": {"port": 65536}}}, "values.server.service.port"),
        ({"server": {"service": {"port": "8200"}}}, "values.server.service.port"),
        ({"server": {"service": {"port": True}}}, "values.server.service.port"),
    ],
)
def test_a_value_that_the_chart_cannot_use_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        objects(values)


def test_what_decides_about_the_name_has_to_be_known() -> None:
    with pytest.raises(InvalidInputError, match=r"^values\.fullnameOverride: "):
        objects({"fullnameOverride": pulumi.UNKNOWN})


@pytest.mark.parametrize(
    "path",
    [
        "server.dev.devRootToken",
        "server.dev.enabled",
        "server.enabled",
        "server.service.enabled",
        "global.enabled",
        "global.externalVaultAddr",
        "global.namespace",
        "global.tlsDisable",
        "injector.externalVaultAddr",
    ],
)
def test_what_would_make_the_outputs_untrue_is_refused(path: str) -> None:
    values: Any = "hush"
    for key in reversed(path.split(".")):
        values = {key: values}

    with pytest.raises(InvalidInputError, match=f"^values.{path}: ") as refused:
        refuse_values_of_ours(values)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [{}, {"server": {"dev": {}}}, {"server": {"image": None}}, {"global": {"openshift": True}}],
)
def test_everything_else_is_the_users(values: dict[str, Any]) -> None:
    refuse_values_of_ours(values)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (["hush"], "values"),
        (None, "values"),
        # Helm takes null as the end of what is in it, here that Vault runs in mode dev.
        ({"server": None}, "values.server"),
        ({"server": "hush"}, "values.server"),
        ({"server": {"dev": None}}, "values.server.dev"),
        ({"server": {"service": ["hush"]}}, "values.server.service"),
        ({"global": pulumi.UNKNOWN}, "values.global"),
        ({"injector": True}, "values.injector"),
    ],
)
def test_what_ours_are_in_stays_a_map(values: Any, field: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: '…' ") as refused:
        refuse_values_of_ours(values)
    assert "hush" not in str(refused.value)


def test_an_output_does_not_hide_what_decides(recorder: Recorder) -> None:
    def program() -> pulumi.Output[None]:
        hidden = pulumi.Output.from_input({"service": {"type": "NodePort"}})
        with pytest.raises(InvalidInputError, match=r"^values\.server: '…' "):
            refuse_values_of_ours({"server": hidden})
        refuse_values_of_ours({"server": {"image": {"tag": hidden}}})
        return pulumi.Output.from_input(None)

    run(program)
    assert recorder.registered == []
