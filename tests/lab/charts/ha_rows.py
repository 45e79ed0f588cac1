"""Values of the Vault chart that change a cluster of servers."""

from .rows import (
    CONTAINER,
    ENVIRONMENT,
    PODS,
    SET,
    Row,
    cluster,
    gone,
    standalone,
)
from .standalone_rows import CONFIGURATION

BUDGET = "PodDisruptionBudget/vault"

HA_ROWS = (
    cluster(
        "server.ha.replicas", 5, {f"{SET}.spec.replicas": 5, f"{BUDGET}.spec.maxUnavailable": 2}
    ),
    cluster(
        "server.ha.replicas", 1, {f"{SET}.spec.replicas": 1, f"{BUDGET}.spec.maxUnavailable": 0}
    ),
    cluster(
        "server.ha.apiAddr",
        "https://$(VAULT_K8S_POD_NAME).vault-internal:8200",
        {
            f"{ENVIRONMENT}[VAULT_API_ADDR].value": (
                "https://$(VAULT_K8S_POD_NAME).vault-internal:8200"
            )
        },
    ),
    cluster(
        "server.ha.raft.setNodeId",
        True,
        {
            f"{ENVIRONMENT}[VAULT_RAFT_NODE_ID]": {
                "name": "VAULT_RAFT_NODE_ID",
                "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
            }
        },
    ),
    cluster(
        "server.ha.raft.config",
        "# {{ .Release.Name }}",
        {CONFIGURATION: "# vault\ndisable_mlock = true"},
    ),
    cluster("server.service.active.enabled", False, gone("Service/vault-active")),
    cluster("server.service.standby.enabled", False, gone("Service/vault-standby")),
    cluster("server.ha.disruptionBudget.enabled", False, gone(BUDGET)),
    cluster("server.ha.disruptionBudget.maxUnavailable", 2, {f"{BUDGET}.spec.maxUnavailable": 2}),
    *(
        made(
            f"server.persistentVolumeClaimRetentionPolicy.{when}",
            "Delete",
            {f"{SET}.spec.persistentVolumeClaimRetentionPolicy": {when: "Delete"}},
        )
        for when in ("whenDeleted", "whenScaled")
        for made in (standalone, cluster)
    ),
    Row(
        "server.postStart",
        ["/bin/sh", "-c", "true"],
        {f"{CONTAINER}.lifecycle.postStart": {"exec": {"command": ["/bin/sh", "-c", "true"]}}},
    ),
    cluster("server.affinity", {}, gone(f"{PODS}.spec.affinity")),
)
