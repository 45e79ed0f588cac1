"""What the Vault chart refuses, and how it says so."""

from typing import Any

import pytest

from mesh_trust.vault_values import merge_values

from . import vault_schema
from .rendering import Chart, ChartRefusedError, changes, nested
from .rows import DEV, HA, STANDALONE

OPEN_SECTIONS = {"injector"}
"""Sections whose keys the templates refuse, with a reason, in the schema's place."""


def refusal(chart: Chart, base: dict[str, Any], *given: dict[str, Any]) -> str:
    """What Helm says, as one line, to the values on top of the base."""
    values = base
    for flat in given:
        values = merge_values(values, nested(flat))
    with pytest.raises(ChartRefusedError) as refused:
        chart.objects(values)
    return " ".join(str(refused.value).split())


class TestUnknownKeys:
    @pytest.mark.parametrize(
        "section", sorted(path for path, _ in vault_schema.sections() if path not in OPEN_SECTIONS)
    )
    def test_one_is_refused_in_every_section(self, chart: Chart, section: str) -> None:
        key = f"{section}.unheardOf" if section else "unheardOf"
        message = refusal(chart, DEV, {key: "a"})
        place = "/" + section.replace(".", "/") if section else ""
        assert f"at '{place}': additional properties 'unheardOf' not allowed" in message

    def test_every_section_is_closed(self) -> None:
        closed = {path: each.get("additionalProperties") for path, each in vault_schema.sections()}
        assert {path for path, more in closed.items() if more is not False} == OPEN_SECTIONS

    def test_a_known_neighbour_passes(self, chart: Chart) -> None:
        assert "'prot' not allowed" in refusal(chart, DEV, {"server.service.prot": 443})
        assert chart.objects(merge_values(DEV, nested({"server.service.port": 443})))

    @pytest.mark.parametrize(
        ("official", "unknown"),
        [("csi.enabled", "csi"), ("server.ingress.enabled", "ingress"), ("server.uid", "uid")],
    )
    def test_what_only_the_official_chart_knows_is_unknown(
        self, chart: Chart, official: str, unknown: str
    ) -> None:
        message = refusal(chart, DEV, {official: True})
        assert f"additional properties '{unknown}' not allowed" in message


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("server.service.type", "ExternalName", "at '/server/service/type': value must be one of"),
        ("server.service.port", "8200", "at '/server/service/port': got string, want integer"),
        ("server.service.port", 0, "at '/server/service/port': minimum: got 0, want 1"),
        ("server.service.port", 65536, "at '/server/service/port': maximum: got 65,536"),
        ("server.readinessProbe.timeoutSeconds", -1, "timeoutSeconds': minimum: got -1, want 0"),
        ("server.image.pullPolicy", "Sometimes", "at '/server/image/pullPolicy': value must be"),
        ("server.dev.enabled", "yes", "at '/server/dev/enabled': got string, want boolean"),
        ("server.enabled", "yes", "at '/server/enabled': value must be one of true, false, '-'"),
        ("server.extraEnvironmentVars", {"A": {}}, "at '/server/extraEnvironmentVars/A': got"),
        ("server.extraSecretEnvironmentVars", [{"envName": "A"}], "missing properties"),
        ("server.standalone.config", "", "at '/server/standalone/config': minLength"),
        ("global.imagePullSecrets", [{}], "missing property 'name'"),
    ],
)
def test_a_value_of_the_wrong_kind(chart: Chart, key: str, value: Any, said: str) -> None:
    assert said in refusal(chart, DEV, {key: value})


@pytest.mark.parametrize("key", sorted(vault_schema.required()))
def test_a_value_that_is_needed_cannot_be_taken_away(chart: Chart, key: str) -> None:
    section, _, name = key.rpartition(".")
    place = "/" + section.replace(".", "/") if section else ""
    assert f"at '{place}': missing property '{name}'" in refusal(chart, DEV, {key: None})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"injector.enabled": True}, "injector.enabled is true: the lab's chart makes no injector"),
        # As it is when nothing is said: HashiCorp's chart would install one.
        ({"injector.enabled": "-"}, "injector.enabled is -: the lab's chart makes no injector"),
        ({"injector.replicas": 2}, "injector.replicas is given: the lab's chart makes no injector"),
    ],
)
def test_what_the_chart_does_not_make(chart: Chart, given: dict[str, Any], said: str) -> None:
    assert said in refusal(chart, DEV, given)
    assert said in refusal(chart, STANDALONE, given)


def test_a_cluster_without_the_integrated_storage(chart: Chart) -> None:
    said = "without server.ha.raft.enabled: the lab's chart makes HA with raft only"
    assert said in refusal(chart, HA, {"server.ha.raft.enabled": False})
    assert chart.objects(HA)


def test_what_is_not_made_may_be_said_to_be_off(chart: Chart) -> None:
    off = nested({"server.ha.enabled": False, "server.standalone.enabled": False})
    assert changes(chart.objects(DEV), chart.objects(merge_values(DEV, off))) == {}


def test_the_injector_follows_a_global_switch_that_is_off(chart: Chart) -> None:
    assert chart.objects(nested({"global.enabled": False})) == {}


class TestModes:
    def test_two_at_once(self, chart: Chart) -> None:
        said = "server.standalone.enabled is true beside server.dev.enabled: choose one of them"
        assert said in refusal(chart, DEV, {"server.standalone.enabled": True})
        said = "server.standalone.enabled is true beside server.ha.enabled: choose one of them"
        assert said in refusal(chart, HA, {"server.standalone.enabled": True})
        said = "server.ha.enabled is true beside server.dev.enabled: choose one of them"
        assert said in refusal(chart, HA, {"server.dev.enabled": True})

    def test_none(self, chart: Chart) -> None:
        said = "is false and so are server.dev.enabled and server.ha.enabled: choose one of them"
        assert said in refusal(chart, STANDALONE, {"server.standalone.enabled": False})

    def test_standalone_by_name_is_what_runs_without_a_name(self, chart: Chart) -> None:
        named = merge_values(STANDALONE, nested({"server.standalone.enabled": True}))
        assert changes(chart.objects(STANDALONE), chart.objects(named)) == {}

    def test_none_is_right_where_no_server_is_made(self, chart: Chart) -> None:
        off = nested({"server.standalone.enabled": False, "server.enabled": False})
        assert chart.objects(merge_values(STANDALONE, off))


_CLUSTER_IP = {"server.service.type": "ClusterIP"}
_UI = {"ui.enabled": True}
_CHECKED = {"server.livenessProbe.enabled": True, "server.livenessProbe.execCommand": ["/check"]}


@pytest.mark.parametrize(
    ("base", "beside", "key", "value", "reader"),
    [
        (DEV, {}, "server.affinity", "a: b", "mode standalone or ha"),
        (DEV, {}, "server.nodeSelector", {"a": "b"}, "mode standalone or ha"),
        (DEV, {}, "server.tolerations", [{"operator": "Exists"}], "mode standalone or ha"),
        (DEV, {}, "server.dataStorage", {"size": "2Gi"}, "mode standalone or ha"),
        (DEV, {}, "server.dataStorage", {"enabled": True}, "mode standalone or ha"),
        (DEV, {}, "server.auditStorage", {"enabled": True}, "mode standalone or ha"),
        (DEV, {}, "server.standalone.config", "ui = true", "mode standalone"),
        (HA, {}, "server.standalone.config", "ui = true", "mode standalone"),
        (
            DEV,
            {},
            "server.persistentVolumeClaimRetentionPolicy",
            {"whenDeleted": "Delete"},
            "mode standalone or ha",
        ),
        (STANDALONE, {}, "server.ha.replicas", 3, "mode ha"),
        (STANDALONE, {}, "server.ha.apiAddr", "https://vault", "mode ha"),
        (DEV, {}, "server.ha.raft.enabled", True, "mode ha"),
        (DEV, {}, "server.ha.raft.setNodeId", True, "mode ha"),
        (DEV, {}, "server.ha.raft.config", "ui = true", "mode ha"),
        (DEV, {}, "server.ha.disruptionBudget.maxUnavailable", 1, "mode ha"),
        (DEV, {}, "server.serviceAccount.annotations", {"a": "b"}, "mode standalone or ha"),
        (STANDALONE, {}, "server.dev.devRootToken", "a-secret-token", "mode dev"),
        (DEV, _CLUSTER_IP, "server.service.nodePort", 30000, "a server.service.type of NodePort"),
        (DEV, {}, "server.service.nodePort", 30000, "a server.service.type of NodePort"),
        (
            DEV,
            _CLUSTER_IP,
            "server.service.externalTrafficPolicy",
            "Local",
            "a server.service.type of LoadBalancer or NodePort",
        ),
        # Without a type it is one of the cluster only, too.
        (
            STANDALONE,
            {},
            "server.service.externalTrafficPolicy",
            "Local",
            "a server.service.type of LoadBalancer or NodePort",
        ),
        (DEV, {}, "server.readinessProbe.port", 8300, "a probe with a path"),
        (DEV, _CHECKED, "server.livenessProbe.path", "/a", "a probe without an execCommand"),
        (DEV, _CHECKED, "server.livenessProbe.port", 8300, "a probe without an execCommand"),
        (DEV, _UI, "ui.externalTrafficPolicy", "Local", "a ui.serviceType of LoadBalancer or"),
        (DEV, _UI, "ui.serviceNodePort", 30000, "a ui.serviceType of LoadBalancer or NodePort"),
        (DEV, _UI, "ui.loadBalancerIP", "192.0.2.7", "a ui.serviceType of LoadBalancer reads it"),
        (DEV, _UI, "ui.loadBalancerSourceRanges", ["192.0.2.0/24"], "a ui.serviceType of Load"),
    ],
)
def test_a_value_that_nothing_reads(
    chart: Chart,
    base: dict[str, Any],
    beside: dict[str, Any],
    key: str,
    value: Any,
    reader: str,
) -> None:
    """The other side, where it is read, is a row of test_values."""
    message = refusal(chart, base, beside, {key: value})
    assert f"{key} is given, and only {reader}" in message
    assert message.count("reads it: leave it out") == 1
    assert "a-secret-token" not in message


@pytest.mark.parametrize("storage", ["dataStorage", "auditStorage"])
def test_mode_dev_may_be_told_that_storage_is_off(chart: Chart, storage: str) -> None:
    off = nested({f"server.{storage}.enabled": False, f"server.{storage}.size": "2Gi"})
    assert changes(chart.objects(DEV), chart.objects(merge_values(DEV, off))) == {}


def test_a_root_token_of_the_wrong_kind_is_not_repeated(chart: Chart) -> None:
    message = refusal(chart, DEV, {"server.dev.devRootToken": 987654321})
    assert "at '/server/dev/devRootToken'" in message
    assert "987654321" not in message
