"""Two meshes in one Vault: each environment with names of its own, and without a way to the other.

The second environment is run as its users do: in a clone of its own, with a stack file of its own.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.x509.verification import VerificationError
from hvac.exceptions import Forbidden, InvalidRequest

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.commands import run_command

from .chain import verify, workload_certificate
from .handshake import Agent, Instructions, handshake, service_account_token
from .inventory import Inventory, take_inventory
from .program import Program, clusters
from .test_up import exported_root

pytestmark = pytest.mark.soak

PAGE = CHECKOUT / "docs/several-meshes.md"


@dataclass
class OtherMesh:
    """The stack `blue`, in a clone."""

    lab: Lab
    folder: Path

    def run(self, *arguments: str) -> str:
        """Runs the engine in the clone; gives what it printed."""
        done = run_command(
            [self.lab.directory.engine / "pulumi", *arguments, "--non-interactive"],
            self.folder,
            self.lab.environment(),
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    def root(self) -> x509.Certificate:
        """The root that it exports."""
        outputs = json.loads(self.run("stack", "output", "--json"))
        return x509.load_pem_x509_certificate(outputs["rootCertificate"].encode())


@pytest.fixture(scope="module")
def first(program: Program) -> Iterator[Program]:
    """The committed environment, with the cluster east alone and the guide's names."""
    if program.deployed:
        program.destroy()
    program.configure(clusters=clusters("east"))
    program.up()
    yield program
    program.destroy()
    program.configure_as_committed()


@pytest.fixture(scope="module")
def alone(lab: Lab, first: Program) -> Inventory:
    """What there was before the second mesh came."""
    assert first.deployed
    return take_inventory(lab)


@pytest.fixture(scope="module")
def second(
    lab: Lab, alone: Inventory, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OtherMesh]:
    """The cluster west, with the names that the documentation shows."""
    assert alone.vault
    folder = tmp_path_factory.mktemp("blue") / "clone"
    folder.mkdir()
    for path in (*CHECKOUT.glob("*.py"), CHECKOUT / "Pulumi.yaml"):
        shutil.copy(path, folder)
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    _, _, example = PAGE.read_text().partition("```yaml\n")
    content: Any = yaml.safe_load(example.partition("```")[0])
    content["config"] |= {
        "mesh-trust:development": True,
        "mesh-trust:administrator": True,
        "mesh-trust:vaultNamespace": "team",
        "mesh-trust:rootCommonName": "blue root",
        "mesh-trust:clusters": clusters("west"),
    }
    (folder / "Pulumi.blue.yaml").write_text(yaml.safe_dump(content))
    mesh = OtherMesh(lab, folder)
    mesh.run("stack", "init", "blue", "--secrets-provider", "passphrase")
    try:
        mesh.run("up", "--yes", "--skip-preview")
        yield mesh
    finally:
        mesh.run("destroy", "--yes", "--skip-preview")
        mesh.run("stack", "rm", "blue", "--yes", "--preserve-config")


def test_the_second_touches_nothing_of_the_first(
    lab: Lab, first: Program, second: OtherMesh, alone: Inventory
) -> None:
    came = take_inventory(lab).changes_since(alone)
    assert came
    # In Kubernetes there is nothing to tell the two apart by but the cluster.
    assert all("blue" in name or name.startswith("west ") for name in came), came
    assert {"mount blue/pki/", "auth blue-west/", "policy blue-west"} <= came
    first.run("preview", "--expect-no-changes")
    second.run("preview", "--expect-no-changes")
    second.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def test_each_chains_to_its_own_root(lab: Lab, first: Program, second: OtherMesh) -> None:
    roots = {"east": exported_root(first), "west": second.root()}
    for cluster, root in roots.items():
        intermediate = handshake(lab, cluster)
        leaf = workload_certificate(intermediate)
        verify(leaf, intermediate.certificate, root)
        for other in roots.values():
            if other != root:
                with pytest.raises(VerificationError):
                    verify(leaf, intermediate.certificate, other)


def test_none_gets_into_the_others(lab: Lab, first: Program, second: OtherMesh) -> None:
    assert first.deployed
    assert second.folder
    for cluster, other in (("east", "west"), ("west", "east")):
        foreign = Instructions.of(lab, other)
        with Agent(Instructions.of(lab, cluster)) as agent:
            agent.log_in(service_account_token(lab, cluster, "istiod", "istio-system"))
            _, csr = agent.generate("istiod")
            agent.sign(csr, common_name="istiod", ttl="1h")
            for path in (foreign.csr_path, foreign.ca_path):
                with pytest.raises(Forbidden):
                    agent.write(path, common_name="istiod", csr=csr)
            with pytest.raises((Forbidden, InvalidRequest)):
                agent.write(
                    f"{foreign.mount_path.removeprefix('/v1/')}/login",
                    role=foreign.role,
                    jwt=service_account_token(lab, cluster, "istiod", "istio-system"),
                )


def test_the_namespace_is_told_to_the_agent(lab: Lab, second: OtherMesh) -> None:
    assert second.folder
    assert (Instructions.of(lab, "west").namespace, Instructions.of(lab, "east").namespace) == (
        "team",
        "",
    )


def test_the_second_goes_with_all_that_is_its_own(
    lab: Lab, first: Program, second: OtherMesh, alone: Inventory
) -> None:
    second.run("destroy", "--yes", "--skip-preview")
    assert take_inventory(lab).changes_since(alone) == set()
    handshake(lab, "east")
    first.run("preview", "--expect-no-changes")
