"""Another root for the whole fleet, under mutual TLS that never stops between two clusters."""

from collections.abc import Iterator, Mapping

import pytest
from cryptography import x509

from lab.lab import Lab
from mesh_trust.root_checks import fingerprint
from tests.operations.command import MeshTrust, Told
from tests.program.program import Program
from tests.program.test_up import exported_root

from .conftest import CLUSTERS
from .installed import InstalledVault
from .mesh import (
    Traffic,
    Workload,
    continuous_mutual_tls,
    established,
    program_in_effect,
    workloads_of,
)
from .pods import until

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

SECONDS = 300.0


@pytest.fixture(scope="module")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = program_in_effect(lab, tmp_path_factory.mktemp("configuration"), CLUSTERS)
    yield program
    program.configure_as_committed()
    program.destroy()


@pytest.fixture
def workloads(lab: Lab, program: Program) -> Iterator[Mapping[str, Workload]]:
    assert program.deployed
    with workloads_of(lab, CLUSTERS) as found:
        for each in found.values():
            established(each)
        yield found


def until_all_trust(workloads: Mapping[str, Workload], *roots: x509.Certificate) -> None:
    until(
        lambda: all(set(each.trusted) == set(roots) for each in workloads.values()),
        f"trust in {len(roots)} roots everywhere",
        SECONDS,
    )


def until_all_are_below(workloads: Mapping[str, Workload], root: x509.Certificate) -> None:
    """Each workload shows a certificate below `root`."""

    def shown() -> bool:
        chains = [each.certificate.chain for each in workloads.values() if each.certificate]
        return len(chains) == len(workloads) and all(
            chain[-1].issuer == root.subject for chain in chains
        )

    until(shown, "certificates below the root", SECONDS)


def planned(lab: Lab, program: Program, step: str) -> Told:
    """What the plan says, which is that this step is next and safe."""
    environment = {"VAULT_TOKEN": InstalledVault.of(lab).root_token}
    told = MeshTrust(program).run("rotate", "plan", "--json", environment=environment)
    assert (told.document["step"], told.document["safe"]) == (step, True), told.output
    return told


def generations(program: Program, signing: str, *names: str) -> None:
    """Has the program keep these generations, one of them signing."""
    program.configure(rootGenerations=[{"name": name} for name in names], rootSigning=signing)
    program.up()


def none_failed(traffic: Traffic) -> None:
    assert traffic.failures == []
    assert traffic.made > 0


def tell(traffic: Traffic, capsys: pytest.CaptureFixture[str]) -> None:
    """Shows the numbers, also of a test that passes."""
    with capsys.disabled():
        print(
            f"\n{traffic.made} handshakes made, {len(traffic.failures)} failed; "
            f"{traffic.renewals} certificates renewed, {len(traffic.renewals_failed)} times in vain"
        )


def test_the_root_is_rotated_and_no_handshake_fails(
    lab: Lab,
    program: Program,
    workloads: Mapping[str, Workload],
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = exported_root(program)
    planned(lab, program, "add")
    with continuous_mutual_tls(*workloads.values()) as traffic:
        generations(program, "first", "first", "next")
        [next_root] = [
            x509.load_pem_x509_certificate(each["certificate"].encode())
            for each in program.outputs()["roots"]
            if each["name"] == "next"
        ]
        until_all_trust(workloads, first, next_root)
        none_failed(traffic)
        planned(lab, program, "switch")

        generations(program, "next", "first", "next")
        until_all_are_below(workloads, next_root)
        none_failed(traffic)
        vault = InstalledVault.of(lab).client()
        left = planned(lab, program, "retire").document["leftovers"]
        assert left
        for each in left:
            vault.write(f"{each['mount']}/revoke", serial_number=each["serial"])
        assert planned(lab, program, "retire").document["leftovers"] == []
        generations(program, "next", "next")
        until_all_trust(workloads, next_root)
        made = traffic.made
        until(lambda: traffic.made > made + 100, "handshakes after the last step", SECONDS)
    tell(traffic, capsys)
    none_failed(traffic)
    assert exported_root(program) == next_root
    program.run("preview", "--expect-no-changes")


def test_a_direct_swap_is_seen_to_fail(
    program: Program, workloads: Mapping[str, Workload], capsys: pytest.CaptureFixture[str]
) -> None:
    """The control: another root in place of the present one, in one step."""
    before = exported_root(program)
    with continuous_mutual_tls(*workloads.values()) as traffic:
        program.configure(rootCommonName="swapped", rootReplaces=fingerprint(before))
        program.up()
        after = exported_root(program)
        assert after != before
        until(lambda: traffic.failures, "a failed handshake", SECONDS)
        until_all_trust(workloads, after)
        until_all_are_below(workloads, after)
    tell(traffic, capsys)
    assert traffic.failures
