"""What the configuration says of the clusters' RootTrustPolicies."""

from pathlib import Path
from typing import Any

import pytest

from mesh_trust.settings import InvalidConfigurationError
from mesh_trust.settings.trust_policy import TrustPolicy

from .test_settings import environment, load

__all__ = ["environment"]


@pytest.mark.parametrize("given", [{}, {"rootTrustPolicy": {}}])
def test_the_defaults(given: dict[str, Any]) -> None:
    assert load(**given).trust_policy == TrustPolicy(
        "workload", "gloo-mesh", None, auto_restart_pods=False, certificates=None
    )


def test_everything(environment: Path) -> None:
    settings = load(
        management={"context": "path"},
        rootTrustPolicy={
            "placement": "management",
            "namespace": "gloo",
            "awaitSeconds": 60,
            "autoRestartPods": True,
            "orgName": "Example",
            "rsaKeySizeBytes": 2048,
            "secretRotationGracePeriodRatio": 0.2,
        },
    )

    assert settings.trust_policy == TrustPolicy(
        "management",
        "gloo",
        60,
        auto_restart_pods=True,
        certificates={
            "org_name": "Example",
            "rsa_key_size_bytes": 2048,
            "secret_rotation_grace_period_ratio": 0.2,
        },
    )
    management = settings.connections["management"]
    assert (management.kubeconfig, management.context) == (str(environment / "kubeconfig"), "path")


def test_a_management_cluster_without_use_gets_no_provider() -> None:
    assert set(load(management={"context": "path"}).connections) == {"east", "west"}


@pytest.mark.parametrize(
    ("policy", "line"),
    [
        ({"placement": "both"}, "rootTrustPolicy.placement: 'both' "),
        ({"placement": "management"}, "management.context: None .*the policies go to"),
        ({"namespace": "*"}, "rootTrustPolicy.namespace: '\\*' "),
        ({"awaitSeconds": 0}, "rootTrustPolicy.awaitSeconds: 0 "),
        ({"awaitSeconds": "60"}, "rootTrustPolicy.awaitSeconds: '60' "),
        ({"autoRestartPods": "no"}, "rootTrustPolicy.autoRestartPods: 'no' .*true or false"),
        ({"rsaKeySizeBytes": 1024}, "rootTrustPolicy.rsaKeySizeBytes: 1024 "),
        ({"orgName": ""}, "rootTrustPolicy.orgName: '' "),
        ({"secretRotationGracePeriodRatio": 1}, ".*GracePeriodRatio: 1 .*between 0 and 1"),
        ({"ttlDays": 90}, "rootTrustPolicy.ttlDays: '…' .*there is no such field"),
        ("management", "rootTrustPolicy: 'management' .*give it the fields placement, "),
    ],
)
def test_a_wrong_value_is_named(policy: Any, line: str) -> None:
    with pytest.raises(InvalidConfigurationError, match=f"^{line}"):
        load(rootTrustPolicy=policy)
