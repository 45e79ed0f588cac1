"""Values of the Vault chart that change its Services, and who may do what."""

from typing import Any

from .rows import (
    ACCOUNT,
    BINDING,
    FILLED,
    INTERNAL,
    PODS,
    SERVICE,
    TEMPLATE,
    UI,
    Row,
    added,
    gone,
)

_PORT = f"{SERVICE}.spec.ports[http]"
_INTERNAL_PORT = f"{INTERNAL}.spec.ports[http]"
_UI_PORT = f"{UI}.spec.ports[http]"

_NODE_PORT = {"server.service.type": "NodePort"}
_WITH_UI = {"ui.enabled": True}
_BALANCED_UI = {**_WITH_UI, "ui.serviceType": "LoadBalancer"}

_SELECTED = {
    "app.kubernetes.io/name": "vault",
    "app.kubernetes.io/instance": "vault",
    "component": "server",
}
_UI_SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {
        "name": "vault-ui",
        "namespace": "vault",
        "labels": {
            "helm.sh/chart": "vault-0.34.1",
            "app.kubernetes.io/name": "vault-ui",
            "app.kubernetes.io/instance": "vault",
            "app.kubernetes.io/managed-by": "Helm",
        },
    },
    "spec": {
        "type": "ClusterIP",
        "publishNotReadyAddresses": True,
        "ports": [{"name": "http", "port": 8200, "targetPort": 8200}],
        "selector": _SELECTED,
    },
}

SERVICE_ROWS = (
    Row("server.service.enabled", False, gone(SERVICE, INTERNAL)),
    Row(
        "server.service.instanceSelector.enabled",
        False,
        gone(f"{SERVICE}.spec.selector.app.kubernetes.io/instance"),
    ),
    Row("server.service.type", "NodePort", {f"{SERVICE}.spec.type": "NodePort"}),
    Row(
        "server.service.type",
        "ClusterIP",
        {f"{SERVICE}.spec.type": "ClusterIP", **gone(f"{SERVICE}.spec.externalTrafficPolicy")},
    ),
    Row("server.service.clusterIP", "10.0.0.9", {f"{SERVICE}.spec.clusterIP": "10.0.0.9"}),
    Row("server.service.nodePort", 30000, {f"{_PORT}.nodePort": 30000}, _NODE_PORT),
    *(
        Row(
            "server.service.externalTrafficPolicy",
            "Local",
            {f"{SERVICE}.spec.externalTrafficPolicy": "Local"},
            {"server.service.type": type_},
        )
        for type_ in ("LoadBalancer", "NodePort")
    ),
    Row(
        "server.service.publishNotReadyAddresses",
        False,
        {f"{SERVICE}.spec.publishNotReadyAddresses": False},
    ),
    Row("server.service.port", 443, {f"{_PORT}.port": 443, f"{_INTERNAL_PORT}.port": 443}),
    Row(
        "server.service.targetPort",
        8300,
        {f"{_PORT}.targetPort": 8300, f"{_INTERNAL_PORT}.targetPort": 8300},
    ),
    *(
        Row(
            "server.service.annotations",
            given,
            {
                f"{SERVICE}.metadata.annotations": made,
                f"{INTERNAL}.metadata.annotations": made,
            },
        )
        for given, made in (({"of": "us"}, {"of": "us"}), (TEMPLATE, FILLED))
    ),
)

UI_ROWS = (
    Row("ui.enabled", True, {UI: _UI_SERVICE}),
    Row("ui.enabled", "-", {UI: _UI_SERVICE}),
    Row(
        "ui.serviceType",
        "NodePort",
        {f"{UI}.spec.type": "NodePort", f"{UI}.spec.externalTrafficPolicy": "Cluster"},
        _WITH_UI,
    ),
    Row("ui.serviceNodePort", 30001, {f"{_UI_PORT}.nodePort": 30001}, _BALANCED_UI),
    Row(
        "ui.externalTrafficPolicy",
        "Local",
        {f"{UI}.spec.externalTrafficPolicy": "Local"},
        _BALANCED_UI,
    ),
    Row("ui.loadBalancerIP", "192.0.2.7", {f"{UI}.spec.loadBalancerIP": "192.0.2.7"}, _BALANCED_UI),
    Row(
        "ui.loadBalancerSourceRanges",
        ["192.0.2.0/24"],
        {f"{UI}.spec.loadBalancerSourceRanges": ["192.0.2.0/24"]},
        _BALANCED_UI,
    ),
    Row("ui.externalPort", 80, {f"{_UI_PORT}.port": 80}, _WITH_UI),
    Row("ui.targetPort", 8300, {f"{_UI_PORT}.targetPort": 8300}, _WITH_UI),
    Row(
        "ui.publishNotReadyAddresses",
        False,
        {f"{UI}.spec.publishNotReadyAddresses": False},
        _WITH_UI,
    ),
    Row("ui.annotations", {"of": "us"}, {f"{UI}.metadata.annotations": {"of": "us"}}, _WITH_UI),
    Row("ui.annotations", TEMPLATE, {f"{UI}.metadata.annotations": FILLED}, _WITH_UI),
)

ACCESS_ROWS = (
    Row("server.authDelegator.enabled", False, gone(BINDING)),
    Row(
        "server.serviceAccount.create",
        False,
        {**gone(ACCOUNT, BINDING), f"{PODS}.spec.serviceAccountName": "default"},
    ),
    # An account that others make may still be Vault's.
    Row(
        "server.serviceAccount.create",
        False,
        gone("ServiceAccount/other"),
        {"server.serviceAccount.name": "other"},
    ),
    Row(
        "server.serviceAccount.name",
        "other",
        {
            **gone(ACCOUNT, f"{BINDING}.subjects[vault]"),
            **added("ServiceAccount/other"),
            f"{BINDING}.subjects[other]": {
                "kind": "ServiceAccount",
                "name": "other",
                "namespace": "vault",
            },
            f"{PODS}.spec.serviceAccountName": "other",
        },
    ),
    Row("server.serviceAccount.extraLabels", {"of": "us"}, {f"{ACCOUNT}.metadata.labels.of": "us"}),
)
