"""The whole chain: Vault, the agent beside a real istiod, and workloads that trust each other."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from kubernetes import client

from lab.lab import Lab
from mesh_trust.agent_containers import AGENT
from tests.certificates import Recipe, make
from tests.program.program import Program
from tests.program.test_up import exported_root

from .certificate_service import NAMESPACE, await_istiod
from .conftest import CLUSTERS
from .installed import InstalledVault
from .mesh import (
    NotTrustedError,
    Workload,
    continuous_mutual_tls,
    established,
    handshake,
    in_pem,
    workloads_of,
)
from .pods import api_client, core, execute, until

# Kinds of the policy that the agent reads, and of what it reports.
POLICIES = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")
CERTIFICATE = ("internal.gloo.solo.io", "v2", NAMESPACE, "issuedcertificates")


@pytest.fixture(scope="module")
def program(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(lab, tmp_path_factory.mktemp("configuration"))
    yield program
    if program.deployed:
        program.destroy()


@pytest.fixture(scope="module")
def workloads(lab: Lab) -> Iterator[dict[str, Workload]]:
    """One of each cluster, whatever its istiod signs with."""
    with workloads_of(lab, CLUSTERS) as found:
        yield found


@pytest.fixture(scope="module")
def separate(lab: Lab, program: Program, workloads: Mapping[str, Workload]) -> Mapping[str, Any]:
    """What workloads get while each istiod has a CA of its own making, before there is a trust."""
    assert not program.deployed
    for cluster in CLUSTERS:
        await_istiod(lab, cluster)
    return {cluster: established(workloads[cluster]) for cluster in CLUSTERS}


@pytest.fixture(scope="module")
def root(
    lab: Lab,
    program: Program,
    separate: Mapping[str, Any],
    workloads: Mapping[str, Workload],
) -> x509.Certificate:
    """The exported root, when both istiods have their CA from it."""
    assert separate
    program.up()
    root = exported_root(program)
    for cluster in CLUSTERS:
        await_istiod(lab, cluster)
        until(
            lambda cluster=cluster: workloads[cluster].read_trust() == (root,),  # type: ignore[misc]
            f"the root in {cluster}",
        )
        established(workloads[cluster])
    return root


class Policy:
    """The RootTrustPolicy of one cluster, changed as somebody with kubectl does."""

    def __init__(self, lab: Lab, cluster: str) -> None:
        self._objects: Any = client.CustomObjectsApi(api_client(lab, cluster))
        self._cluster = cluster

    def read(self) -> Any:
        return self._objects.get_namespaced_custom_object(*POLICIES, self._cluster)

    def change(self, config: Mapping[str, Any]) -> None:
        """Merges `config` into `spec.config`; None takes a field away."""
        self._objects.patch_namespaced_custom_object(
            *POLICIES, self._cluster, {"spec": {"config": config}}
        )

    def certificate(self) -> Any:
        """The IssuedCertificate of the cluster's istiod."""
        return self._objects.get_namespaced_custom_object(*CERTIFICATE, f"istiod-{NAMESPACE}")

    def await_state(self, state: str) -> Any:
        """Waits until the agent has said so of the policy as it is now; gives the certificate."""

        def said() -> bool:
            found = self.read()
            status = found.get("status", {})
            seen = status.get("observedGeneration") == found["metadata"]["generation"]
            return bool(seen and status["state"] == state)

        until(said, f"state {state} of the policy of {self._cluster}")
        return self.certificate()


def intermediate_of(workload: Workload) -> x509.Certificate:
    """The CA of istiod, as a certificate that is asked for now shows it."""
    found: x509.Certificate = established(workload).chain[1]
    return found


def test_without_the_program_each_cluster_trusts_itself_alone(
    separate: Mapping[str, Any], workloads: Mapping[str, Workload]
) -> None:
    """The negative control of all that follows."""
    roots = [separate[cluster].roots for cluster in CLUSTERS]
    assert roots[0] != roots[1]
    east, west = (workloads[cluster] for cluster in CLUSTERS)
    with pytest.raises(NotTrustedError, match="certificate verify failed"):
        handshake(east, west)
    with pytest.raises(NotTrustedError, match="certificate verify failed"):
        handshake(west, east)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_workloads_certificate_is_of_the_exported_root_and_of_no_other(
    root: x509.Certificate, workloads: Mapping[str, Workload], cluster: str
) -> None:
    workload = workloads[cluster]
    certificate = established(workload)
    assert certificate.identity == "spiffe://cluster.local/ns/default/sa/default"
    assert certificate.roots == (root,)
    for lower, upper in zip(certificate.chain, (*certificate.chain[1:], root), strict=True):
        lower.verify_directly_issued_by(upper)
    assert len(certificate.chain) == 2
    assert handshake(workload, workload) == (certificate.identity, certificate.identity)

    other = make(Recipe(common_name="another root")).certificate
    doubting = replace(workload, trusted=(other,))
    with pytest.raises(NotTrustedError, match="certificate verify failed"):
        handshake(doubting, workload)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_no_key_of_a_ca_is_in_a_secret(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload], cluster: str
) -> None:
    """What Istio had made for itself before is there still, and is of no use any more."""
    assert root
    held = intermediate_of(workloads[cluster]).public_key()
    secrets = core(lab, cluster).list_secret_for_all_namespaces().items
    for secret in secrets:
        for name, value in (secret.data or {}).items():
            content = base64.b64decode(value)
            if b"PRIVATE KEY" in content:
                assert secret.metadata.name == "istio-ca-secret"
                key: Any = load_pem_private_key(content, None)
                assert key.public_key() != held, name


def test_workloads_of_the_two_clusters_trust_each_other(
    root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    assert root
    east, west = (workloads[cluster] for cluster in CLUSTERS)
    identity = "spiffe://cluster.local/ns/default/sa/default"
    assert handshake(east, west) == handshake(west, east) == (identity, identity)
    with continuous_mutual_tls(east, west) as traffic:
        until(lambda: traffic.made >= 50 and traffic.renewals >= 2, "handshakes")
    assert traffic.failures == traffic.renewals_failed == []


def test_a_policy_that_is_wrong_is_said_to_be_and_istiod_goes_on(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    assert root
    policy = Policy(lab, "east")
    vault = policy.read()["spec"]["config"]["agentCa"]["vault"]
    assert policy.await_state("ACCEPTED")["status"]["state"] == "FINISHED"
    before = intermediate_of(workloads["east"])
    try:
        policy.change({"agentCa": {"vault": {"csrPath": f"/v1/{vault['csrPath']}"}}})
        policy.await_state("INVALID")

        policy.change(
            {"agentCa": {"vault": {"csrPath": "pki_int_west/intermediate/generate/exported"}}}
        )
        status = policy.await_state("FAILED")["status"]
        assert status["state"] == "FAILED"
        assert "pki_int_west/intermediate/generate/exported: 403" in status["error"]
        assert intermediate_of(workloads["east"]) == before
    finally:
        policy.change({"agentCa": {"vault": {"csrPath": vault["csrPath"]}}})
    assert policy.await_state("ACCEPTED")["status"] == {
        "state": "FINISHED",
        "observedGeneration": policy.certificate()["metadata"]["generation"],
    }


def test_intermediates_are_renewed_while_istiod_runs(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    policy, west = Policy(lab, "west"), workloads["west"]
    options = policy.read()["spec"]["config"].get("intermediateCertOptions")
    pod, first = await_istiod(lab, "west").metadata.uid, intermediate_of(west)
    # Of a day, 43 s are over when the rest is this share; Vault takes 30 s of them for itself.
    short = {"ttlDays": 1, "rsaKeySizeBytes": 2048, "secretRotationGracePeriodRatio": 0.9995}
    try:
        policy.change({"intermediateCertOptions": short})
        until(lambda: intermediate_of(west) != first, "what the policy asks for")
        second = intermediate_of(west)
        lifetime = second.not_valid_after_utc - second.not_valid_before_utc
        assert timedelta(days=1) <= lifetime < timedelta(days=1, minutes=1)
        until(lambda: intermediate_of(west) != second, "a renewal")
    finally:
        policy.change({"intermediateCertOptions": dict.fromkeys(short) | (options or {})})
    policy.await_state("ACCEPTED")
    assert await_istiod(lab, "west").metadata.uid == pod
    assert handshake(workloads["east"], west)
    assert established(west).roots == (root,)


def test_a_passive_root_is_trusted_as_well_and_signs_nothing(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    policy, east = Policy(lab, "east"), workloads["east"]
    pod, before = await_istiod(lab, "east").metadata.uid, intermediate_of(east)
    other = make(Recipe(common_name="another root")).certificate
    secret = {
        "metadata": {"name": "next-root"},
        "stringData": {"root-cert.pem": in_pem([other]).decode()},
    }
    core(lab, "east").create_namespaced_secret("gloo-mesh", secret)
    try:
        reference = {"secretRef": {"name": "next-root", "namespace": "gloo-mesh"}}
        policy.change({"passiveCertificateAuthorities": [reference]})
        until(lambda: set(east.read_trust()) == {root, other}, "both roots")
        assert intermediate_of(east) == before
        assert handshake(east, workloads["west"])
    finally:
        policy.change({"passiveCertificateAuthorities": None})
        core(lab, "east").delete_namespaced_secret("next-root", "gloo-mesh")
    until(lambda: east.read_trust() == (root,), "one root")
    assert await_istiod(lab, "east").metadata.uid == pod
    assert intermediate_of(east) == before


def test_an_agent_that_is_started_again_goes_on_with_what_it_has(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    assert root
    east, policy = workloads["east"], Policy(lab, "east")
    before, pod = intermediate_of(east), await_istiod(lab, "east").metadata.name
    execute(lab, "east", pod, AGENT, "kill 1", NAMESPACE)

    def restarts() -> int:
        found = core(lab, "east").read_namespaced_pod(pod, NAMESPACE)
        return sum(each.restart_count for each in found.status.container_statuses)

    until(lambda: restarts() == 1, "another start of the agent")
    await_istiod(lab, "east")
    assert intermediate_of(east) == before
    try:
        policy.change({"intermediateCertOptions": {"secretRotationGracePeriodRatio": 0.2}})
        policy.await_state("ACCEPTED")
        until(lambda: intermediate_of(east) != before, "what the policy asks for")
        log = core(lab, "east").read_namespaced_pod_log(pod, NAMESPACE, container=AGENT)
        said = [json.loads(line)["msg"] for line in log.splitlines() if "asking" in line]
        asked = [each.partition(" for a CA: ")[2] for each in said]
        assert asked == ["the policy asks for another one"]
    finally:
        policy.change({"intermediateCertOptions": {"secretRotationGracePeriodRatio": None}})
    policy.await_state("ACCEPTED")


def test_a_cluster_that_has_its_ca_elsewhere_is_trusted_no_more(
    lab: Lab, root: x509.Certificate, workloads: Mapping[str, Workload]
) -> None:
    """Broken on purpose: the agent of `west` is told to ask another CA. Comes last."""
    assert root
    east, west = (workloads[cluster] for cluster in CLUSTERS)
    assert handshake(east, west)
    vault = InstalledVault.of(lab).client()
    vault.sys.enable_secrets_engine("pki", path="pki_other", config={"max_lease_ttl": "8760h"})
    vault.write("pki_other/root/generate/internal", common_name="other", ttl="8000h")
    name = "gen-int-ca-istio-west-mesh"
    present = vault.sys.read_policy(name)["data"]["rules"]
    allowed = 'path "pki_other/root/sign-intermediate" { capabilities = ["update"] }'
    vault.sys.create_or_update_policy(name, f"{present}\n{allowed}")
    policy = Policy(lab, "west")
    policy.change(
        {
            "agentCa": {"vault": {"caPath": "pki_other/root/sign-intermediate"}},
            "intermediateCertOptions": {"ttlDays": 30},
        }
    )
    policy.await_state("ACCEPTED")
    # A root that has nothing of the former one is not taken by an istiod that runs.
    pod = await_istiod(lab, "west").metadata
    read = partial(core(lab, "west").read_namespaced_pod_log, container="discovery")
    refusal = "Updating new ROOT-CA not supported"
    until(lambda: refusal in read(pod.name, NAMESPACE), "istiod's refusal")
    assert intermediate_of(west).issuer == root.subject
    core(lab, "west").delete_namespaced_pod(pod.name, NAMESPACE)
    until(lambda: await_istiod(lab, "west").metadata.uid != pod.uid, "another pod")
    until(lambda: [each.subject for each in west.read_trust()] != [root.subject], "the other root")
    established(west)

    for pair in ((east, west), (west, east)):
        with pytest.raises(NotTrustedError, match="certificate verify failed"):
            handshake(*pair)
    assert handshake(west, west)
    assert handshake(east, east)
    with continuous_mutual_tls(east, west) as traffic:
        until(lambda: len(traffic.failures) >= 20, "failures")
    assert traffic.made == 0
