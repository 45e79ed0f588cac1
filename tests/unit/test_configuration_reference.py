"""What is written about the configuration: the declared keys, and the examples of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mesh_trust.settings import (
    Settings,
    agent,
    cluster,
    connections,
    installation,
    names,
    permissions,
    reference,
    root_generations,
    trust_policy,
)
from mesh_trust.settings.keys import KEYS
from tests.certificates import rsa_key

from .test_settings import VAULT_CA, load

CHECKOUT = Path(__file__).parents[2]


def declared() -> dict[str, Any]:
    """The project's own configuration keys, as Pulumi.yaml declares them."""
    keys = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())["config"]
    return {key: entry for key, entry in keys.items() if ":" not in key}


def example(name: str) -> dict[str, Any]:
    """Configuration values of a stack's file."""
    config = yaml.safe_load((CHECKOUT / name).read_text())["config"]
    return {key.removeprefix("mesh-trust:"): value for key, value in config.items()}


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "Pulumi.prod.yaml", "Pulumi.prod-vault.yaml"])
def test_examples_use_declared_keys_only(name: str) -> None:
    assert example(name)
    assert set(example(name)) <= set(declared())


def test_the_declared_keys_are_those_of_the_program() -> None:
    assert tuple(declared()) == KEYS


def test_the_described_fields_are_those_of_the_program() -> None:
    described = {key.name: tuple(key.fields) for key in reference.described_keys() if key.fields}

    assert described == {
        "agentPermissions": permissions.FIELDS,
        "clusters": cluster.FIELDS,
        "istiodAgent": agent.FIELDS,
        "management": connections.MANAGEMENT_FIELDS,
        "rootGenerations": root_generations.FIELDS,
        "rootTrustPolicy": trust_policy.FIELDS,
        "vaultInstall": tuple(installation.FIELDS),
        "vaultNames": tuple(names.FIELDS),
    }


def test_the_reference_is_the_one_that_is_made_of_the_declaration() -> None:
    page = (CHECKOUT / "docs" / "configuration.md").read_text()

    assert page == reference.page(), "make reference"
    for key in declared():
        assert f"`{key}`" in page


def test_every_key_is_typed_and_described() -> None:
    for key, entry in declared().items():
        assert entry["type"] in ("array", "boolean", "integer", "object", "string"), key
        assert len(entry["description"]) > 20, key
        assert "default" in entry, key


def test_the_declared_defaults_are_those_of_the_program(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_kubeconfig(monkeypatch, tmp_path, ["east"])
    defaults = {key: entry["default"] for key, entry in declared().items() if "default" in entry}

    clusters = [{"name": "east"}]
    assert load(**{**defaults, "clusters": clusters}) == load(clusters=clusters)


def examples() -> Iterator[tuple[str, Any]]:
    """The configurations that the pages show, with the page of each."""
    for page in (CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))):
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL):
            is_program = block.startswith("resources:")
            if "mesh-trust:" in block and not is_program:
                shown = yaml.safe_load(block)
                yield page.name, shown.get("config", shown)


@pytest.mark.parametrize(("page", "shown"), list(examples()))
def test_the_pages_show_what_there_is(page: str, shown: Any) -> None:
    fields = {key.name: set(key.fields) for key in reference.described_keys()}
    for name, value in shown.items():
        key = name.removeprefix("mesh-trust:")
        assert key in KEYS, page
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                assert set(entry) <= fields[key], page
                for inner in ("istiodAgent", "agentPermissions"):
                    assert set(entry.get(inner, {})) <= fields[inner], page


FILES = {
    "eu-west-1-agent.yaml": "common: {}\n",
    "istio-us-east-1.yaml": """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {}
""",
}
"""What the configurations name, in the folder that they are read in."""

COMPANIONS: dict[str, dict[str, Any]] = {
    "rootSigning": {"rootGenerations": [{"name": "first"}, {"name": "2027"}]},
    "rootTrustPolicy": {"management": {"context": "mgmt"}},
    "vaultInstall": {"management": {"context": "mgmt"}, "vaultAddress": None, "clusters": None},
}
"""What a page leaves out that goes with a key of the same stack; None has it left out."""


@pytest.mark.parametrize(("page", "shown"), list(examples()))
def test_what_the_pages_show_can_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, page: str, shown: Any
) -> None:
    values = {key.removeprefix("mesh-trust:"): value for key, value in shown.items()}
    beside: dict[str, Any] = {"clusters": [{"name": "east"}]}
    for key in values:
        beside |= COMPANIONS.get(key, {})
    if values.get("development"):
        # The one stack that does all of it.
        beside = {"clusters": [{"name": "east"}]}
    values = {key: value for key, value in {**beside, **values}.items() if value is not None}
    listed = [each.get("context", each["name"]) for each in values.get("clusters", [])]
    use_kubeconfig(monkeypatch, tmp_path, [*{*listed, "mgmt"}])
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "west-keys.json").write_text(public_key())

    settings = read(values)

    assert settings.clusters or "vaultInstall" in values, page


def read(values: dict[str, Any]) -> Settings:
    """The settings of these values and no others."""
    pulumi.runtime.set_all_config(
        {
            f"mesh-trust:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in values.items()
        }
    )
    outputs = {
        "vaultAddress": "https://vault",
        "vaultCaCertificate": VAULT_CA,
        "vaultNamespace": "vault",
        "vaultAuditFile": None,
    }
    return Settings.load(outputs_of=lambda _: outputs)


def public_key() -> str:
    """That of a cluster's token issuer, PEM."""
    key = rsa_key(2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_the_pages_show_some() -> None:
    assert len(list(examples())) >= 5


def test_the_example_is_a_complete_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = example("Pulumi.prod.yaml")
    contexts = [each["context"] for each in (values["management"], *values["clusters"])]
    use_kubeconfig(monkeypatch, tmp_path, contexts)
    monkeypatch.delenv("VAULT_ADDR")
    monkeypatch.chdir(tmp_path)
    for name in (values["vaultCaFile"], values["clusters"][1]["kubernetesCaFile"]):
        (tmp_path / name).write_text(VAULT_CA)

    settings: Settings = load(**values)

    assert settings.development is False
    assert settings.vault.install["address"] == values["vaultAddress"]
    assert list(settings.connections) == ["eu-west-1", "us-east-1", "management"]
    assert settings.clusters[1].istio.revisions == ("1-20", "1-21")
    assert settings.clusters[1].api_server is not None
    assert settings.clusters[1].api_server.address == "https://api.us-east-1.internal:6443"


def test_the_readmes_example_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, _, rest = (CHECKOUT / "README.md").read_text().partition("```yaml\nconfig:\n")
    config = yaml.safe_load("config:\n" + rest.partition("```")[0])["config"]
    values = {key.removeprefix("mesh-trust:"): value for key, value in config.items()}
    use_kubeconfig(monkeypatch, tmp_path, [each["context"] for each in values["clusters"]])
    monkeypatch.delenv("VAULT_ADDR")

    assert len(load(**values).clusters) == 2


def use_kubeconfig(monkeypatch: pytest.MonkeyPatch, home: Path, contexts: list[str]) -> None:
    """Puts a kubeconfig with these contexts where kubectl looks for it."""
    (home / ".kube").mkdir()
    (home / ".kube" / "ca.pem").write_text(VAULT_CA)
    document = {
        "contexts": [{"name": name, "context": {"cluster": name}} for name in contexts],
        "clusters": [
            {
                "name": name,
                "cluster": {"server": f"https://{name}", "certificate-authority": "ca.pem"},
            }
            for name in contexts
        ],
    }
    (home / ".kube" / "config").write_text(json.dumps(document))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("VAULT_ADDR", "https://vault:8200")
    monkeypatch.delenv("VAULT_CACERT", raising=False)
