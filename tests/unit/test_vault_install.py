from typing import Any

import pulumi
import pytest

from components import InvalidInputError, VaultInstall, VaultInstallArgs
from components.vault_install import service_address
from components.vault_values import merge_values

from .conftest import Recorder, run, secret

RELEASE = "kubernetes:helm.sh/v3:Release"
PASSWORD = "random:index/randomPassword:RandomPassword"
SERVICE = "kubernetes:core/v1:Service"


def install(recorder: Recorder, **args: Any) -> dict[str, Any]:
    """Inputs of the release that mode `dev` makes, after the outputs were checked."""
    recorder.computed[PASSWORD] = {"result": "a-token"}
    recorder.computed[RELEASE] = {"status": {"namespace": "vault", "name": "vault"}}
    recorder.computed[SERVICE] = {
        "metadata": {"name": "vault", "namespace": "vault"},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
    }

    def program() -> pulumi.Output[Any]:
        vault = VaultInstall("vault", {"mode": "dev", **args})  # type: ignore[typeddict-item]
        return pulumi.Output.all(
            vault.service_name, vault.root_token, vault.root_token.is_secret(), vault.ca_certificate
        )

    assert run(program) == ["vault", "a-token", True, None]
    return recorder.of_type(RELEASE)["vault-release"]


def test_the_release_is_that_of_the_guide(recorder: Recorder) -> None:
    assert install(recorder) == {
        "name": "vault",
        "namespace": "vault",
        "createNamespace": True,
        "chart": "vault",
        "version": "0.34.1",
        "repositoryOpts": {"repo": "https://helm.releases.hashicorp.com"},
        # One secret in them makes all of them secret.
        "values": secret(
            {
                "injector": {"enabled": False},
                "server": {
                    "dev": {"enabled": True, "devRootToken": "a-token"},
                    "logLevel": "debug",
                    "service": {"type": "LoadBalancer"},
                },
            }
        ),
        "atomic": True,
        "timeout": 300,
        "compat": "true",
    }


@pytest.mark.parametrize(
    ("argument", "value", "path"),
    [
        ("namespace", "secrets", ["namespace"]),
        ("chart_version", "0.30.0", ["version"]),
        ("repository", "https://charts.example.com", ["repositoryOpts", "repo"]),
        ("timeout_seconds", 60, ["timeout"]),
        ("service_type", "NodePort", ["values", "value", "server", "service", "type"]),
        ("log_level", "info", ["values", "value", "server", "logLevel"]),
    ],
)
def test_every_argument_reaches_the_release(
    recorder: Recorder, argument: str, value: Any, path: list[str]
) -> None:
    rendered: Any = install(recorder, **{argument: value})
    for key in path:
        rendered = rendered[key]
    assert rendered == value


def test_the_users_values_win_over_ours(recorder: Recorder) -> None:
    values = install(recorder, values={"server": {"logLevel": "warn"}, "ui": True})["values"][
        "value"
    ]

    assert (values["server"]["logLevel"], values["ui"]) == ("warn", True)
    assert values["server"]["dev"]["enabled"] is True


@pytest.mark.parametrize("chart", ["./charts/vault", "oci://registry.example.com/charts/vault"])
def test_a_path_or_an_oci_reference_needs_no_repository(recorder: Recorder, chart: str) -> None:
    release = install(recorder, chart=chart)

    assert release["chart"] == chart
    assert "repositoryOpts" not in release


def test_the_address_is_that_of_the_load_balancer(recorder: Recorder) -> None:
    recorder.computed[RELEASE] = {"status": {"namespace": "vault", "name": "vault"}}
    recorder.computed[SERVICE] = {
        "metadata": {"name": "vault", "namespace": "vault"},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}},
    }

    assert run(lambda: VaultInstall("vault", {"mode": "dev"}).address) == "http://192.0.2.7:8200"


def test_an_existing_vault_is_passed_on(recorder: Recorder) -> None:
    def program() -> pulumi.Output[Any]:
        vault = VaultInstall(
            "vault", {"mode": "existing", "address": "https://vault:8200", "ca_certificate": "ca"}
        )
        return pulumi.Output.all(
            vault.address, vault.ca_certificate, vault.service_name, vault.root_token
        )

    assert run(program) == ["https://vault:8200", "ca", None, None]
    assert recorder.types() == ["mesh-trust:index:VaultInstall"]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"mode": "prod"}, "mode"),
        ({"mode": "existing"}, "address"),
        ({"mode": "existing", "address": "vault"}, "address"),
        ({"mode": "existing", "address": "https://vault", "values": {}}, "values"),
        ({"mode": "dev", "address": "https://vault"}, "address"),
        ({"mode": "dev", "ca_certificate": "x"}, "ca_certificate"),
        ({"mode": "dev", "namespace": "a_b"}, "namespace"),
        ({"mode": "dev", "service_type": "ExternalName"}, "service_type"),
        ({"mode": "dev", "log_level": "loud"}, "log_level"),
        ({"mode": "dev", "timeout_seconds": 0}, "timeout_seconds"),
        (
            {"mode": "dev", "values": {"server": {"dev": {"devRootToken": "hush"}}}},
            "values.server.dev.devRootToken",
        ),
        (
            {"mode": "dev", "values": {"server": {"dev": {"enabled": False}}}},
            "values.server.dev.enabled",
        ),
        ({"mode": "dev", "values": {"global": {"tlsDisable": False}}}, "values.global.tlsDisable"),
        ({"mode": "dev", "chart": "./vault", "repository": "https://charts"}, "repository"),
    ],
)
def test_bad_input_is_refused_before_anything_is_registered(
    recorder: Recorder, args: VaultInstallArgs, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as refused:
        VaultInstall("vault", args)
    assert "hush" not in str(refused.value)
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("service_type", "ingress", "address"),
    [
        ("LoadBalancer", [{"ip": "192.0.2.7"}], "http://192.0.2.7:8200"),
        ("LoadBalancer", [{"hostname": "lb.example.com"}], "http://lb.example.com:8200"),
        ("ClusterIP", [], "http://vault.secrets.svc:8200"),
        ("NodePort", [], "http://vault.secrets.svc:8200"),
    ],
)
def test_where_vault_answers(
    service_type: str, ingress: list[dict[str, str]], address: str
) -> None:
    assert service_address(service_type, "vault", "secrets", ingress) == address


@pytest.mark.parametrize("ingress", [[], [{}]])
def test_a_missing_load_balancer_is_said(ingress: list[dict[str, str]]) -> None:
    with pytest.raises(pulumi.RunError, match="Service secrets/vault has no load balancer address"):
        service_address("LoadBalancer", "vault", "secrets", ingress)


def test_values_are_merged_as_helm_merges_them() -> None:
    ours = {"a": {"b": 1, "c": [1, 2]}, "d": 1}

    assert merge_values(ours, {"a": {"c": [3]}, "e": None}) == {
        "a": {"b": 1, "c": [3]},
        "d": 1,
        "e": None,
    }
    assert ours == {"a": {"b": 1, "c": [1, 2]}, "d": 1}
