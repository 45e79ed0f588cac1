"""Gloo's agent by its Helm release: values, arguments, and what a take-over refuses."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from mesh_trust import AgentRelease, InvalidInputError
from mesh_trust.agent_release_args import DESCRIPTION
from mesh_trust.agent_values import agent_release_values, kind_of_values, lost_values
from mesh_trust.release_guard import LostValuesError, require_all_kept

from .conftest import Recorder, run
from .test_cluster_trust import AUTH_ROLE, BINDING, ROLE, register

RELEASE = "kubernetes:helm.sh/v3:Release"
SIDECAR = {
    "createRoleBinding": True,
    "istiodServiceAccount": {"name": "istiod", "namespace": "istio-system"},
}
PLATFORM = {"chart_kind": "platform", "chart_version": "2.5.13"}


def values(kind: str, theirs: Any) -> dict[str, Any]:
    return agent_release_values(kind, theirs, "istiod", "istio-system")


@pytest.mark.parametrize(
    ("kind", "theirs", "merged"),
    [
        ("platform", {}, {"glooAgent": {"istiodSidecar": SIDECAR}}),
        ("legacy", {}, {"istiodSidecar": SIDECAR}),
        (
            "platform",
            {"glooAgent": {"enabled": True, "istiodSidecar": {"more": [1]}}, "common": {"a": 1}},
            {
                "glooAgent": {"enabled": True, "istiodSidecar": {"more": [1], **SIDECAR}},
                "common": {"a": 1},
            },
        ),
        (
            "legacy",
            {"cluster": "east", "istiodSidecar": SIDECAR, "glooAgent": {"other": 1}},
            {"cluster": "east", "istiodSidecar": SIDECAR, "glooAgent": {"other": 1}},
        ),
        (
            "platform",
            {"glooAgent": {"istiodSidecar": SIDECAR}},
            {"glooAgent": {"istiodSidecar": SIDECAR}},
        ),
    ],
)
def test_ours_are_merged_into_theirs(kind: str, theirs: Any, merged: dict[str, Any]) -> None:
    before = repr(theirs)
    assert values(kind, theirs) == merged
    assert repr(theirs) == before
    assert kind_of_values(merged) == kind


@pytest.mark.parametrize(
    ("kind", "theirs", "field"),
    [
        ("platform", {"istiodSidecar": {}}, "values.istiodSidecar"),
        ("platform", {"istiodSidecar": None}, "values.istiodSidecar"),
        ("legacy", {"glooAgent": {"istiodSidecar": SIDECAR}}, "values.glooAgent.istiodSidecar"),
        ("platform", {"glooAgent": None}, "values.glooAgent"),
        ("platform", {"glooAgent": {"istiodSidecar": []}}, "values.glooAgent.istiodSidecar"),
        (
            "legacy",
            {"istiodSidecar": {"createRoleBinding": False}},
            "values.istiodSidecar.createRoleBinding",
        ),
        (
            "legacy",
            {"istiodSidecar": {"createRoleBinding": "true"}},
            "values.istiodSidecar.createRoleBinding",
        ),
        (
            "legacy",
            {"istiodSidecar": {"createRoleBinding": 1}},
            "values.istiodSidecar.createRoleBinding",
        ),
        (
            "platform",
            {"glooAgent": {"istiodSidecar": {"istiodServiceAccount": {"name": "other"}}}},
            "values.glooAgent.istiodSidecar.istiodServiceAccount.name",
        ),
        (
            "legacy",
            {"istiodSidecar": {"istiodServiceAccount": {"namespace": "other"}}},
            "values.istiodSidecar.istiodServiceAccount.namespace",
        ),
        ("legacy", [], "values"),
    ],
)
def test_what_contradicts_ours_is_refused(kind: str, theirs: Any, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        values(kind, theirs)
    assert refused.value.field == field


def test_values_that_would_be_lost_are_named() -> None:
    before = {"a": {"b": 1, "c": {"d": 2}}, "e": [1, 2], "f": {"g": 1}}
    assert lost_values(before, before) == []
    assert lost_values(before, {**before, "new": 1, "e": [3]}) == []
    assert lost_values(before, {"a": {"c": {}}, "f": {"g": 2}}) == ["a.b", "a.c.d", "e"]


IMPORTED = {"description": "", "values": {"common": {"cluster": "east"}}}
NEW = {
    "name": "gloo-agent",
    "namespace": "gloo-mesh",
    "values": {"common": {"cluster": "east"}, "glooAgent": {"istiodSidecar": SIDECAR}},
}


def test_a_take_over_that_keeps_all_is_let_through() -> None:
    require_all_kept(IMPORTED, NEW, {"status": {"chart": "gloo-platform"}})
    # Somebody's own copy of the chart may have any name.
    require_all_kept(IMPORTED, NEW, {"status": {"chart": "our-gloo"}})
    require_all_kept({"values": {}}, NEW, {})


def test_a_take_over_that_loses_values_is_refused() -> None:
    less = {**NEW, "values": {"glooAgent": {"istiodSidecar": SIDECAR}}}
    with pytest.raises(LostValuesError, match=r"lost: common; name them in values"):
        require_all_kept(IMPORTED, less, {"status": {"chart": "gloo-platform"}})
    # The stack's own release may lose what the program leaves out.
    require_all_kept({**IMPORTED, "description": DESCRIPTION}, less, {})


def test_what_cannot_be_compared_is_no_empty_map() -> None:
    with pytest.raises(LostValuesError, match="cannot be compared"):
        require_all_kept({"values": pulumi.Output.secret({})}, NEW, {})


def test_a_take_over_of_the_other_kind_is_refused() -> None:
    with pytest.raises(LostValuesError, match=r"of chart gloo-mesh-agent, .* chart_kind legacy"):
        require_all_kept(IMPORTED, NEW, {"status": {"chart": "gloo-mesh-agent"}})


def release(recorder: Recorder, **changes: Any) -> dict[str, Any]:
    def program() -> pulumi.Output[Any]:
        return AgentRelease("agent", {**PLATFORM, **changes}).istiod_service_account  # type: ignore[typeddict-item]

    assert run(program) == changes.get("istiod_service_account", "istiod")
    made: dict[str, Any] = recorder.of_type(RELEASE)["agent-release"]
    return made


@pytest.mark.parametrize(
    ("kind", "chart", "repository"),
    [
        ("platform", "gloo-platform", "gloo-platform/helm-charts"),
        ("legacy", "gloo-mesh-agent", "gloo-mesh-enterprise/gloo-mesh-agent"),
    ],
)
def test_the_guides_release(recorder: Recorder, kind: str, chart: str, repository: str) -> None:
    made = release(recorder, chart_kind=kind, chart_version="2.5.13-fips")
    assert (made["name"], made["namespace"]) == ("gloo-agent", "gloo-mesh")
    assert (made["chart"], made["version"]) == (chart, "2.5.13-fips")
    assert made["repositoryOpts"]["repo"].endswith(repository)
    assert made["values"] == values(kind, {})
    # An upgrade that reuses values keeps the image of the version before.
    assert "reuseValues" not in made
    assert made["timeout"] == 300


def test_a_release_of_ones_own(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: gloo-platform")
    changes = {
        "chart": f"{tmp_path}/",
        "chart_version": None,
        "release_name": "agent",
        "namespace": "gloo",
        "values": {"common": {"cluster": "east"}},
        "timeout_seconds": 60,
        "istiod_service_account": "istiod-1-20",
        "istio_namespace": "istio",
    }
    made = release(recorder, **changes)
    assert (made["name"], made["namespace"], made["timeout"]) == ("agent", "gloo", 60)
    assert "version" not in made
    assert "repositoryOpts" not in made
    account = {"name": "istiod-1-20", "namespace": "istio"}
    assert made["values"] == {
        "common": {"cluster": "east"},
        "glooAgent": {"istiodSidecar": {**SIDECAR, "istiodServiceAccount": account}},
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"chart_kind": "gloo-platform"}, "chart_kind"),
        ({"chart_version": None}, "chart_version"),
        ({"chart_version": "v2.5.13"}, "chart_version"),
        ({"chart_version": "2.5"}, "chart_version"),
        ({"chart": "gloo-mesh-agent"}, "chart_kind"),
        ({"chart": "oci://example.com/charts/gloo-mesh-agent"}, "chart_kind"),
        ({"chart": "./nothing/here"}, "chart"),
        ({"repository": "example.com"}, "repository"),
        ({"release_name": "Gloo"}, "release_name"),
        ({"namespace": "*"}, "namespace"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"istiod_service_account": "*"}, "istiod_service_account"),
        ({"istio_namespace": ""}, "istio_namespace"),
        ({"context": "east"}, "context"),
        ({"values": {"istiodSidecar": {}}}, "values.istiodSidecar"),
        ({"reuse_values": True}, "reuse_values"),
    ],
)
def test_bad_input_is_refused_before_anything_is_registered(
    recorder: Recorder, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        AgentRelease("agent", {**PLATFORM, **change})  # type: ignore[typeddict-item]
    assert refused.value.field == field
    assert recorder.registered == []


def test_a_cluster_whose_agent_has_its_permissions_by_the_release(recorder: Recorder) -> None:
    register(
        recorder,
        istio_revisions=["1-20"],
        istio_namespace="istio",
        agent_permissions={"by": "release", "release": PLATFORM},
    )
    (made,) = recorder.of_type(RELEASE).values()
    account = {"name": "istiod-1-20", "namespace": "istio"}
    assert made["values"]["glooAgent"]["istiodSidecar"]["istiodServiceAccount"] == account
    assert recorder.of_type(ROLE) == {}
    assert list(recorder.of_type(BINDING)) == ["east-rbac-reviewer-binding"]
    (role,) = recorder.of_type(AUTH_ROLE).values()
    assert role["boundServiceAccountNames"] == ["istiod-1-20"]


def test_what_the_chart_does_not_bind_is_bound_beside_it(recorder: Recorder) -> None:
    register(
        recorder,
        istio_revisions=["default", "1-20", "1-21"],
        agent_permissions={"by": "release", "release": PLATFORM},
    )
    (made,) = recorder.of_type(RELEASE).values()
    assert made["values"]["glooAgent"]["istiodSidecar"] == SIDECAR
    binding = recorder.of_type(BINDING)["east-rbac-agent-binding"]
    assert [each["name"] for each in binding["subjects"]] == ["istiod-1-20", "istiod-1-21"]
    (role,) = recorder.of_type(AUTH_ROLE).values()
    assert role["boundServiceAccountNames"] == ["istiod", "istiod-1-20", "istiod-1-21"]


@pytest.mark.parametrize("permissions", [None, {"by": "resources"}])
def test_without_a_release_nothing_of_helms_is_made(
    recorder: Recorder, permissions: dict[str, Any] | None
) -> None:
    register(recorder, agent_permissions=permissions)
    assert recorder.of_type(RELEASE) == {}
    assert list(recorder.of_type(ROLE)) == ["east-rbac-agent-role"]


@pytest.mark.parametrize(
    ("permissions", "field"),
    [
        ({"by": "helm"}, "by"),
        ({}, "by"),
        ({"by": "release"}, "release"),
        ({"by": "resources", "release": PLATFORM}, "release"),
        ({"by": "release", "release": {"chart_kind": "platform"}}, "chart_version"),
        (
            {"by": "release", "release": {**PLATFORM, "istiod_service_account": "istiod"}},
            "istiod_service_account",
        ),
        ({"by": "release", "release": {**PLATFORM, "istio_namespace": "x"}}, "istio_namespace"),
    ],
)
def test_permissions_that_cannot_be_are_refused(
    recorder: Recorder, permissions: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        register(recorder, agent_permissions=permissions)
    assert refused.value.field == field
    assert recorder.registered == []
