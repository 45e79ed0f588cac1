"""What others change by hand is seen by `refresh` and mended by `up`."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from kubernetes import client

from lab.lab import Lab

from .handshake import handshake
from .inventory import kubernetes_client, take_inventory, vault_client
from .program import NO_CHANGES_EXIT_CODE, Program

ROLE = "gen-int-ca-istio-east-mesh"


def test_without_drift_refresh_finds_nothing(deployed: Program) -> None:
    deployed.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")


def delete_policy(lab: Lab) -> None:
    vault_client(lab).sys.delete_policy(ROLE)


def widen_policy(lab: Lab) -> None:
    vault_client(lab).sys.create_or_update_policy(ROLE, 'path "*" { capabilities = ["sudo"] }')


def widen_role(lab: Lab) -> None:
    vault_client(lab).write(
        f"auth/kube-east-mesh-auth/role/{ROLE}",
        bound_service_account_names="*",
        bound_service_account_namespaces="default",
        token_policies=ROLE,
        token_ttl="720h",
        token_max_ttl="720h",
    )


def shorten_root_mount(lab: Lab) -> None:
    vault_client(lab).sys.tune_mount_configuration(
        "pki", default_lease_ttl="1h", max_lease_ttl="1h"
    )


def replace_kubernetes_ca(lab: Lab) -> None:
    path = "auth/kube-east-mesh-auth/config"
    vault = vault_client(lab)
    config = vault.read(path)["data"]
    other = vault.read("auth/kube-west-mesh-auth/config")["data"]["kubernetes_ca_cert"]
    vault.write(path, **{**config, "kubernetes_ca_cert": other})


def delete_intermediate_mount(lab: Lab) -> None:
    vault_client(lab).sys.disable_secrets_engine("pki_int_east")


def delete_root_mount(lab: Lab) -> None:
    vault_client(lab).sys.disable_secrets_engine("pki")


def delete_auth_mount(lab: Lab) -> None:
    vault_client(lab).sys.disable_auth_method("kube-east-mesh-auth")


def delete_role(lab: Lab) -> None:
    vault_client(lab).delete(f"auth/kube-east-mesh-auth/role/{ROLE}")


def delete_reviewer(lab: Lab) -> None:
    """Its token Secret goes with it, and the token in Vault is worth nothing any more."""
    core = client.CoreV1Api(kubernetes_client(lab, "east"))
    core.delete_namespaced_service_account("vault-token-reviewer", "istio-system")
    deadline = time.monotonic() + 60
    while core.list_namespaced_secret("istio-system").items:
        assert time.monotonic() < deadline, "the token Secret was not collected"
        time.sleep(0.2)


def delete_reviewer_token(lab: Lab) -> None:
    core = client.CoreV1Api(kubernetes_client(lab, "east"))
    core.delete_namespaced_secret("vault-token-reviewer", "istio-system")


def delete_agent_role(lab: Lab) -> None:
    rbac = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    rbac.delete_cluster_role("gloo-mesh-istiod-agent")


def delete_reviewer_binding(lab: Lab) -> None:
    rbac = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    rbac.delete_cluster_role_binding("vault-token-reviewer")


def widen_agent_role(lab: Lab) -> None:
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    rbac.patch_cluster_role("gloo-mesh-istiod-agent", {"rules": rules})


def restart_pods_automatically(lab: Lab) -> None:
    objects: Any = client.CustomObjectsApi(kubernetes_client(lab, "east"))
    change = {"spec": {"config": {"autoRestartPods": True}}}
    objects.patch_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", "east", change
    )


def delete_root_trust_policy(lab: Lab) -> None:
    objects: Any = client.CustomObjectsApi(kubernetes_client(lab, "east"))
    objects.delete_namespaced_custom_object(
        "admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies", "east"
    )


CHANGES = (
    widen_policy,
    widen_role,
    shorten_root_mount,
    replace_kubernetes_ca,
    widen_agent_role,
    restart_pods_automatically,
)

# Two sets, so that what hangs on something else is deleted once with it and once alone.
DELETIONS = (
    (
        delete_root_mount,
        delete_intermediate_mount,
        delete_auth_mount,
        delete_reviewer,
        delete_agent_role,
        delete_root_trust_policy,
    ),
    (delete_policy, delete_role, delete_reviewer_token, delete_reviewer_binding),
)


def test_what_was_changed_is_as_it_was_before(lab: Lab, deployed: Program) -> None:
    before = take_inventory(lab)

    drift_apart(lab, CHANGES)
    see_and_mend(deployed)

    assert take_inventory(lab).changes_since(before) == set()
    handshake(lab, "east")


@pytest.mark.soak
@pytest.mark.parametrize("drifts", DELETIONS, ids=["whole", "parts"])
def test_what_was_deleted_is_there_again(
    lab: Lab, deployed: Program, drifts: Sequence[Callable[[Lab], None]]
) -> None:
    before = take_inventory(lab)

    drift_apart(lab, drifts)
    see_and_mend(deployed)

    mended = take_inventory(lab)
    assert mended.names() == before.names()
    # What was made anew has another identity, and nothing of the other cluster has.
    assert not any("west" in name for name in mended.changes_since(before))
    handshake(lab, "east")


def drift_apart(lab: Lab, drifts: Sequence[Callable[[Lab], None]]) -> None:
    """Does all of `drifts`, each of which has to show in the inventory."""
    for drift in drifts:
        before = take_inventory(lab)
        drift(lab)
        assert take_inventory(lab).changes_since(before), drift.__name__


@pytest.mark.soak
def test_another_default_issuer_is_put_back(lab: Lab, deployed: Program) -> None:
    vault = vault_client(lab)
    ours = vault.read("pki/config/issuers")["data"]["default"]
    made = vault.write("pki/root/generate/internal", common_name="another", key_type="ec")
    theirs = made["data"]["issuer_id"]
    vault.write("pki/config/issuers", default=theirs)

    see_and_mend(deployed)

    assert vault.read("pki/config/issuers")["data"]["default"] == ours
    vault.delete(f"pki/issuer/{theirs}")
    vault.delete(f"pki/key/{made['data']['key_id']}")


def see_and_mend(program: Program) -> None:
    seen = program.attempt("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert seen.exit_code == NO_CHANGES_EXIT_CODE, seen.output
    program.up()
    program.run("preview", "--expect-no-changes")
