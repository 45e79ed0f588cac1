"""Accounts of several istiods, and a reviewer's token, in a real cluster."""

import base64
from typing import Any

from tests.conformance.kubernetes.server import Server
from tests.existing.conftest import OwnProgram

RBAC = "rbac.authorization.k8s.io/v1"


def bound(server: Server, name: str) -> Any:
    found = server.find(RBAC, "ClusterRoleBinding", "", name)
    return None if found is None else [each["name"] for each in found["subjects"]]


def test_revisions_come_and_go(own: OwnProgram, server: Server, namespace: str) -> None:
    rbac = {
        "istio_namespace": namespace,
        "reviewer_mode": "client",
        "reviewer_name": f"reviewer-{namespace}",
        "agent_role_name": f"agent-{namespace}",
    }
    for revisions in (["default"], ["default", "1-20"], ["1-20"]):
        own.settings["rbac"] = {**rbac, "istio_revisions": revisions}
        own.up()
        accounts = ["istiod" if each == "default" else f"istiod-{each}" for each in revisions]
        assert bound(server, f"agent-{namespace}") == accounts
        assert bound(server, f"reviewer-{namespace}-client") == accounts
        own.run("preview", "--expect-no-changes")


def test_what_a_chart_grants_is_not_granted_twice(
    own: OwnProgram, server: Server, namespace: str
) -> None:
    own.settings["rbac"] = {
        "istio_namespace": namespace,
        "reviewer_mode": "jwt",
        "agent_role_name": f"agent-{namespace}",
        "istio_revisions": ["default", "1-20"],
        "permitted_elsewhere": ["istiod"],
    }
    own.up()
    assert bound(server, f"agent-{namespace}") == ["istiod-1-20"]

    own.settings["rbac"] |= {"istio_revisions": ["default"]}
    own.up()
    assert bound(server, f"agent-{namespace}") is None


def test_a_token_that_the_cluster_makes_by_itself(
    own: OwnProgram, server: Server, namespace: str
) -> None:
    """This server makes none any more: somebody makes it by hand, as an old cluster does."""
    reviewer = f"reviewer-{namespace}"
    own.settings["rbac"] = {
        "istio_namespace": namespace,
        "reviewer_name": reviewer,
        "reviewer_token": "automatic",
        "agent_role_name": f"agent-{namespace}",
    }
    own.run("preview")
    exit_code, output = own.attempt("up", "--yes", "--skip-preview")
    assert exit_code != 0
    assert f"no token Secret for service account {namespace}/{reviewer}" in output
    assert "Traceback" not in output

    account = server.find("v1", "ServiceAccount", namespace, reviewer)
    server.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": f"{reviewer}-token-x7f9z",
                "namespace": namespace,
                "annotations": {"kubernetes.io/service-account.name": reviewer},
            },
        }
    )
    server.change(account, {"secrets": [{"name": f"{reviewer}-token-x7f9z"}]})
    own.run("refresh", "--yes", "--skip-preview")
    own.up()

    secret = server.find("v1", "Secret", namespace, f"{reviewer}-token-x7f9z")
    jwt = own.run("stack", "output", "jwt", "--show-secrets").strip()
    assert jwt == base64.b64decode(secret["data"]["token"]).decode()
    assert jwt.count(".") == 2
    own.run("preview", "--expect-no-changes")
    own.run("refresh", "--yes", "--skip-preview")
    own.run("preview", "--expect-no-changes")
    account = server.find("v1", "ServiceAccount", namespace, reviewer)
    assert account["secrets"] == [{"name": f"{reviewer}-token-x7f9z"}]
