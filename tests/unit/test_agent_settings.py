"""What the configuration says of the agents beside istiod."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import InvalidConfigurationError, Settings

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
        ({"image": "a/b:1"}, r"^istiodAgent\.image: 'a/b:1' .*without tag"),
        ({"imagePullPolicy": "Now"}, r"^istiodAgent\.imagePullPolicy: 'Now' "),
        ({"resources": {"requests": {"gpu": "1"}}}, r"^istiodAgent\.resources\.requests: 'gpu' "),
        ({"timeoutSeconds": 0}, r"^istiodAgent\.timeoutSeconds: 0 "),
        ({"installation": "helm"}, r"^istiodAgent\.installation: 'helm' .*none$"),
        ({"installation": "istio-operator"}, r"^istiodAgent\.manifest: .*the whole IstioOperator"),
        ({"manifest": "/absent"}, r"^istiodAgent\.manifest: '/absent' .*No such file"),
        ({"delivery": "apply"}, r"^istiodAgent\.delivery: 'apply' .*leave it out"),
        ({"placement": "both"}, r"^istiodAgent\.placement: 'both' "),
        ({"placement": "management"}, r"^management\.context: None .*a manifest is applied in"),
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
