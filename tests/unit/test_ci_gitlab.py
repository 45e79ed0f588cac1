"""The pipeline on GitLab: its environments, and its lines as a runner runs them."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.directory import CHECKOUT
from mesh_trust.operations.ci.environments import environments_of
from tests.pipelines import ENGINE, gitlab


def listed(job: Mapping[str, Any]) -> list[str]:
    """The environments of a job on GitLab."""
    [matrix] = job["parallel"]["matrix"]
    found: list[str] = matrix["ENVIRONMENT"]
    return found


def test_gitlab_has_the_environments_of_this_project_as_an_example() -> None:
    document = gitlab()
    found = environments_of(CHECKOUT)
    others = [each for each in found.others if each != "dev"]
    assert listed(document[".vaults"]) == list(found.vaults)
    assert listed(document[".others"]) == others
    assert listed(document[".all"]) == [*found.vaults, *others]


@pytest.mark.parametrize("has", ["what is published", "another archive", "nothing"])
def test_the_engine_on_gitlab_is_what_was_published(tmp_path: Path, has: str) -> None:
    """The lines as a runner runs them, with hosts that are folders."""
    archive = f"pulumi-v{ENGINE}-linux-x64.tar.gz"
    hosts = tmp_path / "hosts"
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi" / "pulumi").write_text("#!/bin/sh\necho here\n")
    (tmp_path / "pulumi" / "pulumi").chmod(0o755)
    published = hosts / "get.pulumi.com/releases/sdk" / archive
    published.parent.mkdir(parents=True)
    subprocess.run(["tar", "-czf", published, "-C", tmp_path, "pulumi"], check=True)
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    release = hosts / f"github.com/pulumi/pulumi/releases/download/v{ENGINE}"
    release.mkdir(parents=True)
    lines = [f"{'0' * 64}  other.tar.gz", f"{digest}  {archive}", f"{'1' * 64}  {archive}.sig"]
    if has == "nothing":
        del lines[1]
    (release / f"pulumi-{ENGINE}-checksums.txt").write_text("\n".join(lines) + "\n")
    if has == "another archive":
        published.write_bytes(published.read_bytes() + b"\n")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "curl").write_text(f'#!/bin/sh\ncp "{hosts}/${{4#https://}}" "$3"\n')
    (tools / "make").write_text("#!/bin/sh\nexec pulumi\n")
    for each in tools.iterdir():
        each.chmod(0o755)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    script = "\n".join(gitlab()[".tools"]["before_script"])
    script = script.replace("/tmp", str(temporary))  # noqa: S108 - the runner's own
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        env={
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(tmp_path / "home"),
            "PULUMI_VERSION": ENGINE,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if has == "what is published":
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith("here\n")
    else:
        assert done.returncode != 0
        assert "here" not in done.stdout


@pytest.mark.parametrize("preview", ["changes", "changes nothing", "fails"])
def test_jobs_on_gitlab_update_what_is_planned_and_changes_anything(
    tmp_path: Path, preview: str
) -> None:
    """The lines as a runner runs them; the command notes what it is asked, and plans as told."""
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        f"""#!/bin/sh
echo "$*" >> asked
case "$*" in *ci-preview*)
  echo "the summary"
  case "{preview}" in fails) exit 1 ;; changes) touch prod.plan ;; esac
esac
"""
    )
    python.chmod(0o755)

    def run(job: str) -> tuple[int, str, list[str]]:
        asked = tmp_path / "asked"
        asked.unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(gitlab()[job]["script"])],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "ENVIRONMENT": "prod", "CI_COMMIT_SHA": "c0ffee"},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = asked.read_text().splitlines() if asked.exists() else []
        return done.returncode, done.stdout, lines

    code, told, asked = run(".plan")
    assert code == (1 if preview == "fails" else 0)
    assert told.startswith("the summary\n")
    compared = ["-m mesh_trust.operations ci compare --gitlab c0ffee plan-prod.md"]
    assert asked[1:] == (compared if preview == "changes" else [])

    for job, verified in (("update-vaults", 0), ("update", 1)):
        code, told, asked = run(job)
        assert code == 0
        if preview == "changes":
            assert asked[0].endswith("make ci-up STACK=prod PLAN=prod.plan")
            assert len([each for each in asked if each.endswith("verify")]) == verified
        else:
            assert (told, asked) == ("Nothing would change.\n", [])
