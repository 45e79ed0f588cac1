"""Gloo's agent, installed by hand with Helm, is taken over with all it has."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.existing.conftest import OwnProgram
from tests.printed import commands_in, named_in

from .conftest import GlooMesh, write_values

CHARTS = {"platform": "gloo-platform", "legacy": "gloo-mesh-agent"}
AGENT = {"relay": {"serverAddress": "mgmt.example.com:9900"}, "extra": ["a", "b"]}
THEIRS: dict[str, dict[str, Any]] = {
    "platform": {"common": {"cluster": "east"}, "glooAgent": {"enabled": True, **AGENT}},
    "legacy": {"cluster": "east", **AGENT},
}
ACCOUNT = {"name": "istiod-1-20", "namespace": "istio-system"}
OURS = {"createRoleBinding": True, "istiodServiceAccount": ACCOUNT}


def with_ours(kind: str) -> Any:
    values = copy.deepcopy(THEIRS[kind])
    (values["glooAgent"] if kind == "platform" else values)["istiodSidecar"] = OURS
    return values


@pytest.fixture(params=["platform", "legacy"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def describe(
    own: OwnProgram, kind: str, repository: str, kubeconfig: Path | None, **changes: Any
) -> None:
    """Has the program describe the release that is there."""
    own.settings["release"] = {
        "chart_kind": kind,
        "chart_version": "2.5.13",
        "repository": repository,
        "values": THEIRS[kind],
        "istiod_service_account": "istiod-1-20",
        **({"kubeconfig": str(kubeconfig)} if kubeconfig else {}),
        **changes,
    }


def refused(own: OwnProgram, gloo_mesh: GlooMesh, *arguments: str) -> str:
    """Runs what has to be refused, with nothing of the release touched."""
    before = (gloo_mesh.revisions(), gloo_mesh.values())
    exit_code, output = own.attempt(*arguments)
    assert exit_code != 0, output
    assert "Traceback" not in output
    assert (gloo_mesh.revisions(), gloo_mesh.values()) == before
    return output


def take_over(own: OwnProgram, gloo_mesh: GlooMesh) -> None:
    for command in commands_in(refused(own, gloo_mesh, "preview")):
        own.obey(command)


def test_a_release_is_taken_over_and_goes_on(
    own: OwnProgram,
    gloo_mesh: GlooMesh,
    values_file: Path,
    repository: str,
    kubeconfig_path: Path,
    kind: str,
) -> None:
    gloo_mesh.install(CHARTS[kind], "2.5.12", write_values(values_file, THEIRS[kind]))
    assert gloo_mesh.bound() is None
    describe(own, kind, repository, kubeconfig_path)

    output = refused(own, gloo_mesh, "preview")
    assert named_in(output) == {"Helm release gloo-mesh/gloo-agent"}
    assert "Helm release gloo-mesh/gloo-agent is there already" in refused(
        own, gloo_mesh, "up", "--yes", "--skip-preview"
    )
    for command in commands_in(output):
        own.obey(command)
    assert gloo_mesh.revisions() == [f"{CHARTS[kind]}-2.5.12"]

    preview = own.run("preview", "--diff")
    assert "istiod-1-20" in preview
    assert "mgmt.example.com" not in preview
    own.up()
    assert gloo_mesh.values() == with_ours(kind)
    assert gloo_mesh.bound() == [("istio-system", "istiod-1-20")]
    assert gloo_mesh.shown()["image"] == "gcr.io/gloo-mesh/gloo-mesh-agent:2.5.13"
    own.run("preview", "--expect-no-changes")
    own.run("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes")

    describe(own, kind, repository, kubeconfig_path, chart_version="2.5.13-fips")
    own.up()
    assert gloo_mesh.values() == with_ours(kind)
    assert gloo_mesh.shown()["image"] == "gcr.io/gloo-mesh/gloo-mesh-agent:2.5.13-fips"
    assert gloo_mesh.revisions() == [
        f"{CHARTS[kind]}-{version}" for version in ("2.5.12", "2.5.13", "2.5.13-fips")
    ]
    own.run("preview", "--expect-no-changes")

    own.run("destroy", "--yes", "--skip-preview")
    assert len(gloo_mesh.revisions()) == 3
    assert gloo_mesh.bound() == [("istio-system", "istiod-1-20")]
