"""A setup made by hand with the guide's commands is left alone, and can be taken over."""

import pytest

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.printed import commands_in, named_in, run_as_printed

from .chain import workload_certificate
from .guide import CLUSTERS, Guide
from .handshake import handshake
from .inventory import take_inventory
from .program import Program

THERE = {
    "mount pki",
    "auth mount userpass",
    "data at auth/userpass/users/admin",
    *(f"mount pki_int_{cluster}" for cluster in CLUSTERS),
    *(f"auth mount kube-{cluster}-mesh-auth" for cluster in CLUSTERS),
    *(f"configuration auth/kube-{cluster}-mesh-auth/config" for cluster in CLUSTERS),
    *(
        f"role auth/kube-{cluster}-mesh-auth/role/gen-int-ca-istio-{cluster}-mesh"
        for cluster in CLUSTERS
    ),
}

# What a preview would change of that which was taken over, property by property; the documentation
# explains each.
CORRECTIONS = {
    "root-pki-mount": {"description", "defaultLeaseTtlSeconds", "maxLeaseTtlSeconds"},
    "root-pki-default-issuer": {"default"},
    "administrator-mount": {"description", "disableRemount"},
    "administrator-user": {"dataJson", "ignoreAbsentFields", "disableDelete"},
}
CORRECTIONS_OF_A_CLUSTER = {
    "intermediate-mount": {"description"},
    "auth-mount": {"description", "disableRemount"},
    "auth-config": {"issuer", "kubernetesCaCert", "tokenReviewerJwt"},
    "auth-role": {"boundServiceAccountNames[0]", "tokenTtl", "tokenMaxTtl"},
    "trust-policy": {"spec"},
}
# What the guide does not make, makes under another name, or what cannot be imported.
ADDITIONS = {"root-pki-import", "administrator-password", "administrator-policy"}
ADDITIONS_TO_A_CLUSTER = {
    "intermediate-policy",
    "rbac-reviewer",
    "rbac-reviewer-binding",
    "rbac-reviewer-token",
    "rbac-agent-role",
    "rbac-agent-binding",
    # The agent beside istiod.
    "istiod-default-environment",
    "istiod-default-patch",
}


@pytest.mark.soak
def test_a_setup_made_by_hand_is_taken_over(
    lab: Lab, undeployed: Program, by_hand: Guide, shell: dict[str, str]
) -> None:
    program = undeployed
    before = take_inventory(lab)

    refused = program.attempt("up", "--yes")

    assert refused.exit_code != 0
    assert named_in(refused.output) == THERE
    assert "Traceback" not in refused.output
    assert take_inventory(lab).changes_since(before) == set()

    program.deployed = True
    for command in commands_in(refused.output):
        run_as_printed(command, CHECKOUT, shell)
    assert take_inventory(lab).changes_since(before) == set()

    corrections, additions = planned(program)
    assert corrections == CORRECTIONS | {
        f"{cluster}-{name}": changes
        for cluster in CLUSTERS
        for name, changes in CORRECTIONS_OF_A_CLUSTER.items()
    }
    assert additions == ADDITIONS | {
        f"{cluster}-{name}" for cluster in CLUSTERS for name in ADDITIONS_TO_A_CLUSTER
    }
    program.up()

    after = take_inventory(lab)
    for mount in ("pki", "pki_int_east", "pki_int_west"):
        assert after.vault[f"mount {mount}/"][0] == before.vault[f"mount {mount}/"][0]
    for kept in ("issuers of pki/", "default issuer of pki/", "policy gen-int-ca-istio--mesh"):
        assert after.vault[kept] == before.vault[kept]
    for cluster in CLUSTERS:
        intermediate = handshake(lab, cluster)
        intermediate.certificate.verify_directly_issued_by(by_hand.root)
        workload_certificate(intermediate).verify_directly_issued_by(intermediate.certificate)
    program.run("preview", "--expect-no-changes")


def test_every_correction_is_explained() -> None:
    page = (CHECKOUT / "docs" / "existing-setup.md").read_text()
    for changes in (*CORRECTIONS.values(), *CORRECTIONS_OF_A_CLUSTER.values()):
        for change in changes:
            assert f"`{change.partition('[')[0]}`" in page


def planned(program: Program) -> tuple[dict[str, set[str]], set[str]]:
    """What `up` would correct, property by property, and the names of what it would make."""
    corrections: dict[str, set[str]] = {}
    additions: set[str] = set()
    for name, step in program.plan().items():
        if step["op"] == "update":
            corrections[name] = set(step["detailedDiff"])
        elif step["op"] == "create" and step["newState"]["custom"]:
            additions.add(name)
        else:
            assert step["op"] in ("create", "same"), (name, step["op"])
    return corrections, additions
