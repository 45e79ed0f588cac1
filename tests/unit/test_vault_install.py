from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_trust import InvalidInputError, VaultInstall, VaultInstallArgs
from mesh_trust.cluster_errors import UnusableAccessError
from mesh_trust.readiness import Obstacle, Ready
from mesh_trust.vault_commands import VaultCommands

from .conftest import VAULT_ADDRESS, ClusterSeen, Recorder, run, secret

RELEASE = "kubernetes:helm.sh/v3:Release"
PASSWORD = "random:index/randomPassword:RandomPassword"
NAMESPACE = "kubernetes:core/v1:Namespace"
SEALED = Obstacle("sealed", "Vault is sealed", "unseal it")


@pytest.fixture(autouse=True)
def cluster(recorder: Recorder) -> None:
    recorder.computed[PASSWORD] = {"result": "a-token"}
    recorder.computed[NAMESPACE] = {"metadata": {"name": "kube-system", "uid": "the-uid"}}


@pytest.fixture
def chart_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A chart of one's own, relative to the program's folder."""
    (tmp_path / "charts" / "vault").mkdir(parents=True)
    (tmp_path / "charts" / "vault" / "Chart.yaml").write_text("name: vault\n")
    monkeypatch.chdir(tmp_path)
    return "./charts/vault"


def preview() -> Recorder:
    """From here on it is a preview; what is registered in it."""
    mocks = Recorder()
    mocks.computed[NAMESPACE] = {"metadata": {"name": "kube-system", "uid": "the-uid"}}
    mocks.computed[PASSWORD] = {"result": "a-token"}
    pulumi.runtime.set_mocks(mocks, project="mesh-trust", stack="unit", preview=True)
    return mocks


def install(recorder: Recorder, **args: Any) -> dict[str, Any]:
    """Inputs of the release that mode `dev` makes, after the outputs were checked."""

    def program() -> pulumi.Output[Any]:
        vault = VaultInstall("vault", {"mode": "dev", **args})  # type: ignore[typeddict-item]
        return pulumi.Output.all(
            vault.address,
            vault.root_token,
            vault.root_token.is_secret(),
            vault.address.is_secret(),
            vault.ca_certificate,
        )

    assert run(program) == [VAULT_ADDRESS, "a-token", True, False, None]
    return recorder.of_type(RELEASE)["vault-release"]


def existing(**args: Any) -> pulumi.Output[str]:
    return VaultInstall("vault", {"mode": "existing", "address": "https://v", **args}).address  # type: ignore[typeddict-item]


def test_the_release_is_that_of_the_guide(recorder: Recorder) -> None:
    assert install(recorder) == {
        "name": "vault",
        "namespace": "vault",
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
        "skipAwait": True,
        "compat": "true",
    }


@pytest.mark.parametrize(
    ("argument", "value", "path"),
    [
        ("namespace", "secrets", ["namespace"]),
        ("chart", "vault-of-ours", ["chart"]),
        ("chart_version", "0.30.0", ["version"]),
        ("repository", "https://charts.example.com/stable", ["repositoryOpts", "repo"]),
        ("service_type", "NodePort", ["values", "value", "server", "service", "type"]),
        ("log_level", "info", ["values", "value", "server", "logLevel"]),
        ("values", {"ui": {"enabled": True}}, ["values", "value", "ui"]),
    ],
)
def test_every_argument_reaches_the_release(
    recorder: Recorder, argument: str, value: Any, path: list[str]
) -> None:
    rendered: Any = install(recorder, **{argument: value})
    for key in path:
        rendered = rendered[key]
    assert rendered == (value["ui"] if argument == "values" else value)


def test_the_namespace_goes_with_the_release_that_it_was_made_for(recorder: Recorder) -> None:
    install(recorder, namespace="secrets")
    made = recorder.of_type(NAMESPACE)["vault-namespace"]
    assert made["metadata"] == {"name": "secrets"}


def test_a_namespace_that_is_there_is_left_to_its_owner(recorder: Recorder) -> None:
    release = install(recorder, namespace="secrets", create_namespace=False)
    assert release["namespace"] == "secrets"
    assert "vault-namespace" not in recorder.of_type(NAMESPACE)


def test_the_users_values_win_over_ours(recorder: Recorder) -> None:
    values = install(recorder, values={"server": {"logLevel": "warn"}, "ui": True})["values"][
        "value"
    ]

    assert (values["server"]["logLevel"], values["ui"]) == ("warn", True)
    assert values["server"]["dev"]["enabled"] is True


def test_how_long_to_wait_changes_nothing_of_the_release(recorder: Recorder) -> None:
    assert "timeout" not in install(recorder, timeout_seconds=60)


def test_an_oci_reference_needs_no_repository(recorder: Recorder) -> None:
    release = install(recorder, chart="oci://registry.example.com/charts/vault")

    assert release["chart"] == "oci://registry.example.com/charts/vault"
    assert release["version"] == "0.34.1"
    assert "repositoryOpts" not in release


def test_a_local_chart_has_its_own_version(recorder: Recorder, chart_folder: str) -> None:
    release = install(recorder, chart=chart_folder)

    assert release["chart"] == chart_folder
    assert "repositoryOpts" not in release
    assert "version" not in release


@pytest.mark.parametrize(
    ("args", "connection"),
    [
        ({}, (None, None)),
        ({"kubeconfig": "/kubeconfig", "context": "mgmt"}, ("/kubeconfig", "mgmt")),
    ],
)
def test_the_cluster_is_compared_before_anything_is_installed(
    recorder: Recorder, args: dict[str, str], connection: tuple[str | None, str | None]
) -> None:
    install(recorder, **args)

    assert ClusterSeen.asked == [connection, ("the-uid",), connection]
    assert recorder.types().index(NAMESPACE) < recorder.types().index(RELEASE)


def test_another_cluster_than_the_providers_gets_no_release(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: ClusterSeen, uid: str) -> None:
        raise UnusableAccessError("context", uid, "name the same")

    monkeypatch.setattr(ClusterSeen, "require_identity", refuse)

    with pytest.raises(UnusableAccessError, match=r"^context: 'the-uid'"):
        install(recorder)
    assert RELEASE not in recorder.types()


def test_a_secret_kubeconfig_makes_no_secret_of_the_address(recorder: Recorder) -> None:
    def program() -> pulumi.Output[Any]:
        kubeconfig = pulumi.Output.secret("users: []\n")
        vault = VaultInstall("vault", {"mode": "dev", "kubeconfig": kubeconfig})
        return pulumi.Output.all(vault.address, vault.address.is_secret())

    assert run(program) == [VAULT_ADDRESS, False]
    assert recorder.of_type(RELEASE)["vault-release"]["namespace"] == "vault"


@pytest.mark.parametrize(
    ("values", "name"),
    [({}, "vault"), ({"fullnameOverride": "ours"}, "ours"), ({"nameOverride": "x"}, "vault-x")],
)
def test_the_service_is_named_as_the_chart_names_it(values: dict[str, str], name: str) -> None:
    assert run(lambda: VaultInstall("v", {"mode": "dev", "values": values}).service_name) == name


def test_a_vault_that_is_not_ready_fails_the_run_with_the_reason(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_trust.vault_install.VaultInCluster.look", lambda _: SEALED)

    with pytest.raises(pulumi.RunError, match=r"^Vault is not ready after 1 s: Vault is sealed; "):
        install(recorder, timeout_seconds=1)
    assert RELEASE in recorder.types()


@pytest.mark.usefixtures("recorder")
def test_a_remark_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        "mesh_trust.vault_install.VaultInCluster.look",
        lambda _: Ready(VAULT_ADDRESS, "the pod is an old one"),
    )

    assert run(lambda: VaultInstall("vault", {"mode": "dev"}).address) == VAULT_ADDRESS
    assert [each.getMessage() for each in caplog.records] == ["the pod is an old one"]
    assert caplog.records[0].levelname == "WARNING"


def test_a_preview_knows_the_address_of_a_vault_that_is_ready() -> None:
    preview()

    assert run(lambda: VaultInstall("vault", {"mode": "dev"}).address) == VAULT_ADDRESS


def test_a_preview_goes_on_without_a_vault_that_is_not_ready(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mesh_trust.vault_install.VaultInCluster.look", lambda _: SEALED)
    monkeypatch.setattr("mesh_trust.vault_install.VaultInCluster.address", lambda _: None)
    mocks = preview()

    def program() -> pulumi.Output[Any]:
        vault = VaultInstall("vault", {"mode": "dev"})
        return pulumi.Output.all(vault.address.is_known(), vault.service_name)

    assert run(program) == [False, "vault"]
    assert RELEASE in mocks.types()
    monkeypatch.setattr(
        "mesh_trust.vault_install.VaultInCluster.address", lambda _: "http://its-service"
    )
    assert run(lambda: VaultInstall("vault", {"mode": "dev"}).address) == "http://its-service"
    warnings = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert warnings == [("WARNING", "Vault is not ready: Vault is sealed; unseal it")] * 2


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


def test_an_existing_vault_is_asked_with_its_ca(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", lambda *a: asked.append(a))

    assert run(existing) == "https://v"
    assert run(lambda: existing(ca_certificate="the CA")) == "https://v"
    assert asked == [("https://v", None, None, None), ("https://v", "the CA", None, None)]
    assert recorder.types() == ["mesh-trust:index:VaultInstall"] * 2


@pytest.mark.usefixtures("recorder")
def test_what_is_advised_of_an_existing_vault_names_it_as_the_program_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = VaultCommands.of_stack("prod-vault")

    def look(_: str, __: str | None, ___: None, given: VaultCommands) -> Obstacle:
        return Obstacle("sealed", "Vault is sealed", f"run {given.unseal}")

    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", look)

    with pytest.raises(
        pulumi.RunError,
        match=r"is sealed; run `mesh-trust --stack prod-vault vault unseal --keys-file FILE`$",
    ):
        run(
            lambda: (
                VaultInstall(
                    "vault",
                    {"mode": "existing", "address": "https://v", "timeout_seconds": 1},
                    commands=commands,
                ).address
            )
        )


@pytest.mark.usefixtures("recorder")
def test_a_ca_out_of_a_secret_makes_no_secret_of_the_address() -> None:
    def program() -> pulumi.Output[Any]:
        address = existing(ca_certificate=pulumi.Output.secret("the CA"))
        return pulumi.Output.all(address, address.is_secret())

    assert run(program) == ["https://v", False]


def test_an_existing_vault_is_waited_for(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", lambda *_: SEALED)

    with pytest.raises(pulumi.RunError, match=r"^Vault is not ready after 1 s: Vault is sealed; "):
        run(lambda: existing(timeout_seconds=1))
    assert recorder.types() == ["mesh-trust:index:VaultInstall"]


def test_a_preview_asks_an_existing_vault_once_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    preview()
    assert run(existing) == "https://v"
    assert caplog.records == []

    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", lambda *_: SEALED)
    assert run(existing) == "https://v"
    warnings = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert warnings == [("WARNING", "Vault is not ready: Vault is sealed; unseal it")]


def test_a_preview_fails_on_an_existing_vault_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    too_old = Obstacle("too old", "Vault is of version 1.10.3", "upgrade it", 0)
    monkeypatch.setattr("mesh_trust.vault_install.health_obstacle", lambda *_: too_old)
    preview()

    with pytest.raises(pulumi.RunError, match=r"^Vault is of version 1\.10\.3; upgrade it$"):
        run(existing)


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({}, "mode"),
        ({"mode": "prod"}, "mode"),
        ({"mode": "existing"}, "address"),
        ({"mode": "existing", "address": "vault"}, "address"),
        ({"mode": "existing", "address": "https://vault", "values": {}}, "values"),
        ({"mode": "existing", "address": "https://vault", "context": "mgmt"}, "context"),
        ({"mode": "existing", "address": "https://vault", "timeout_seconds": 0}, "timeout_seconds"),
        ({"mode": "dev", "address": "https://vault"}, "address"),
        ({"mode": "dev", "ca_certificate": "x"}, "ca_certificate"),
        ({"mode": "dev", "servce_type": "NodePort"}, "servce_type"),
        ({"mode": "dev", "namespace": "a_b"}, "namespace"),
        ({"mode": "dev", "create_namespace": "no"}, "create_namespace"),
        ({"mode": "dev", "context": ""}, "context"),
        ({"mode": "dev", "service_type": "ExternalName"}, "service_type"),
        ({"mode": "dev", "log_level": "loud"}, "log_level"),
        ({"mode": "dev", "timeout_seconds": 0}, "timeout_seconds"),
        ({"mode": "dev", "chart": "./absent"}, "chart"),
        ({"mode": "dev", "chart_version": ">= 0.30"}, "chart_version"),
        ({"mode": "dev", "values": []}, "values"),
        ({"mode": "dev", "values": {"fullnameOverride": "a_b"}}, "values.fullnameOverride"),
        (
            {"mode": "dev", "values": {"server": {"dev": {"devRootToken": "hush"}}}},
            "values.server.dev.devRootToken",
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_registered(
    recorder: Recorder, args: VaultInstallArgs, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as refused:
        VaultInstall("vault", args)
    assert "hush" not in str(refused.value)
    assert recorder.registered == []
