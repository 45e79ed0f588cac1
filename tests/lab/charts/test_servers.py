"""What the chart makes of the values of VaultInstall's servers."""

import json
from typing import Any

import pytest

from mesh_trust import VaultInstallArgs
from mesh_trust.vault_install_args import server_release_values, servers_of
from mesh_trust.vault_seal import SEALS

from .rendering import Chart

CANARY = "canary-of-the-seal"
CREDENTIALS: dict[str, dict[str, str]] = {
    "awskms": {
        "region": "eu",
        "kms_key_id": "alias/vault",
        "access_key_id": f"{CANARY}-id",
        "secret_access_key": CANARY,
        "session_token": f"{CANARY}-session",
    },
    "gcpckms": {
        "project": "p",
        "region": "global",
        "key_ring": "ring",
        "crypto_key": "key",
        "credentials": CANARY,
    },
    "azurekeyvault": {
        "tenant_id": "0-1",
        "vault_name": "keys",
        "key_name": "vault",
        "client_secret": CANARY,
    },
    "transit": {
        "address": "https://other:8200",
        "key_name": "unseal",
        "token": CANARY,
        "ca_certificate": f"{CANARY}-ca",
    },
}


def rendered(chart: Chart, args: Any) -> dict[str, Any]:
    values = server_release_values(args, tls_secret="vault-server-tls", seal_secret="vault-seal")
    return chart.objects(values)


def container(objects: dict[str, Any]) -> dict[str, Any]:
    [found] = objects["StatefulSet/vault"]["spec"]["template"]["spec"]["containers"]
    return dict(found)


@pytest.mark.parametrize("mode", ["standalone", "ha"])
@pytest.mark.parametrize("seal", SEALS)
def test_no_credential_is_in_any_object(chart: Chart, mode: str, seal: str) -> None:
    objects = rendered(chart, {"mode": mode, "seal": {seal: CREDENTIALS[seal]}})

    assert CANARY not in json.dumps(objects)
    configuration = objects["ConfigMap/vault-config"]["data"]["extraconfig-from-values.hcl"]
    assert f'seal "{seal}"' in configuration
    pod = objects["StatefulSet/vault"]["spec"]["template"]["spec"]
    assert '"vault-seal"' in json.dumps(pod)


@pytest.mark.parametrize("mode", ["standalone", "ha"])
def test_the_configuration_is_the_one_that_was_rendered(chart: Chart, mode: str) -> None:
    args: VaultInstallArgs = {"mode": mode}
    objects = rendered(chart, args)

    found = objects["ConfigMap/vault-config"]["data"]["extraconfig-from-values.hcl"]
    assert found.strip() == servers_of(args).configuration.strip()


def test_a_cluster_of_five(chart: Chart) -> None:
    objects = rendered(chart, {"mode": "ha", "replicas": 5, "retention": "delete"})

    spec = objects["StatefulSet/vault"]["spec"]
    assert spec["replicas"] == 5
    assert spec["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Delete",
        "whenScaled": "Retain",
    }
    assert [each["metadata"]["name"] for each in spec["volumeClaimTemplates"]] == ["data", "audit"]
    assert objects["PodDisruptionBudget/vault"]["spec"]["maxUnavailable"] == 2
    assert objects["Service/vault"]["spec"]["publishNotReadyAddresses"] is False
    assert objects["Service/vault-internal"]["spec"]["publishNotReadyAddresses"] is True
    mounts = {each["name"]: each["mountPath"] for each in container(objects)["volumeMounts"]}
    assert (mounts["tls"], mounts["data"], mounts["audit"]) == (
        "/vault/tls",
        "/vault/data",
        "/vault/audit",
    )
    variables = [each["name"] for each in container(objects)["env"]]
    # One variable can name those before it only.
    assert variables.index("VAULT_K8S_POD_NAME") < variables.index("VAULT_API_ADDR")
    served = [each["name"] for each in container(objects)["ports"]]
    assert served == ["https", "https-internal", "https-rep"]
