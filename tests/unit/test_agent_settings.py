"""What the configuration says of the agents beside istiod."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_trust.settings import InvalidConfigurationError, Settings

from .test_settings import environment, load

__all__ = ["environment"]

OPERATOR = {
    "apiVersion": "install.istio.io/v1alpha1",
    "kind": "IstioOperator",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "spec": {"components": {"pilot": {"enabled": True}}},
}


@pytest.fixture
def manifest(environment: Path) -> str:
    path = environment / "istio.yaml"
    path.write_text(yaml.safe_dump(OPERATOR))
    return str(path)


def agents(settings: Settings) -> list[Any]:
    return [cluster.agent and cluster.agent.args for cluster in settings.clusters]


@pytest.mark.parametrize("given", [{}, {"istiodAgent": {}}])
def test_others_see_to_them_unless_they_are_asked_for(given: dict[str, Any]) -> None:
    assert agents(load(**given)) == [None, None]


def test_what_all_have_in_common_and_one_that_differs(manifest: str) -> None:
    resources = {"requests": {"cpu": "100m"}}
    settings = load(
        management={"context": "path"},
        istiodAgent={"version": "2.5.13", "image": "mirror/agent", "resources": resources},
        clusters=[
            {"name": "east"},
            {
                "name": "west",
                "istiodAgent": {
                    "installation": "istio-operator",
                    "version": "2.5.13-fips",
                    "manifest": manifest,
                    "delivery": "apply",
                    "placement": "management",
                },
            },
        ],
    )

    common = {"image": "mirror/agent", "resources": resources}
    assert agents(settings) == [
        {**common, "version": "2.5.13"},
        {
            **common,
            "version": "2.5.13-fips",
            "installation": "istio-operator",
            "resource": OPERATOR,
            "delivery": "apply",
        },
    ]
    assert [cluster.has_manifest for cluster in settings.clusters] == [False, True]
    assert set(settings.connections) == {"east", "west", "management"}


def test_one_cluster_may_do_without() -> None:
    clusters = [{"name": "east"}, {"name": "west", "istiodAgent": {"installation": "none"}}]
    east, west = agents(load(istiodAgent={"version": "2.5.13"}, clusters=clusters))

    assert east is not None
    assert west is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"image": "mirror/agent"}, r"^istiodAgent\.version: None .*2\.5\.13-fips"),
        ({"version": "v2.5.13"}, r"^istiodAgent\.version: 'v2\.5\.13' .*leave out the v"),
        ({"version": "latest"}, r"^istiodAgent\.version: 'latest' "),
        ({"version": 2.5}, r"^istiodAgent\.version: 2\.5 "),
        ({"version": "1", "image": "a/b:1"}, r"^istiodAgent\.image: 'a/b:1' .*without tag"),
        ({"imagePullPolicy": "Now"}, r"^istiodAgent\.imagePullPolicy: 'Now' "),
        ({"resources": {"requests": {"gpu": "1"}}}, r"^istiodAgent\.resources\.requests: 'gpu' "),
        ({"timeoutSeconds": 0}, r"^istiodAgent\.timeoutSeconds: 0 "),
        ({"installation": "helm"}, r"^istiodAgent\.installation: 'helm' .*none$"),
        ({"installation": "istio-operator"}, r"^istiodAgent\.manifest: None .*the whole resource"),
        ({"manifest": "/absent"}, r"^istiodAgent\.manifest: '/absent' .*No such file"),
        ({"delivery": "apply"}, r"^istiodAgent\.delivery: 'apply' .*leave it out"),
        ({"placement": "both"}, r"^istiodAgent\.placement: 'both' "),
        ({"placement": "management"}, r"^istiodAgent\.placement: 'management' .*for a Deployment"),
        ({"imagePulPolicy": "Never"}, r"^istiodAgent\.imagePulPolicy: .*use imagePullPolicy"),
        ("2.5.13", r"^istiodAgent: '2\.5\.13' .*give it the fields installation, version"),
    ],
)
def test_a_wrong_value_is_named(given: Any, message: str) -> None:
    if isinstance(given, dict) and given.keys().isdisjoint(("version", "image")):
        given = {"version": "2.5.13", **given}
    with pytest.raises(InvalidConfigurationError, match=message):
        load(istiodAgent=given, clusters=[{"name": "east"}])


def test_a_manifest_has_a_single_istiods_agent(manifest: str) -> None:
    agent = {"version": "2.5.13", "installation": "istio-operator", "manifest": manifest}
    clusters = [{"name": "east", "istioRevisions": ["1-20", "1-21"]}]
    with pytest.raises(InvalidConfigurationError, match=r"^clusters\[0\]\.istioRevisions "):
        load(istiodAgent=agent, clusters=clusters)
    assert load(istiodAgent={"version": "2.5.13"}, clusters=clusters)


def test_each_cluster_may_complete_what_they_have_in_common(manifest: str) -> None:
    version = {"version": "2.5.13"}
    clusters = [{"name": name, "istiodAgent": version} for name in ("east", "west")]
    for args in agents(load(istiodAgent={"image": "mirror/agent"}, clusters=clusters)):
        assert args == {"image": "mirror/agent", **version}
    of_manifest = {"installation": "istio-operator", **version}
    clusters = [{"name": name, "istiodAgent": {"manifest": manifest}} for name in ("east", "west")]
    settings = load(istiodAgent=of_manifest, clusters=clusters)
    assert [args["resource"] for args in agents(settings)] == [OPERATOR, OPERATOR]


def test_one_cluster_may_have_a_deployment_where_the_others_have_a_manifest(manifest: str) -> None:
    common = {"version": "2.5.13", "installation": "istio-operator", "manifest": manifest}
    clusters = [{"name": "east"}, {"name": "west", "istiodAgent": {"installation": "deployment"}}]
    east, west = agents(load(istiodAgent=common, clusters=clusters))

    assert east["resource"] == OPERATOR
    assert west == {"version": "2.5.13", "installation": "deployment"}


def test_a_manifest_has_to_be_of_the_clusters_revision(environment: Path) -> None:
    path = environment / "istio.yaml"
    path.write_text(yaml.safe_dump({**OPERATOR, "spec": {"revision": "1-20"}}))
    agent = {"version": "2.5.13", "installation": "istio-operator", "manifest": str(path)}

    assert load(istiodAgent=agent, clusters=[{"name": "east", "istioRevisions": ["1-20"]}])
    for fields in ({}, {"istioRevisions": ["1-21"]}):
        with pytest.raises(
            InvalidConfigurationError, match=r"^clusters\[0\]\.istioRevisions \(cluster east\): "
        ):
            load(istiodAgent=agent, clusters=[{"name": "east", **fields}])


@pytest.mark.parametrize("part", ["metadata", "spec"])
def test_a_manifest_of_another_shape_is_refused(environment: Path, part: str) -> None:
    path = environment / "istio.yaml"
    path.write_text(yaml.safe_dump({**OPERATOR, part: "text"}))
    agent = {"version": "2.5.13", "installation": "istio-operator", "manifest": str(path)}
    with pytest.raises(InvalidConfigurationError, match=r"^istiodAgent\.manifest"):
        load(istiodAgent=agent, clusters=[{"name": "east"}])


def test_all_faults_are_said_and_where_they_stand() -> None:
    clusters = [
        {"name": "east", "istiodAgent": {"imagePullPolicy": "Now"}},
        {"name": "west", "istiodAgent": {"timeoutSeconds": 0}},
    ]
    with pytest.raises(InvalidConfigurationError) as refused:
        load(istiodAgent={"version": "latest", "image": "a/b:1"}, clusters=clusters)

    assert {line.partition(": ")[0] for line in refused.value.lines} == {
        "istiodAgent.version",
        "istiodAgent.image",
        "clusters[0].istiodAgent.imagePullPolicy (cluster east)",
        "clusters[1].istiodAgent.timeoutSeconds (cluster west)",
    }


def test_a_manifest_that_is_applied_in_the_management_cluster_needs_one(manifest: str) -> None:
    agent = {"version": "1", "installation": "istio-operator", "manifest": manifest}
    agent |= {"placement": "management", "delivery": "apply"}
    with pytest.raises(InvalidConfigurationError, match=r"^management\.context: None .*manifest"):
        load(istiodAgent=agent, clusters=[{"name": "east"}])
    assert load(istiodAgent=agent, clusters=[{"name": "east"}], management={"context": "path"})
