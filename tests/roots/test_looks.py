"""What is looked for in Vault before it is made, and what need not be."""

from typing import Any

from tests.certificates import make
from tests.private_vault import AuditLog

from .project import Project

CLUSTERS = ("first", "second")


def _both(cluster: str) -> dict[str, tuple[str, Any]]:
    name = f"gen-int-ca-istio-{cluster}-mesh"
    login = {
        "cluster": cluster,
        "kubernetes_host": "https://192.0.2.1",
        "kubernetes_ca_certificate": make().certificate_pem,
        "reviewer_mode": "client",
        "policies": [name],
        "service_account_names": ["istiod"],
        "service_account_namespaces": ["istio-system"],
    }
    intermediate = {"cluster": cluster, "ca_path": "pki/root/sign-intermediate"}
    return {
        f"{cluster}-auth": ("ClusterAuthMount", login),
        f"{cluster}-intermediate": ("IntermediatePki", intermediate),
    }


def test_mounts_are_looked_for_together_and_nothing_in_new_ones(
    project: Project, audit: AuditLog
) -> None:
    project.give_all({name: it for each in CLUSTERS for name, it in _both(each).items()})
    before = len(audit.requests())
    project.run("up", "--yes", "--skip-preview")
    made = audit.requests()[before:]

    for table in ("sys/mounts", "sys/auth"):
        assert made.count(("read", table)) == 1
    for cluster in CLUSTERS:
        login, name = f"auth/kube-{cluster}-mesh-auth", f"gen-int-ca-istio-{cluster}-mesh"
        for path in (f"{login}/config", f"{login}/role/{name}"):
            assert _first(made, path) in ("create", "update")
        # Others may have one of that name, which Vault would overwrite without a word.
        assert _first(made, f"sys/policies/acl/{name}") == "read"

    before += len(made)
    project.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    assert not {("read", "sys/mounts"), ("read", "sys/auth")} & {*audit.requests()[before:]}


def _first(requests: list[tuple[str, str]], path: str) -> str:
    return next(operation for operation, asked in requests if asked == path)
