"""A setup made by hand with the guide's commands, and the shell of who takes it over."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.lab import Lab
from lab.toolchain import Toolchain

from .guide import Guide
from .inventory import take_inventory
from .program import Program, clusters


@pytest.fixture
def by_hand(lab: Lab, toolchain: Toolchain, undeployed: Program, tmp_path: Path) -> Iterator[Guide]:
    """The guide, followed to its end; the program is told of its root."""
    guide = Guide(lab, toolchain, tmp_path)
    before = take_inventory(lab)
    try:
        guide.follow()
        undeployed.configure(
            rootSource="imported",
            rootOrganization=None,
            rootCertificate=guide.root_certificate,
            rootAcceptMissingKeyUsage=True,
        )
        undeployed.configure_secret("rootPrivateKey", guide.root_key)
        yield guide
    finally:
        if undeployed.deployed:
            undeployed.destroy()
        undeployed.configure_as_committed()
        guide.undo()
    assert take_inventory(lab).changes_since(before) == set()


@pytest.fixture
def shell(lab: Lab, undeployed: Program, tmp_path: Path) -> dict[str, str]:
    """Environment variables of a shell in which `pulumi` has the program's configuration."""
    folder = tmp_path / "commands"
    folder.mkdir()
    engine, file = lab.directory.engine / "pulumi", undeployed.configuration_folder
    command = folder / "pulumi"
    command.write_text(
        f"#!/bin/sh\ncommand=$1; shift\n"
        f'exec {engine} "$command" --config-file {file}/Pulumi.dev.yaml "$@"\n'
    )
    command.chmod(0o700)
    environment = lab.environment()
    return {**environment, "PATH": f"{folder}:{environment['PATH']}"}


def list_clusters(program: Program, *names: str) -> None:
    """Has these clusters in the configuration, of which the rest stays."""
    assert program.configuration is not None
    content = yaml.safe_load(program.configuration.read_text())
    content["config"]["mesh-trust:clusters"] = list(clusters(*names))
    program.configuration.write_text(yaml.safe_dump(content))
