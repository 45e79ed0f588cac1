"""What the component renders, before a real API server with Gloo's definition."""

import copy
from typing import Any

import pytest

from mesh_trust import InvalidInputError, RootTrustPolicyArgs
from mesh_trust.root_trust_policy_spec import policy_object
from tests.root_trust_policies import (
    BRANCHES,
    CA,
    ORDINARY,
    SECRET,
    signed_by_gloo,
    with_login,
    with_mesh,
    with_vault,
)
from tests.specs import with_fields

from .gloo import GlooHand, refused

AGENT = ("config", "agentCa", "vault")
OPTIONS = ("config", "intermediateCertOptions")


@pytest.mark.parametrize("branch", BRANCHES)
def test_all_that_can_be_rendered_is_accepted(gloo: GlooHand, branch: str) -> None:
    spec = policy_object(BRANCHES[branch]).spec  # type: ignore[arg-type]
    assert refused(gloo.api, gloo.namespace, spec) is None


def certificates(**options: Any) -> dict[str, Any]:
    return {**ORDINARY, "intermediate_certificates": options}


@pytest.mark.parametrize(
    ("args", "path", "fields", "why"),
    [
        (
            {**ORDINARY, "management_server_ca": {"generated": {}}},
            *(("config",), {"mgmtServerCa": {"generated": {}}}),
            "only one of mgmtServerCa and agentCa may be set",
        ),
        (
            with_vault(ca_bundle=CA, ca_secret_ref=SECRET),
            *(AGENT, {"caBundle": "YQ==", "caSecretRef": SECRET}),
            "only one of caBundle, caSecretRef and caLocalPath may be set",
        ),
        (
            with_vault(ca_secret_ref=SECRET, ca_local_path="/ca"),
            *(AGENT, {"caSecretRef": SECRET, "caLocalPath": "/ca"}),
            "only one of caBundle, caSecretRef and caLocalPath may be set",
        ),
        (
            with_vault(token_secret_ref=SECRET),
            *(AGENT, {"tokenSecretRef": SECRET}),
            "exactly one of tokenSecretRef and kubernetesAuth must be set",
        ),
        (
            with_vault(kubernetes_auth=None),
            *(AGENT, {"kubernetesAuth": None}),
            "exactly one of tokenSecretRef and kubernetesAuth must be set",
        ),
        (with_vault(server=None), AGENT, {"server": None}, "vault.server: Required value"),
        (with_vault(ca_path=""), AGENT, {"caPath": ""}, "at least 1 chars long"),
        (
            with_login(service_account_ref=SECRET, mounted_sa_path="/account"),
            (*AGENT, "kubernetesAuth"),
            {"serviceAccountRef": SECRET, "mountedSaPath": "/account"},
            "only one of serviceAccountRef and mountedSaPath may be set",
        ),
        (
            with_login(role=None),
            *((*AGENT, "kubernetesAuth"), {"role": None}),
            "kubernetesAuth.role: Required value",
        ),
        (
            with_vault(ca_secret_ref={"name": "ca"}),
            *(AGENT, {"caSecretRef": {"name": "ca"}}),
            "caSecretRef.namespace: Required value",
        ),
        (with_vault(colour="red"), AGENT, {"colour": "red"}, "unknown field in"),
        (
            {**ORDINARY, "passive_certificate_authorities": [signed_by_gloo()]},
            *(("config",), {"passiveCertificateAuthorities": [{"cluster": "east"}]}),
            "unknown field in",
        ),
        (with_mesh(revision=1), ("applyToMeshes", 0, "istio"), {"revision": 1}, "type string"),
        (
            with_mesh(cluster_selector={"a": 1}),
            *(("applyToMeshes", 0, "istio"), {"clusterSelector": {"a": 1}}),
            "type string",
        ),
        (certificates(ttl_days=0), OPTIONS, {"ttlDays": 0}, "greater than or equal to 1"),
        (certificates(ttl_days=2**32), OPTIONS, {"ttlDays": 2**32}, "less than or equal to"),
        (
            certificates(secret_rotation_grace_period_ratio=0),
            *(OPTIONS, {"secretRotationGracePeriodRatio": 0}),
            "greater than 0",
        ),
        (
            certificates(secret_rotation_grace_period_ratio=1),
            *(OPTIONS, {"secretRotationGracePeriodRatio": 1}),
            "less than 1",
        ),
    ],
)
def test_what_the_definition_refuses_is_refused_before(
    gloo: GlooHand,
    args: RootTrustPolicyArgs,
    path: tuple[str | int, ...],
    fields: dict[str, Any],
    why: str,
) -> None:
    with pytest.raises(InvalidInputError):
        policy_object(args)
    spec = copy.deepcopy(policy_object(ORDINARY).spec)
    spec["config"]["intermediateCertOptions"] = {}
    assert refused(gloo.api, gloo.namespace, spec) is None

    changed = with_fields(spec, *path, **fields)
    assert why in (refused(gloo.api, gloo.namespace, changed) or "")
