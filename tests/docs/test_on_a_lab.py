"""The commands of the pages, as they stand there, on a lab without nodes."""

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from rich.console import Console

from lab.directory import CHECKOUT
from lab.istiods.servers import istiod_name
from lab.lab import UNWANTED, Lab
from lab.toolchain import Toolchain
from tests.commands import run_command
from tests.nodes.certificate_service import CertificateService
from tests.nodes.mesh import Workload, established
from tests.nodes.pods import until
from tests.printed import commands_in
from tests.program.inventory import vault_client
from tests.program.token_policy import further_rules, readme_rules

from .told import FORGET, LEAVE, LET_GO, STEPS, TAKE_BACK, Step

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

CLUSTERS = ("east", "west")
SECONDS = 240.0
ROOT_MOUNT = (
    "urn:pulumi:prod::mesh-trust::mesh-trust:index:RootPki$vault:index/mount:Mount::root-pki-mount"
)
FURTHER = """\
  mesh-trust:administrator: true
  mesh-trust:istiodAgent:
    image: mesh-trust.lab/istiod-agent
    version: "1"
"""


@pytest.fixture
def lab(toolchain: Toolchain, tmp_path: Path) -> Iterator[Lab]:
    """One with an istiod for each of two clusters."""
    lab = Lab(tmp_path / "lab", toolchain)
    try:
        lab.up(Console(file=io.StringIO()), CLUSTERS, istiods=True)
        yield lab
    finally:
        lab.clean()


@dataclass(frozen=True)
class Reader:
    """Somebody who does what the pages say, in a checkout with an environment of their own."""

    lab: Lab
    folder: Path
    environment: dict[str, str] = field(repr=False)

    def do(self, step: Step) -> str:
        """Runs a command in a shell; gives what it printed."""
        return self.run(step.run, step.exit_codes, step.prints)

    def run(self, command: str, exit_codes: tuple[int, ...] = (0,), prints: str = "") -> str:
        """Runs what is no page's."""
        done = run_command(["bash", "-o", "pipefail", "-c", command], self.folder, self.environment)
        assert done.returncode in exit_codes, f"{command}\n{done.returncode}\n{done.stdout}"
        assert prints in done.stdout, f"{command}\n{done.stdout}"
        return done.stdout

    def configure(self, **replaced: str) -> None:
        """Writes the README's example, with the lab's names, and `replaced` in it."""
        readme = (CHECKOUT / "README.md").read_text()
        example = "config:\n" + readme.partition("```yaml\nconfig:\n")[2].partition("```")[0]
        lab = self.environment
        for part, instead in {
            "https://vault.example.com:8200": lab["VAULT_ADDR"],
            "eu-west-1-admin": "east",
            "us-east-1-admin": "west",
            "eu-west-1": "east",
            "us-east-1": "west",
            "      istioRevisions: [1-20]\n": "",
            **replaced,
        }.items():
            assert part in example, part
            example = example.replace(part, instead)
        file = self.folder / "Pulumi.prod.yaml"
        salt = [
            line
            for line in (file.read_text().splitlines() if file.exists() else ())
            if line.startswith("encryptionsalt:")
        ]
        file.write_text(example + FURTHER + "\n".join((*salt, "")))


@pytest.fixture
def reader(lab: Lab, toolchain: Toolchain, tmp_path: Path) -> Reader:
    folder = tmp_path / "checkout"
    (folder / ".venv").mkdir(parents=True)
    apart = {".venv", ".git", ".lab", "Pulumi.prod.yaml", "policy"}
    for source, target in ((CHECKOUT, folder), (CHECKOUT / ".venv", folder / ".venv")):
        for each in source.iterdir():
            if each.name not in apart:
                (target / each.name).symlink_to(each)
    shutil.copytree(CHECKOUT / "policy", folder / "policy")
    vault = vault_client(lab)
    rules = [*readme_rules(), *further_rules("administrator")]
    vault.sys.create_or_update_policy("stack-of-the-readme", "\n".join(rules))
    token = vault.auth.token.create(policies=["stack-of-the-readme"], ttl="2h")
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    environment |= lab.environment()
    environment |= {
        "LAB_VAULT_TOKEN": environment["VAULT_TOKEN"],
        "VAULT_TOKEN": token["auth"]["client_token"],
        "ROOT_MOUNT": ROOT_MOUNT,
        "HOME": str(tmp_path),
        "PATH": os.pathsep.join(
            (
                str(lab.directory.engine),
                str(folder / ".venv" / "bin"),
                str(toolchain["vault"].path.parent),
                os.environ["PATH"],
            )
        ),
    }
    return Reader(lab, folder, environment)


def workload(lab: Lab, cluster: str) -> Workload:
    """One that asks the cluster's istiod for its certificate."""
    [address] = [each.address for each in lab.status() if each.name == istiod_name(cluster)]
    return Workload(lab, cluster, CertificateService(address.removeprefix("https://")))


def is_well(lab: Lab) -> bool:
    """Whether all of it works, istiods among it."""
    return all(each.failure is None for each in lab.status())


def test_the_commands_of_the_pages(lab: Lab, reader: Reader) -> None:
    until(lambda: is_well(lab), "istiods are ready", SECONDS)
    reader.configure()
    wrong: list[str] = []
    for step in STEPS:
        # One that is wrong hides none that follows.
        try:
            reader.do(step)
        except AssertionError as error:
            wrong.append(str(error))
        if (step.page, step.command) == ("README.md", "pulumi up"):
            root = x509.load_pem_x509_certificate(
                reader.run("pulumi stack output rootCertificate").encode()
            )
            for cluster in CLUSTERS:
                trusting = workload(lab, cluster)
                until(lambda: trusting.read_trust() == (root,), cluster, SECONDS)  # noqa: B023

    assert wrong == []

    # Leaving: istiod goes on below the same root, with the CA of the Secret.
    east = workload(lab, "east")
    agents_own = established(east).chain[-1]
    reader.configure(
        **{"context: east\n": "context: east\n      istiodAgent: {installation: none}\n"}
    )
    reader.run("pulumi up --yes --skip-preview", prints="3 deleted")
    authority = x509.load_pem_x509_certificate((reader.folder / "ca-cert.pem").read_bytes())
    until(lambda: is_well(lab) and established(east).chain[-1] == authority, "its CA", SECONDS)
    assert agents_own != authority
    assert east.read_trust() == (root,)
    assert established(east).roots == (root,)

    reader.do(FORGET)
    vault = vault_client(lab)
    assert "pki_int_east/" in mounts(vault)
    there = reader.run("pulumi preview --non-interactive", (1, 255), "is there already")
    for command in commands_in(there):
        reader.run(command)
    for step in TAKE_BACK:
        reader.do(step)
    reader.run("pulumi preview --expect-no-changes")
    reader.do(FORGET)

    for step in LEAVE:
        reader.do(step)
    reader.run("pulumi stack export --file state.json")
    reader.do(LET_GO)
    assert (reader.folder / "Pulumi.prod.yaml").exists()
    assert {"pki/", "pki_int_west/"} <= mounts(vault)
    reader.run("pulumi stack init prod --secrets-provider passphrase")
    reader.run("pulumi stack import --file state.json")
    reader.run("pulumi destroy --yes --skip-preview", prints="deleted")
    # What was forgotten is not Pulumi's to take away.
    assert {"pki/", "pki_int_west/"} & mounts(vault) == set()
    assert "pki_int_east/" in mounts(vault)
    reader.run("pulumi stack rm prod --yes")
    assert not (reader.folder / "Pulumi.prod.yaml").exists()


def mounts(vault: Any) -> set[str]:
    """Secrets mounts of a Vault."""
    return set(vault.sys.list_mounted_secrets_engines()["data"])
