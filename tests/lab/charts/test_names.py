"""How the Vault chart names its objects, and that they find each other by these names."""

import json
from typing import Any

import pytest

from mesh_trust.vault_values import merge_values

from .rendering import Chart, Objects, nested
from .rows import DEV, STANDALONE

LONG = "a-name-of-sixty-two-characters-which-is-one-less-than-may-be-x"


def rendered(chart: Chart, base: dict[str, Any], release: str, **overrides: str) -> Objects:
    return chart.objects(merge_values(base, overrides), release=release)


@pytest.mark.parametrize(
    ("release", "overrides", "full", "short"),
    [
        ("vault", {}, "vault", "vault"),
        # A release with the chart's name in its own lends its name as it is.
        ("my-vault-two", {}, "my-vault-two", "vault"),
        ("trust", {}, "trust-vault", "vault"),
        ("trust", {"nameOverride": "keys"}, "trust-keys", "keys"),
        ("vault", {"nameOverride": "keys"}, "vault-keys", "keys"),
        ("my-keys", {"nameOverride": "keys"}, "my-keys", "keys"),
        ("trust", {"fullnameOverride": "safe"}, "safe", "vault"),
        ("vault", {"fullnameOverride": "safe", "nameOverride": "keys"}, "safe", "keys"),
        # 63 characters at most, and no dash at the end.
        ("trust", {"fullnameOverride": f"{LONG}yz"}, f"{LONG}y", "vault"),
        ("trust", {"fullnameOverride": f"{LONG}-z"}, LONG, "vault"),
        ("trust", {"fullnameOverride": "safe", "nameOverride": f"{LONG}-z"}, "safe", LONG),
        ("a" * 53, {"nameOverride": "keys-to-it"}, f"{'a' * 53}-keys-to-i", "keys-to-it"),
    ],
)
def test_full_and_short_name(
    chart: Chart, release: str, overrides: dict[str, str], full: str, short: str
) -> None:
    objects = rendered(chart, STANDALONE, release, **overrides)
    assert set(objects) == {
        f"ServiceAccount/{full}",
        f"ClusterRoleBinding/{full}-server-binding",
        f"ConfigMap/{full}-config",
        f"Service/{full}",
        f"Service/{full}-internal",
        f"StatefulSet/{full}",
    }
    selector = {
        "app.kubernetes.io/name": short,
        "app.kubernetes.io/instance": release,
        "component": "server",
    }
    spec = objects[f"StatefulSet/{full}"]["spec"]
    assert spec["serviceName"] == f"{full}-internal"
    assert spec["selector"]["matchLabels"] == selector
    assert selector.items() <= spec["template"]["metadata"]["labels"].items()
    assert objects[f"Service/{full}"]["spec"]["selector"] == selector
    assert objects[f"Service/{full}-internal"]["spec"]["selector"] == selector
    [subject] = objects[f"ClusterRoleBinding/{full}-server-binding"]["subjects"]
    assert subject["name"] == spec["template"]["spec"]["serviceAccountName"] == full
    [container] = spec["template"]["spec"]["containers"]
    [cluster] = [each for each in container["env"] if each["name"] == "VAULT_CLUSTER_ADDR"]
    assert cluster["value"] == f"https://$(HOSTNAME).{full}-internal:8201"
    assert {"name": "config", "configMap": {"name": f"{full}-config"}} in spec["template"]["spec"][
        "volumes"
    ]
    for each in objects.values():
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == short
        assert labels["app.kubernetes.io/instance"] == release


@pytest.mark.parametrize("key", ["fullnameOverride", "nameOverride"])
def test_an_override_changes_names_and_nothing_else(chart: Chart, key: str) -> None:
    both = nested({"fullnameOverride": "full", "nameOverride": "short", "ui.enabled": True})
    one, other = (
        chart.objects(merge_values(merge_values(DEV, both), {key: name}))
        for name in ("the-first", "the-second")
    )
    assert one != other
    assert json.loads(json.dumps(one).replace("the-first", "the-second")) == other


def test_a_user_interface_has_a_name_of_its_own(chart: Chart) -> None:
    objects = chart.objects(
        merge_values(DEV, nested({"ui.enabled": True, "nameOverride": "keys"})), release="trust"
    )
    labels = objects["Service/trust-keys-ui"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "keys-ui"
