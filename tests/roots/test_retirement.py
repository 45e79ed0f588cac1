"""A generation that is still in use stays, also where the stack itself has installed Vault.

Where that Vault is, and the token for it, only the update knows. A stand-in tells what is
installed; engine, settings and Vault are real.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_random as random
import pytest
from cryptography import x509
from pulumi import automation

from lab.directory import LabDirectory
from mesh_trust.environment.present_roots import PresentRoot
from mesh_trust.environment.root_retirement import once_retirable
from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import Settings
from tests.certificates import make
from tests.engine import engine_command, stack_of_program
from tests.private_vault import PrivateVault

from .signing import SigningMount

AFTER = "after"
"""What waits for the address of Vault."""


@dataclass
class Retiring:
    """A stack that gives the generation `first` of its root up."""

    first: x509.Certificate
    vault: PrivateVault
    token: str
    stack: Any = None

    def program(self) -> None:
        late = random.RandomId("installed", byte_length=4).hex
        installed: Any = SimpleNamespace(
            address=late.apply(lambda _: self.vault.address),
            root_token=pulumi.Output.secret(late.apply(lambda _: self.token)),
        )
        retired = [PresentRoot("first", self.first, signing=False)]
        address = once_retirable(Settings.load(), retired, installed)
        random.RandomId(AFTER, byte_length=4, keepers={"address": address})

    def configure(self, **values: Any) -> None:
        for key, value in values.items():
            text = value if isinstance(value, str) else json.dumps(value)
            self.stack.set_config(key, automation.ConfigValue(text))

    def refusal(self) -> str:
        """The line with which an update is refused, before anything is made in Vault."""
        with pytest.raises(automation.CommandError) as failed:
            self.stack.up()
        told = str(failed.value)
        assert "Traceback" not in told
        assert AFTER not in self.made()
        # The Automation API tells it once more, as an error that nobody has handled.
        found: list[str] = re.findall(r"error: ((?:whether )?root generation first.*)", told)
        [line] = {each.strip() for each in found}
        return line

    def made(self) -> set[str]:
        resources = self.stack.export_stack().deployment.get("resources", [])
        return {each["urn"].rpartition("::")[2] for each in resources}


@pytest.fixture
def signing(vault: PrivateVault, mount: str) -> Iterator[SigningMount]:
    """A mount whose root is the generation to be given up."""
    vault.client.sys.enable_secrets_engine("pki", path=mount)
    vault.client.write_data(f"{mount}/root/generate/internal", data={"common_name": "first"})
    yield SigningMount(vault.client, mount)
    vault.client.sys.disable_secrets_engine(mount)


@pytest.fixture
def retiring(
    engine: LabDirectory,
    vault: PrivateVault,
    signing: SigningMount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Retiring]:
    authority = tmp_path / "ca.pem"
    authority.write_text(make().certificate_pem)
    cluster = {"server": "https://127.0.0.1:1", "certificate-authority": str(authority)}
    kubeconfig = {
        "clusters": [{"name": "mgmt", "cluster": cluster}],
        "contexts": [{"name": "mgmt", "context": {"cluster": "mgmt"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    [first] = (signing.issuer(each)["certificate"] for each in signing.issuers().values())
    found = Retiring(x509.load_pem_x509_certificate(first.encode()), vault, vault.token)
    command = engine_command(engine, tmp_path)
    with stack_of_program(engine, command, "mesh-trust", signing.path, found.program) as stack:
        found.stack = stack
        found.configure(
            development=True,
            management={"context": "mgmt"},
            vaultInstall={"mode": "dev"},
            vaultNames={"rootMount": signing.path},
            clusters=[{"name": "east", "context": "mgmt"}],
        )
        yield found


def test_a_generation_in_use_stays_in_a_vault_of_the_stacks_own(
    retiring: Retiring, signing: SigningMount
) -> None:
    living = signing.sign()
    # Not before the update is Vault to be asked.
    assert retiring.stack.preview().change_summary == {automation.OpType.CREATE: 3}

    line = retiring.refusal()

    assert line.startswith(
        "root generation first is still in use: 1 certificate below it is neither expired nor "
        "revoked: 'CN=istiod' (serial "
    )
    assert line.endswith(
        f"or set rootRetires to {fingerprint(retiring.first)} if nothing runs on them any more"
    )
    # By now it is there, and a preview looks as well.
    with pytest.raises(automation.CommandError, match="is still in use: 1 certificate below"):
        retiring.stack.preview()

    number = living.serial_number
    serial = number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
    signing.client.write_data(f"{signing.path}/revoke", data={"serial_number": serial})
    retiring.stack.up()
    assert AFTER in retiring.made()


def test_one_that_cannot_be_told_of_goes_where_that_is_meant(
    retiring: Retiring, vault: PrivateVault, signing: SigningMount
) -> None:
    signing.sign()
    retiring.token = vault.client.auth.token.create(policies=["default"])["auth"]["client_token"]

    assert retiring.refusal().startswith(
        "whether root generation first may go cannot be told: Vault refuses the token to list "
    )

    retiring.configure(rootRetires=fingerprint(make().certificate))
    assert "cannot be told" in retiring.refusal()
    retiring.configure(rootRetires=fingerprint(retiring.first))
    retiring.stack.up()
    assert AFTER in retiring.made()
