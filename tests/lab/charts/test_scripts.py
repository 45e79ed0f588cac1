"""The script of a standalone Vault's container, with its paths moved into a folder, in a shell."""

import re
import subprocess
from pathlib import Path

import pytest

from mesh_trust.vault_values import merge_values

from .rendering import Chart, nested
from .rows import STANDALONE

GIVEN = "HOST_IP POD_IP HOSTNAME API_ADDR TRANSIT_ADDR RAFT_ADDR and POD_IP\n"


@pytest.fixture
def script(chart: Chart, tmp_path: Path) -> str:
    """The script with a configuration to start from, and an entrypoint that says how it is run."""
    values = merge_values(STANDALONE, nested({"server.extraArgs": "-log-level=warn"}))
    spec = chart.objects(values)["StatefulSet/vault"]["spec"]["template"]["spec"]
    [rendered] = spec["containers"][0]["args"]
    for place in ("vault/config", "tmp", "usr/local/bin"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "vault/config/extraconfig-from-values.hcl").write_text(GIVEN)
    entrypoint = tmp_path / "usr/local/bin/docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\necho "$@"\n')
    entrypoint.chmod(0o755)
    return re.sub(r"/(vault/config|tmp|usr/local/bin)/", rf"{tmp_path}/\1/", rendered)


def configuration_of_the_run(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    written = folder / "tmp" / "storageconfig.hcl"
    assert done.stdout == f"vault server -config={written} -log-level=warn\n"
    assert done.stderr == ""
    assert (folder / "vault/config/extraconfig-from-values.hcl").read_text() == GIVEN
    return written.read_text()


def test_what_the_pod_knows_is_filled_in(script: str, tmp_path: Path) -> None:
    known = {
        "HOST_IP": "192.0.2.1",
        "POD_IP": "192.0.2.2",
        "HOSTNAME": "vault-0",
        "API_ADDR": "http://192.0.2.3:8200",
        "TRANSIT_ADDR": "http://192.0.2.4:8200",
        "RAFT_ADDR": "192.0.2.5",
    }
    filled = configuration_of_the_run(script, tmp_path, **known)
    assert filled.split() == [*known.values(), "and", "192.0.2.2"]


def test_what_it_does_not_know_stays(script: str, tmp_path: Path) -> None:
    filled = configuration_of_the_run(script, tmp_path, HOSTNAME="vault-0", POD_IP="")
    assert filled == GIVEN.replace("HOSTNAME", "vault-0")
