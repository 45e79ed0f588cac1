"""The Vault chart's objects as a whole."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from lab.toolchain.catalog import TOOLS
from mesh_trust.vault_install_args import CHART_SOURCE
from mesh_trust.vault_values import merge_values

from .rendering import CHARTS, Chart, ChartRefusedError, Objects, changes, nested
from .rows import DEV, HA, STANDALONE

EXPECTED = Path(__file__).with_name("vault_dev_objects.yaml")

CONFIGURATION = """\
ui = true

listener "tcp" {
  address         = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_disable     = 1
}

storage "file" {
  path = "/vault/data"
}
disable_mlock = true"""


def test_mode_dev(chart: Chart) -> None:
    documents = list(yaml.safe_load_all(EXPECTED.read_text()))
    expected: Objects = {f"{each['kind']}/{each['metadata']['name']}": each for each in documents}
    assert changes(expected, chart.objects(DEV)) == {}


def test_mode_standalone(chart: Chart) -> None:
    """What it has beside mode dev's; `server.dev.enabled` in test_values has the difference."""
    objects = chart.objects(STANDALONE)
    assert objects["ConfigMap/vault-config"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "vault-config",
            "namespace": "vault",
            "labels": {
                "helm.sh/chart": "vault-0.34.1",
                "app.kubernetes.io/name": "vault",
                "app.kubernetes.io/instance": "vault",
                "app.kubernetes.io/managed-by": "Helm",
            },
        },
        "data": {"extraconfig-from-values.hcl": CONFIGURATION},
    }
    spec = objects["StatefulSet/vault"]["spec"]
    [claim] = spec["volumeClaimTemplates"]
    assert claim == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }
    pod = spec["template"]["spec"]
    assert pod["volumes"] == [
        {"name": "config", "configMap": {"name": "vault-config"}},
        {"name": "home", "emptyDir": {}},
    ]
    assert pod["containers"][0]["volumeMounts"] == [
        {"name": "config", "mountPath": "/vault/config"},
        {"name": "data", "mountPath": "/vault/data"},
        {"name": "home", "mountPath": "/home/vault"},
    ]
    [terms] = pod["affinity"]["podAntiAffinity"].values()
    assert terms == [
        {
            "topologyKey": "kubernetes.io/hostname",
            "labelSelector": {"matchLabels": spec["selector"]["matchLabels"]},
        }
    ]


def test_mode_ha(chart: Chart) -> None:
    """What it has beside mode standalone's."""
    objects = chart.objects(HA)
    found = changes(chart.objects(STANDALONE), objects)
    assert found.pop("StatefulSet/vault.spec.replicas") == 3
    configuration = found.pop("ConfigMap/vault-config.data.extraconfig-from-values.hcl")
    assert 'storage "raft"' in configuration
    assert 'service_registration "kubernetes" {}' in configuration
    assert found.keys() == {
        "PodDisruptionBudget/vault",
        "Role/vault-discovery-role",
        "RoleBinding/vault-discovery-rolebinding",
        "Service/vault-active",
        "Service/vault-standby",
    }
    pods = objects["StatefulSet/vault"]["spec"]["selector"]["matchLabels"]
    budget = objects["PodDisruptionBudget/vault"]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": pods}}
    [rule] = objects["Role/vault-discovery-role"]["rules"]
    assert (rule["resources"], sorted(rule["verbs"])) == (
        ["pods"],
        ["get", "list", "patch", "update", "watch"],
    )
    bound = objects["RoleBinding/vault-discovery-rolebinding"]
    assert (bound["roleRef"]["name"], bound["subjects"][0]["name"]) == (
        "vault-discovery-role",
        "vault",
    )
    for name, is_active in (("active", "true"), ("standby", "false")):
        spec = objects[f"Service/vault-{name}"]["spec"]
        assert spec["selector"] == {**pods, "vault-active": is_active}
        assert spec["ports"] == objects["Service/vault"]["spec"]["ports"]


def test_without_a_server_the_account_and_its_rights_stay(chart: Chart) -> None:
    """For a Vault outside the cluster, which asks this one's API server whose a token is."""
    off = nested({"server.enabled": False, "ui.enabled": True})
    objects = chart.objects(merge_values(DEV, off))
    assert set(objects) == {"ServiceAccount/vault", "ClusterRoleBinding/vault-server-binding"}


def test_a_server_enabled_by_name_is_that_of_the_global_switch(chart: Chart) -> None:
    named = nested({"server.enabled": True, "global.enabled": False})
    assert changes(chart.objects(DEV), chart.objects(merge_values(DEV, named))) == {}


def test_a_root_token_is_in_the_environment_and_nowhere_else(chart: Chart) -> None:
    text = chart.run(["template", "vault", str(chart.folder)], DEV)
    assert text.count("a-token") == 1


def test_the_version_is_the_one_that_vault_install_asks_for() -> None:
    described = yaml.safe_load((CHARTS / "vault" / "Chart.yaml").read_text())
    assert described["version"] == CHART_SOURCE.version


def test_the_image_is_of_the_vault_that_the_lab_has(chart: Chart) -> None:
    [built] = [tool.version for tool in TOOLS if tool.name == "vault"]
    described = yaml.safe_load((chart.folder / "Chart.yaml").read_text())
    assert described["appVersion"] == built
    values = yaml.safe_load((chart.folder / "values.yaml").read_text())
    image = {"repository": "hashicorp/vault", "tag": built, "pullPolicy": "IfNotPresent"}
    assert values["server"]["image"] == image


@pytest.mark.parametrize("values", [DEV, HA, STANDALONE])
def test_helm_finds_nothing_to_say_against_it(chart: Chart, values: Mapping[str, object]) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in chart.run(
        ["lint", "--strict", str(chart.folder)], values
    )


def test_helm_does_find_an_unknown_value(chart: Chart) -> None:
    with pytest.raises(ChartRefusedError, match="'unheardOf' not allowed"):
        chart.run(["lint", "--strict", str(chart.folder)], {**DEV, "unheardOf": 1})
