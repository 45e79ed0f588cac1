"""A stack that the previous release has made goes on with today's program without a replacement."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from lab.stack import configuration_file
from tests.commands import run_command
from tests.program.inventory import take_inventory
from tests.program.program import Program

from .conftest import CLUSTERS

pytestmark = pytest.mark.soak  # a lab of its own

GENTLE = {"same", "read", "update", "refresh"}


def ungentle(preview: str) -> dict[str, str]:
    """What `up` would replace, delete or make anew of that stack: operation, by URN."""
    steps: list[dict[str, Any]] = json.loads(preview)["steps"]
    return {step["urn"]: step["op"] for step in steps if step["op"] not in GENTLE}


def test_the_preview_replaces_nothing(made_by_the_release: Program) -> None:
    assert ungentle(made_by_the_release.run("preview", "--json")) == {}


def test_another_type_is_seen_by_that(
    lab: Lab, made_by_the_release: Program, tmp_path: Path
) -> None:
    """The control: a component of another name and without an alias."""
    assert made_by_the_release.deployed
    package = tmp_path / "mesh_trust"
    shutil.copytree(CHECKOUT / "components" / "mesh_trust", package)
    module = package / "cluster_trust.py"
    module.write_text(module.read_text().replace("index:ClusterTrust", "index:Trust"))
    command: list[str | Path] = [
        lab.directory.engine / "pulumi",
        "preview",
        "--json",
        "--non-interactive",
    ]
    configured: list[str | Path] = [
        "--stack",
        "dev",
        "--config-file",
        configuration_file(lab.directory),
    ]

    done = run_command(
        [*command, *configured], CHECKOUT, {**lab.environment(), "PYTHONPATH": str(tmp_path)}
    )

    # Either all of it would be made anew, or the program itself sees that it is there already.
    assert done.returncode != 0 or ungentle(done.stdout) != {}, done.stdout


def test_the_update_keeps_what_is_there(lab: Lab, made_by_the_release: Program) -> None:
    before = take_inventory(lab, CLUSTERS)
    assert {"mount pki/", "issuers of pki/", "auth kube-east-mesh-auth/"} <= before.names()
    root = made_by_the_release.outputs()["rootCertificate"]

    made_by_the_release.up()

    after = take_inventory(lab, CLUSTERS)
    assert {name: after.vault[name] for name in before.vault} == before.vault
    assert before.names() - after.names() == set()
    assert made_by_the_release.outputs()["rootCertificate"] == root
    made_by_the_release.run("preview", "--refresh", "--expect-no-changes")
