"""A small program of its own, driven as a user does: the real engine, from the command line."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT, LabDirectory
from tests.commands import run_command
from tests.engine import engine_environment
from tests.pulumi_stack import PulumiStack

# A program that registers components as its file says. What `late` names among their arguments is
# an output of another resource, known in `up` only.
_PROGRAM = """
import json
import os
import subprocess
from pathlib import Path

import pulumi
import pulumi_random as random
import pulumi_vault as vault

import mesh_trust

given = json.loads(Path("given.json").read_text())
late = given["late"]
ready = random.RandomId("ready", byte_length=4).hex if late else None
addresses = {
    "given": os.environ["VAULT_ADDR"],
    "late": ready.apply(lambda _: os.environ["VAULT_ADDR"]) if late else None,
    "of the shell": None,
}
provider = vault.Provider("vault", address=addresses[given["address"]])
opts = pulumi.ResourceOptions(providers=[provider])
for name, (component, args) in given["components"].items():
    args = {
        field: ready.apply(lambda _, value=value: value) if field in late else value
        for field, value in args.items()
    }
    made = getattr(mesh_trust, component)(name, args, opts=opts)
    pulumi.export(name, {output: getattr(made, output) for output in given["outputs"][component]})
"""


_OUTPUTS = {
    "RootCa": ("certificate_pem", "private_key_pem"),
    "RootPki": ("certificate_pem", "mount_path", "ca_path", "issuer_id", "root_certificates"),
    "ExternalRootPki": ("certificate_pem", "mount_path", "ca_path", "issuer_id"),
    "ClusterCa": ("certificate_pem", "mount_path", "ca_path", "issuer_id"),
    "IntermediatePki": ("mount_path",),
    "ClusterAuthMount": ("mount_path", "role_name"),
}


@dataclass(frozen=True)
class Project(PulumiStack):
    """A stack with components in it."""

    engine: LabDirectory
    folder: Path
    environment: dict[str, str]

    @classmethod
    def make(cls, engine: LabDirectory, folder: Path, vault: dict[str, str]) -> "Project":
        """Makes project and stack; `vault` are the environment variables that lead to a Vault."""
        description = {
            "name": "roots",
            "runtime": {"name": "python", "options": {"virtualenv": str(CHECKOUT / ".venv")}},
        }
        folder.mkdir()
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(description))
        (folder / "__main__.py").write_text(_PROGRAM)
        project = cls(engine, folder, {**os.environ, **engine_environment(engine), **vault})
        project.run("stack", "init")
        return project

    def give(self, component: str, args: Any, late: tuple[str, ...] = ()) -> None:
        """From now on registers one `component`, named `root`, with `args`."""
        self.give_all({"root": (component, args)}, late)

    def give_all(
        self,
        components: Mapping[str, tuple[str, Any]],
        late: tuple[str, ...] = (),
        address: str = "given",
    ) -> None:
        """From now on registers components, class and arguments, by their names.

        The provider's `address` is given, that of the shell, or as late as the arguments `late`.
        """
        given = {
            "components": components,
            "late": late,
            "outputs": _OUTPUTS,
            "address": address,
        }
        (self.folder / "given.json").write_text(json.dumps(given))

    def _execute(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        pulumi = self.engine.engine / "pulumi"
        return run_command(
            [pulumi, *arguments, "--stack", "test", "--non-interactive"],
            self.folder,
            self.environment,
        )

    def up(self) -> dict[str, Any]:
        """Runs `pulumi up`, and gives the outputs of the component named `root`."""
        outputs: dict[str, Any] = self.up_all()["root"]
        return outputs

    def up_all(self) -> dict[str, dict[str, Any]]:
        """Runs `pulumi up`, and gives the components' outputs by their names."""
        self.update()
        outputs: dict[str, dict[str, Any]] = json.loads(
            self.run("stack", "output", "--json", "--show-secrets")
        )
        return outputs

    def expect_no_changes(self) -> None:
        """Previews with a look at what is really there, and finds nothing to do."""
        self.run("preview", "--refresh", "--expect-no-changes")

    def state(self) -> str:
        """The stack's state with its secrets, as text."""
        return self.run("stack", "export", "--show-secrets")

    def remove(self) -> None:
        """Destroys the stack and removes it."""
        self.destroy()
        self.run("stack", "rm", "--yes")
