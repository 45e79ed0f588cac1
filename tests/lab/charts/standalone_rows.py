"""Values of the Vault chart that change a server which keeps its data."""

from typing import Any

from .rows import (
    ACCOUNT,
    CONTAINER,
    FILLED,
    PODS,
    SET,
    TEMPLATE,
    gone,
    standalone,
    variable,
)

CLAIMS = f"{SET}.spec.volumeClaimTemplates"
MOUNTS = f"{CONTAINER}.volumeMounts"
CONFIGURATION = "ConfigMap/vault-config.data.extraconfig-from-values.hcl"

_AUDITED = {"server.auditStorage.enabled": True}


def _claim(name: str, metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, **(metadata or {})},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
            **spec,
        },
    }


# Field of a claim, its value in the chart, and what that makes of the claim beside its name.
_CLAIM_FIELDS: tuple[tuple[str, Any, dict[str, Any]], ...] = (
    ("size", "2Gi", {"resources": {"requests": {"storage": "2Gi"}}}),
    ("storageClass", "fast", {"storageClassName": "fast"}),
    ("accessMode", "ReadWriteOncePod", {"accessModes": ["ReadWriteOncePod"]}),
    ("annotations", {"of": "us"}, {"metadata": {"annotations": {"of": "us"}}}),
    ("annotations", TEMPLATE, {"metadata": {"annotations": FILLED}}),
    ("labels", {"of": "us"}, {"metadata": {"labels": {"of": "us"}}}),
    ("labels", TEMPLATE, {"metadata": {"labels": FILLED}}),
)

STORAGE_ROWS = (
    standalone("server.dataStorage.enabled", False, gone(CLAIMS, f"{MOUNTS}[data]")),
    standalone("server.dataStorage.mountPath", "/kept", {f"{MOUNTS}[data].mountPath": "/kept"}),
    *(
        standalone(f"server.dataStorage.{name}", value, {CLAIMS: [_claim("data", **claim)]})
        for name, value, claim in _CLAIM_FIELDS
    ),
    standalone(
        "server.auditStorage.enabled",
        True,
        {
            CLAIMS: [_claim("data"), _claim("audit")],
            f"{MOUNTS}[audit]": {"name": "audit", "mountPath": "/vault/audit"},
        },
    ),
    standalone(
        "server.auditStorage.mountPath",
        "/kept",
        {f"{MOUNTS}[audit].mountPath": "/kept"},
        _AUDITED,
    ),
    *(
        standalone(
            f"server.auditStorage.{name}",
            value,
            {CLAIMS: [_claim("data"), _claim("audit", **claim)]},
            _AUDITED,
        )
        for name, value, claim in _CLAIM_FIELDS
    ),
)

_ALONE_ON_ITS_HOST = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {
                "topologyKey": "kubernetes.io/hostname",
                "labelSelector": {
                    "matchLabels": {
                        "app.kubernetes.io/name": "vault",
                        "app.kubernetes.io/instance": "vault",
                        "component": "server",
                    }
                },
            }
        ]
    }
}

_WITHOUT_AFFINITY = {"server.affinity": ""}

PLACEMENT_ROWS = (
    standalone("server.affinity", "", gone(f"{PODS}.spec.affinity")),
    standalone("server.affinity", {}, gone(f"{PODS}.spec.affinity")),
    standalone("server.affinity", None, gone(f"{PODS}.spec.affinity")),
    standalone("server.affinity", TEMPLATE, {f"{PODS}.spec.affinity": FILLED}, _WITHOUT_AFFINITY),
    standalone(
        "server.affinity",
        {"nodeAffinity": {}},
        {f"{PODS}.spec.affinity": {"nodeAffinity": {}}},
        _WITHOUT_AFFINITY,
    ),
    standalone("server.nodeSelector", {"of": "us"}, {f"{PODS}.spec.nodeSelector": {"of": "us"}}),
    standalone("server.nodeSelector", TEMPLATE, {f"{PODS}.spec.nodeSelector": FILLED}),
    standalone(
        "server.tolerations",
        [{"operator": "Exists"}],
        {f"{PODS}.spec.tolerations": [{"operator": "Exists"}]},
    ),
    standalone(
        "server.tolerations",
        "- key: {{ .Release.Name }}",
        {f"{PODS}.spec.tolerations": [{"key": "vault"}]},
    ),
)

STANDALONE_ROWS = (
    # What the two modes differ in.
    standalone(
        "server.dev.enabled",
        True,
        {
            **gone("ConfigMap/vault-config", CLAIMS, f"{PODS}.spec.affinity"),
            **gone(f"{PODS}.spec.volumes[config]", f"{MOUNTS}[config]", f"{MOUNTS}[data]"),
            f"{CONTAINER}.args": ["/usr/local/bin/docker-entrypoint.sh vault server -dev\n"],
            **variable("VAULT_DEV_ROOT_TOKEN_ID", "root"),
            **variable("VAULT_DEV_LISTEN_ADDRESS", "[::]:8200"),
        },
    ),
    standalone(
        "server.standalone.config",
        "# {{ .Release.Name }}",
        {CONFIGURATION: "# vault\ndisable_mlock = true"},
    ),
    standalone(
        "server.standalone.config",
        "disable_mlock = false\nui = false\n",
        {CONFIGURATION: "disable_mlock = false\nui = false"},
    ),
    standalone(
        "server.standalone.config",
        '{"ui": false}',
        {CONFIGURATION: '{"disable_mlock":true,"ui":false}'},
    ),
    standalone(
        "server.standalone.config",
        '{"disable_mlock": false}',
        {CONFIGURATION: '{"disable_mlock":false}'},
    ),
    standalone(
        "server.serviceAccount.annotations",
        {"of": "us"},
        {f"{ACCOUNT}.metadata.annotations": {"of": "us"}},
    ),
    standalone(
        "server.serviceAccount.annotations",
        TEMPLATE,
        {f"{ACCOUNT}.metadata.annotations": FILLED},
    ),
)
