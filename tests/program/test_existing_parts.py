"""A setup made by hand is taken over in part: one cluster of it, or all of it but the root."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.printed import commands_in, named_in, run_as_printed

from .by_hand import list_clusters
from .guide import CLUSTERS, REVIEWER, SCRIPT, Guide
from .handshake import Agent, Instructions, handshake, service_account_token
from .inventory import take_inventory, vault_client
from .program import Program
from .test_existing_setup import THERE, planned


@pytest.fixture
def works_in_west(lab: Lab, by_hand: Guide) -> Iterator[None]:
    """Somebody has mended the guide's policy for west, so that its agent gets there."""
    vault, name = vault_client(lab), "gen-int-ca-istio-west-mesh"
    rules = SCRIPT.read_text().rpartition("<<EOF\n")[2].partition("EOF")[0]
    vault.sys.create_or_update_policy(name, rules.replace("${REMOTE_CLUSTER2}", "west"))
    assert handshake_by_hand(lab, "west").issuer == by_hand.root.subject
    yield
    vault.sys.delete_policy(name)


def handshake_by_hand(lab: Lab, cluster: str) -> x509.Certificate:
    """The intermediate that an agent gets of what the guide has made."""
    authority = Path(lab.environment()["VAULT_CACERT"]).read_text()
    common_name = f"istiod.istio-system.{cluster}"
    with Agent(replace(Instructions.of(lab, cluster), ca_bundle=authority)) as agent:
        agent.log_in(service_account_token(lab, cluster, REVIEWER, "istio-system"))
        _, csr = agent.generate(common_name)
        certificate, _ = agent.sign(csr, common_name=common_name, ttl="240h")
    return x509.load_pem_x509_certificate(certificate.encode())


@pytest.mark.soak
def test_one_cluster_is_taken_over_and_the_other_goes_on(
    lab: Lab, undeployed: Program, by_hand: Guide, works_in_west: None, shell: dict[str, str]
) -> None:
    assert works_in_west is None
    program = undeployed
    of_west = {name for name in THERE if "west" in name}
    list_clusters(program, "east")
    assert take_over(program, shell) == THERE - of_west
    corrections, _ = planned(program)
    assert "west" not in " ".join(corrections)
    before = take_inventory(lab)
    program.up()

    changed = take_inventory(lab).changes_since(before)
    assert changed
    assert {each for each in changed if "west" in each} == set()
    assert changed.isdisjoint({"issuers of pki/", "default issuer of pki/"})
    handshake(lab, "east").certificate.verify_directly_issued_by(by_hand.root)
    # Who is not there yet goes on as before.
    handshake_by_hand(lab, "west").verify_directly_issued_by(by_hand.root)


@pytest.mark.soak
def test_a_root_whose_key_is_lost_stays(
    lab: Lab, undeployed: Program, by_hand: Guide, shell: dict[str, str]
) -> None:
    program = undeployed
    program.configure(
        rootSource="external",
        rootOrganization=None,
        rootSigningMount="pki",
        rootCertificate=by_hand.root_certificate,
        rootAcceptMissingKeyUsage=True,
    )
    refused = program.attempt("preview")
    assert refused.exit_code != 0
    assert "32 days" in refused.output

    # As the page has it.
    vault_client(lab).sys.tune_mount_configuration(
        "pki", default_lease_ttl="8760h", max_lease_ttl="8760h"
    )
    before = take_inventory(lab)
    assert take_over(program, shell) == THERE - {"mount pki"}
    program.up()

    changed = take_inventory(lab).changes_since(before)
    assert changed.isdisjoint({"mount pki/", "issuers of pki/", "default issuer of pki/"})
    for cluster in CLUSTERS:
        handshake(lab, cluster).certificate.verify_directly_issued_by(by_hand.root)
    program.run("preview", "--expect-no-changes")


def take_over(program: Program, shell: dict[str, str]) -> set[str]:
    """Imports what a preview names as there already, with the commands that it prints."""
    refused = program.attempt("preview")
    assert refused.exit_code != 0
    program.deployed = True
    for command in commands_in(refused.output):
        run_as_printed(command, CHECKOUT, shell)
    return named_in(refused.output)
