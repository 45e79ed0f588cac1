"""A program in YAML uses the components, as any language could."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from lab.directory import LabDirectory
from lab.toolchain import YAML_HOST
from tests.private_vault import PrivateVault

from .language_example import LanguageExample, language_example

pytestmark = pytest.mark.soak  # the language host of YAML is built for these tests alone


@pytest.fixture
def example(
    engine: LabDirectory, environment: dict[str, str], vault: PrivateVault, tmp_path: Path
) -> Iterator[LanguageExample]:
    with language_example("yaml", YAML_HOST, tmp_path, engine, environment, vault) as example:
        yield example


def change(example: LanguageExample, resource: str, **properties: Any) -> None:
    file = example.folder / "Pulumi.yaml"
    program: Any = yaml.safe_load(file.read_text())
    program["resources"][resource]["properties"] |= properties
    file.write_text(yaml.safe_dump(program))


def test_the_example_sets_the_trust_up(example: LanguageExample, vault: PrivateVault) -> None:
    assert "11 to create" in example.run("preview")
    example.run("up", "--yes", "--skip-preview")
    example.run("preview", "--expect-no-changes")

    root = x509.load_pem_x509_certificate(
        example.run("stack", "output", "rootCertificate").encode()
    )
    [issuer] = vault.client.list("pki/issuers")["data"]["keys"]
    issuing = vault.client.read(f"pki/issuer/{issuer}")["data"]["certificate"]
    assert x509.load_pem_x509_certificate(issuing.encode()) == root
    assert (
        "pki/root/sign-intermediate"
        in vault.client.sys.read_policy("gen-int-ca-istio-east-mesh")["data"]["rules"]
    )


def test_a_wrong_value_is_told_in_a_line_and_nothing_written(
    example: LanguageExample, vault: PrivateVault
) -> None:
    change(example, "east-intermediate", cluster="east_1")
    before = vault.client.sys.list_mounted_secrets_engines()["data"]

    code, printed = example.attempt("preview")

    assert code != 0
    assert "cluster: 'east_1' is not valid; " in printed
    assert "Traceback" not in printed
    assert vault.client.sys.list_mounted_secrets_engines()["data"] == before


def test_what_is_there_is_not_overwritten(example: LanguageExample, vault: PrivateVault) -> None:
    vault.client.sys.enable_secrets_engine("pki", "pki_int_east")
    try:
        code, printed = example.attempt("preview")
    finally:
        vault.client.sys.disable_secrets_engine("pki_int_east")

    assert code != 0
    assert "pki_int_east" in printed
    assert "Traceback" not in printed
