"""Gloo's agent, installed by hand with Helm, is taken over with all it has."""

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.existing.conftest import OwnProgram
from tests.printed import commands_in, named_in

from .conftest import GlooMesh, write_values

CHARTS = {"platform": "gloo-platform", "legacy": "gloo-mesh-agent"}
AGENT: dict[str, Any] = {"relay": {"serverAddress": "mgmt.example.com:9900"}, "extra": ["a", "b"]}
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


@pytest.fixture(params=["platform", pytest.param("legacy", marks=pytest.mark.soak)])
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

    # As the page about it says: what takes the permissions away in the end.
    key = "istiodSidecar.createRoleBinding"
    gloo_mesh.upgrade(
        CHARTS[kind],
        "2.5.13",
        "--reset-then-reuse-values",
        "--set",
        f"glooAgent.{key}=false" if kind == "platform" else f"{key}=false",
    )
    assert gloo_mesh.bound() is None
    assert gloo_mesh.values()["glooAgent" if kind == "platform" else "relay"]


@pytest.mark.soak
def test_what_the_program_forgets_is_not_lost(
    own: OwnProgram,
    gloo_mesh: GlooMesh,
    values_file: Path,
    repository: str,
    kubeconfig_path: Path,
) -> None:
    gloo_mesh.install("gloo-platform", "2.5.12", write_values(values_file, THEIRS["platform"]))
    fewer = {"glooAgent": {"enabled": True, "extra": ["a", "b"]}}
    describe(own, "platform", repository, kubeconfig_path, values=fewer)
    take_over(own, gloo_mesh)

    for arguments in (["preview"], ["up", "--yes", "--skip-preview"]):
        output = refused(own, gloo_mesh, *arguments)
        assert "would be lost: common, glooAgent.relay; name them in values" in output
        assert "mgmt.example.com" not in output

    describe(own, "platform", repository, kubeconfig_path)
    own.up()
    assert gloo_mesh.values() == with_ours("platform")

    # Once it is the stack's own, leaving out a value takes it away, as with any resource.
    describe(own, "platform", repository, kubeconfig_path, values={"glooAgent": {"enabled": True}})
    own.up()
    assert gloo_mesh.values() == {"glooAgent": {"enabled": True, "istiodSidecar": OURS}}
    own.run("preview", "--expect-no-changes")


@pytest.mark.soak
@pytest.mark.parametrize(
    ("installed", "described"), [("platform", "legacy"), ("legacy", "platform")]
)
def test_a_chart_of_the_other_kind_is_refused(
    own: OwnProgram,
    gloo_mesh: GlooMesh,
    values_file: Path,
    repository: str,
    kubeconfig_path: Path,
    installed: str,
    described: str,
) -> None:
    gloo_mesh.install(CHARTS[installed], "2.5.12", write_values(values_file, THEIRS[installed]))
    describe(own, described, repository, kubeconfig_path)
    take_over(own, gloo_mesh)

    for arguments in (["preview"], ["up", "--yes", "--skip-preview"]):
        output = refused(own, gloo_mesh, *arguments)
        assert f"is of chart {CHARTS[installed]}, which ignores" in output
        assert f"make chart_kind {installed}" in output


@pytest.mark.soak
def test_without_a_kubeconfig_helm_itself_refuses(
    own: OwnProgram, gloo_mesh: GlooMesh, values_file: Path, repository: str
) -> None:
    gloo_mesh.install("gloo-platform", "2.5.12", write_values(values_file, THEIRS["platform"]))
    describe(own, "platform", repository, None)
    own.run("preview")

    output = refused(own, gloo_mesh, "up", "--yes", "--skip-preview")

    assert "cannot re-use a name that is still in use" in output
    urns = own.urns()
    own.run(
        *("import", "kubernetes:helm.sh/v3:Release", "east-agent-release", "gloo-mesh/gloo-agent"),
        *("--parent", f"agent={urns['east-agent']}", "--provider", f"cluster={urns['cluster']}"),
        *("--yes", "--protect=false", "--generate-code=false"),
    )
    own.up()
    assert gloo_mesh.values() == with_ours("platform")


@pytest.mark.soak
def test_a_secret_among_the_values_stays_one(
    own: OwnProgram, gloo_mesh: GlooMesh, values_file: Path, repository: str, kubeconfig_path: Path
) -> None:
    canary = "a-canary-that-must-not-show"
    theirs = {**THEIRS["platform"], "token": canary}
    gloo_mesh.install("gloo-platform", "2.5.12", write_values(values_file, theirs))
    describe(own, "platform", repository, kubeconfig_path)
    take_over(own, gloo_mesh)
    # Forgotten, it is told by its name.
    output = refused(own, gloo_mesh, "preview")
    assert "would be lost: token; " in output
    assert canary not in output
    own.settings["token"] = canary
    own.settings["release"]["values"] = {"glooAgent": THEIRS["platform"]["glooAgent"]}
    assert "would be lost: common; " in refused(own, gloo_mesh, "preview")
    describe(own, "platform", repository, kubeconfig_path)

    assert canary not in own.run("preview", "--diff")
    assert canary not in own.up()

    assert gloo_mesh.values() == {**with_ours("platform"), "token": canary}
    assert canary not in own.run("stack", "export")
    own.run("preview", "--expect-no-changes")
    del own.settings["token"]
    assert canary not in own.run("preview", "--diff")


def test_a_release_that_is_not_there_is_made_and_stays(
    own: OwnProgram,
    gloo_mesh: GlooMesh,
    values_file: Path,
    archives: Path,
    kubeconfig_path: Path,
) -> None:
    # One of another name is in nobody's way.
    other = write_values(values_file, THEIRS["platform"])
    gloo_mesh.install("gloo-platform", "2.5.12", other, name="gloo-agent-2")
    describe(own, "platform", "", kubeconfig_path, values={})
    chart = archives.parent / "2.5.13" / "gloo-platform"
    for field in ("repository", "chart_version"):
        del own.settings["release"][field]
    own.settings["release"]["chart"] = str(chart)

    own.run("preview")
    own.up()

    assert gloo_mesh.bound() == [("istio-system", "istiod-1-20")]
    assert gloo_mesh.descriptions() == ["Permissions of istiod's agent, by mesh-trust"]
    own.run("preview", "--expect-no-changes")
    own.run("destroy", "--yes", "--skip-preview")
    assert gloo_mesh.revisions() == ["gloo-platform-2.5.13"]


def test_a_cluster_that_is_silent_is_no_empty_one(
    own: OwnProgram, gloo_mesh: GlooMesh, repository: str, kubeconfig_path: Path
) -> None:
    silent = kubeconfig_path.read_text()
    address = next(line.split()[1] for line in silent.splitlines() if " server: " in line)
    describe(own, "platform", repository, None)
    own.settings["release"]["kubeconfig"] = silent.replace(address, "https://127.0.0.1:1")

    assert "what the cluster has already cannot be seen" in own.run("preview")
    exit_code, output = own.attempt("up", "--yes", "--skip-preview")

    assert exit_code != 0
    assert "what the cluster has already cannot be seen" in output
    assert gloo_mesh.revisions() == []


def test_helm_drops_the_charts_new_values_where_it_reuses_those_of_before(
    gloo_mesh: GlooMesh, values_file: Path
) -> None:
    """Why the component does not: an upgrade would leave the agent's image as it is."""
    gloo_mesh.install("gloo-platform", "2.5.12", write_values(values_file, THEIRS["platform"]))

    gloo_mesh.upgrade("gloo-platform", "2.5.13", "--reuse-values")

    assert gloo_mesh.shown()["chart"] == "2.5.13"
    assert gloo_mesh.shown()["image"] == "gcr.io/gloo-mesh/gloo-mesh-agent:2.5.12"
