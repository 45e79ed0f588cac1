"""Rights of the kubeconfig's user: what is looked for is what it takes, and no less."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from lab.lab import Lab
from tests.program.inventory import kubernetes_client, take_inventory
from tests.program.program import Program

from .command import MeshTrust, Told
from .looked import preflight
from .test_preflight_clusters import EAST, MANAGEMENT, configured

USER = "limited"
_LACKING = re.compile(
    r"its user may not (?P<verbs>.+) (?P<resource>\S+) in (the whole cluster|namespace \S+)"
)
_GRANT = re.compile(
    r"the verb (?P<verb>\w+) on (?P<resource>[^.]+)\.(?P<group>[\w.]+)(/(?P<name>\S+))?;"
)

Rules = Sequence[dict[str, Any]]


@contextmanager
def limited_user(lab: Lab, folder: Path, rules: Rules, cluster: str = "east") -> Iterator[str]:
    """A kubeconfig whose user in `cluster` may do what `rules` say, and nothing else."""
    api = kubernetes_client(lab, cluster)
    core: Any = client.CoreV1Api(api)
    rbac: Any = client.RbacAuthorizationV1Api(api)
    core.create_namespaced_service_account("default", {"metadata": {"name": USER}})
    rbac.create_cluster_role({"metadata": {"name": USER}, "rules": rules})
    rbac.create_cluster_role_binding(
        {
            "metadata": {"name": USER},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": USER,
            },
            "subjects": [{"kind": "ServiceAccount", "name": USER, "namespace": "default"}],
        }
    )
    token = core.create_namespaced_service_account_token(USER, "default", {"spec": {}})
    document = yaml.safe_load(lab.directory.kubeconfig.read_text())
    (context,) = (each["context"] for each in document["contexts"] if each["name"] == cluster)
    context["user"] = USER
    document["users"].append({"name": USER, "user": {"token": token.status.token}})
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    try:
        yield str(path)
    finally:
        rbac.delete_cluster_role_binding(USER)
        rbac.delete_cluster_role(USER)
        core.delete_namespaced_service_account(USER, "default")


def rules_lacking(told: Told, subject: str = EAST) -> list[dict[str, Any]]:
    """What preflight says that the user lacks, as the rules of a ClusterRole."""
    rules = []
    for each in told.findings:
        if (each["check"], each["subject"]) != ("permissions", subject):
            continue
        found = _LACKING.fullmatch(each["seen"])
        if found is not None:
            resource, _, group = found["resource"].partition(".")
            rule = {"apiGroups": [group], "resources": [resource]}
            rules.append({**rule, "verbs": found["verbs"].split(", ")})
            continue
        grant = _GRANT.search(each["fix"])
        assert grant is not None, each
        rule = {"apiGroups": [grant["group"]], "resources": [grant["resource"]]}
        named = {"resourceNames": [grant["name"]]} if grant["name"] else {}
        rules.append({**rule, **named, "verbs": [grant["verb"]]})
    return rules


# What only preflight reads, to look for Gloo's agent and for Istio's installation.
LOOKED_AT = [
    {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
    {"apiGroups": ["install.istio.io"], "resources": ["istiooperators"], "verbs": ["list"]},
]


VAULT = {"mode": "dev", "chart": "./lab/charts/vault"}


def without(rules: Rules, resource: str) -> list[dict[str, Any]]:
    less = [rule for rule in rules if rule["resources"] != [resource]]
    assert len(less) == len(rules) - 1
    return less


def test_what_the_release_of_vault_takes_is_told_before_it_is_made(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    """Of each right that is lacking, also of one in which only the release would fail."""
    before = take_inventory(lab, ("mgmt",))
    with (
        limited_user(lab, tmp_path, [], "mgmt") as kubeconfig,
        configured(undeployed, kubeconfig=kubeconfig, vaultInstall=VAULT),
    ):
        told = preflight(mesh_trust)
        assert told.those("failed") == {("permissions", MANAGEMENT)}
        rules = rules_lacking(told, MANAGEMENT)
    lacking = without(rules, "statefulsets")
    with (
        limited_user(lab, tmp_path, lacking, "mgmt") as kubeconfig,
        configured(undeployed, kubeconfig=kubeconfig, vaultInstall=VAULT),
    ):
        told = preflight(mesh_trust)
        assert told.those("failed") == {("permissions", MANAGEMENT)}
        assert rules_lacking(told, MANAGEMENT) == [
            rule for rule in rules if rule["resources"] == ["statefulsets"]
        ]
    assert take_inventory(lab, ("mgmt",)).changes_since(before) == set()


def test_what_is_looked_for_is_enough(
    lab: Lab, undeployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    """A user with what preflight says is lacking, and nothing else, takes an update through."""
    with (
        limited_user(lab, tmp_path, []) as kubeconfig,
        configured(undeployed, kubeconfig=kubeconfig),
    ):
        told = preflight(mesh_trust)
        assert told.those("failed") == {("permissions", EAST)}
        rules = rules_lacking(told)
    undeployed.deployed = True
    with (
        limited_user(lab, tmp_path, [*without(rules, "secrets"), *LOOKED_AT]) as kubeconfig,
        configured(undeployed, kubeconfig=kubeconfig),
    ):
        told = preflight(mesh_trust)
        assert told.those("failed") == {("permissions", EAST)}
        assert len(rules_lacking(told)) == 1
    with (
        limited_user(lab, tmp_path, [*rules, *LOOKED_AT]) as kubeconfig,
        configured(undeployed, kubeconfig=kubeconfig),
    ):
        told = preflight(mesh_trust)
        assert told.those("failed", "unknown") == set()
        for command in ("up", "refresh", "destroy"):
            undeployed.run(command, "--yes", "--skip-preview")
    undeployed.deployed = False

    core: Any = client.CoreV1Api(kubernetes_client(lab, "east"))
    accounts = core.list_namespaced_service_account("istio-system").items
    assert "vault-token-reviewer" not in {each.metadata.name for each in accounts}
