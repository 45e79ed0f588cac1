"""What the configuration says of how istiod's agents get their permissions."""

from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
import pytest
import yaml

from mesh_trust.agent_release_args import agent_release_args
from mesh_trust.environment.cluster_trusts import _permissions
from mesh_trust.settings import InvalidConfigurationError

from .conftest import Recorder, run
from .test_settings import environment, load

__all__ = ["environment"]

RELEASE = {"by": "release", "chartKind": "legacy", "chartVersion": "2.5.13"}
VALUES = {"relay": {"serverAddress": "relay:9900"}}


def permissions(**config: Any) -> list[Any]:
    return [cluster.permissions for cluster in load(**config).clusters]


def test_resources_are_the_default() -> None:
    assert permissions() == permissions(agentPermissions={}) == [{"by": "resources"}] * 2


def test_a_release_for_all_of_them_and_one_that_differs(environment: Path) -> None:
    (environment / "values.yaml").write_text(yaml.safe_dump(VALUES))
    east, west = permissions(
        agentPermissions={**RELEASE, "releaseName": "agent", "valuesFile": "values.yaml"}
        | {"valuesFile": str(environment / "values.yaml")},
        clusters=[
            {"name": "east"},
            {"name": "west", "agentPermissions": {"chartVersion": "2.5.12-fips"}},
        ],
    )

    release = {
        "chart_kind": "legacy",
        "chart_version": "2.5.13",
        "release_name": "agent",
        "values": VALUES,
    }
    assert east == {"by": "release", "release": release}
    release["chart_version"] = "2.5.12-fips"
    assert west == {"by": "release", "release": release}


def test_one_cluster_may_do_without_the_release_of_the_others() -> None:
    clusters = [{"name": "east"}, {"name": "west", "agentPermissions": {"by": "resources"}}]
    east, west = permissions(agentPermissions=RELEASE, clusters=clusters)

    assert east["by"] == "release"
    assert west == {"by": "resources"}


def test_what_is_wrong_for_all_is_said_once_and_for_one_names_it() -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        load(agentPermissions={**RELEASE, "namespace": "*"})
    assert [line[:32] for line in refused.value.lines] == ["agentPermissions.namespace: '*' "]

    clusters = [{"name": "east", "agentPermissions": {"namespace": "*"}}, {"name": "west"}]
    with pytest.raises(InvalidConfigurationError) as refused:
        load(agentPermissions=RELEASE, clusters=clusters)
    (line,) = refused.value.lines
    assert line.startswith("clusters[0].agentPermissions.namespace (cluster east): '*' ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"by": "helm"}, r"^agentPermissions\.by: 'helm' .*resources, release"),
        ({"chartKind": "legacy"}, r"^agentPermissions\.chartKind: .*where by is resources"),
        ({"by": "release"}, r"^agentPermissions\.chartKind: None .*platform, legacy"),
        ({**RELEASE, "chartVersion": "v2.5.13"}, r"\.chartVersion: 'v2\.5\.13' .*leave out the v"),
        ({**RELEASE, "chart": "gloo-platform"}, r"\.chartKind: .*make it platform"),
        ({**RELEASE, "namespace": "*"}, r"\.namespace: '\*' "),
        ({**RELEASE, "valuesFile": "/absent"}, r"\.valuesFile: '/absent' .*No such file"),
        ({**RELEASE, "valuesFile": "/a", "values": {}}, r"\.valuesFile: .*leave it out, or values"),
        ({**RELEASE, "chartKnd": "legacy"}, r"^agentPermissions\.chartKnd: .*use chartKind"),
        ("release", r"^agentPermissions: 'release' .*give it the fields by, chartKind"),
        (
            {**RELEASE, "values": {"istiodSidecar": {"createRoleBinding": False}}},
            r"\.values\.istiodSidecar\.createRoleBinding: ",
        ),
    ],
)
def test_a_wrong_value_is_named(given: Any, message: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=message):
        load(agentPermissions=given, clusters=[{"name": "east"}])


def test_the_files_of_values_have_to_be_values(environment: Path) -> None:
    path = environment / "values.yaml"
    for content, message in (
        ("{", "name a YAML file with the values"),
        ("- a", "with the values of the chart"),
    ):
        path.write_text(content)
        with pytest.raises(InvalidConfigurationError, match=message):
            load(agentPermissions={**RELEASE, "valuesFile": str(path)})
    path.write_text("")
    assert load(agentPermissions={**RELEASE, "valuesFile": str(path)})


def test_where_the_reviewers_token_comes_from() -> None:
    (cluster,) = load(clusters=[{"name": "east", "reviewerToken": "automatic"}]).clusters
    assert cluster.login["reviewer_token"] == "automatic"
    for fields, message in (
        ({"reviewerToken": "manual"}, "'manual' is not valid; use one of created, automatic"),
        (
            {"reviewerToken": "created", "reviewerTokenSecret": "s"},
            "leave it out: reviewerTokenSecret names the token",
        ),
        (
            {"reviewerToken": "automatic", "reviewerMode": "client"},
            "leave it out in reviewerMode client",
        ),
    ):
        with pytest.raises(InvalidConfigurationError, match=message):
            load(clusters=[{"name": "east", **fields}])


@pytest.mark.parametrize(
    ("secrets", "are_secret"),
    [((), False), (("agentPermissions",), True), (("clusters",), True), (("audience",), False)],
)
def test_values_of_a_key_with_a_secret_are_secrets(
    recorder: Recorder, secrets: Any, are_secret: bool
) -> None:
    """But for those that are compared with the program's own."""
    own = {"createRoleBinding": True}
    values = {**VALUES, "istiodSidecar": own}
    settings = load(
        agentPermissions={**RELEASE, "values": values},
        clusters=[{"name": "east"}],
        audience="vault",
        secrets=secrets,
    )
    pulumi.runtime.set_mocks(recorder, project="mesh-trust", stack="unit", preview=False)

    def program() -> pulumi.Output[Any]:
        permissions = _permissions(settings, settings.clusters[0])
        given: Any = permissions["release"]["values"]
        assert given["istiodSidecar"] == own
        # As the component takes them, which compares the latter.
        assert agent_release_args(permissions["release"])
        address = pulumi.Output.from_input(given["relay"]["serverAddress"])
        return pulumi.Output.from_input([address.is_secret(), address])

    assert run(program) == [are_secret, VALUES["relay"]["serverAddress"]]
