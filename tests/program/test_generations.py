"""The root changes in three steps, each of which can be taken back.

All of it is done with no more rights in Vault than the documentation asks for.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509
from hvac.exceptions import InternalServerError
from kubernetes import client

from lab.lab import Lab
from mesh_trust.root_checks import fingerprint
from tests.roots.signing import SigningMount

from .chain import verify, workload_certificate
from .handshake import handshake
from .inventory import kubernetes_client, take_inventory, vault_client
from .program import Program
from .token_policy import further_rules, limited_token, rules

FIRST, NEXT = {"name": "first"}, {"name": "2027", "keyAlgorithm": "ECDSA-P256"}
CLUSTERS = ("east", "west")
POLICY = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")


@pytest.fixture
def set_up(undeployed: Program) -> Iterator[Program]:
    """The committed environment, whose root has signed nothing; after the test there is none."""
    undeployed.up()
    yield undeployed
    undeployed.configure_as_committed()
    undeployed.destroy()


def generations(program: Program, signing: str, *entries: dict[str, Any], **changes: Any) -> None:
    program.configure(rootGenerations=list(entries), rootSigning=signing, **changes)


def roots(program: Program) -> dict[str, x509.Certificate]:
    """The certificates of the generations, by name, as the stack exports them."""
    return {
        each["name"]: x509.load_pem_x509_certificate(each["certificate"].encode())
        for each in program.outputs()["roots"]
    }


def default_issuer(lab: Lab) -> x509.Certificate:
    answer = vault_client(lab, token="").adapter.get("/v1/pki/ca/pem")
    return x509.load_pem_x509_certificate(answer.content)


def passive(lab: Lab, cluster: str) -> list[x509.Certificate]:
    """What the policy of a cluster names as trusted, read where it says."""
    api = kubernetes_client(lab, cluster)
    objects: Any = client.CustomObjectsApi(api)
    core: Any = client.CoreV1Api(api)
    config = objects.get_namespaced_custom_object(*POLICY, cluster)["spec"]["config"]
    found = []
    for each in config.get("passiveCertificateAuthorities", []):
        reference = each["secretRef"]
        data = core.read_namespaced_secret(reference["name"], reference["namespace"]).data
        assert data.keys() == {"root-cert.pem"}
        found.append(x509.load_pem_x509_certificate(base64.b64decode(data["root-cert.pem"])))
    return found


def trust_of_istiod(lab: Lab, cluster: str) -> str:
    """What istiod's pods are rolled by."""
    apps: Any = client.AppsV1Api(kubernetes_client(lab, cluster))
    template = apps.read_namespaced_deployment("istiod", "istio-system").spec.template
    digest: str = template.metadata.annotations["mesh-trust.io/trust"]
    return digest


def secrets(lab: Lab, cluster: str) -> set[str]:
    core: Any = client.CoreV1Api(kubernetes_client(lab, cluster))
    return {each.metadata.name for each in core.list_namespaced_secret("gloo-mesh").items}


def refused(program: Program, *command: str) -> str:
    """The line with which `command` is refused."""
    outcome = program.attempt(*command)
    assert outcome.exit_code != 0
    assert "Traceback" not in outcome.output
    said: list[str] = re.findall(r"error: (.*root.*)", outcome.output)
    [line] = {each.strip() for each in said}
    return line


ADDED = {
    "root-2027",
    "root-2027-key",
    "root-2027-certificate",
    "root-pki-issuer",
    "root-pki-2027-import",
    "root-pki-2027-issuer",
    *(f"{cluster}-root-{name}" for cluster in CLUSTERS for name in ("first", "2027")),
}
POLICIES = {f"{cluster}-trust-policy": "update" for cluster in CLUSTERS}
SWITCHED = {
    "root-pki-default-issuer": "update",
    "root-pki-issuer": "update",
    "root-pki-2027-issuer": "update",
    **POLICIES,
    **{f"{cluster}-istiod-default-patch": "update" for cluster in CLUSTERS},
}


def test_a_further_root_is_trusted_and_signs_nothing(lab: Lab, set_up: Program) -> None:
    _add(lab, set_up)


@pytest.mark.soak
@pytest.mark.timeout(1500)  # a dozen updates, one after the other
def test_the_root_changes_in_three_steps(lab: Lab, set_up: Program) -> None:
    program, documented = set_up, [*rules(), *further_rules("rootGenerations")]
    with limited_token(program, documented):
        _add(lab, program)
    with limited_token(program, [rule for rule in documented if "pki/certs" not in rule]):
        assert refused(program, "preview").startswith(
            "whether root generation 2027 may go cannot be told: Vault refuses the token to list "
            'pki/certs; give it path "pki/certs" { capabilities = ["list"] }, or set rootRetires '
        )
    with limited_token(program, documented):
        _refuse_to_leave_steps_out(program)
        _switch(lab, program)
        _retire(lab, program)


def _add(lab: Lab, program: Program) -> None:
    """istiod goes on as it is."""
    [first] = roots(program).values()
    rolled_by = {cluster: trust_of_istiod(lab, cluster) for cluster in CLUSTERS}
    assert [passive(lab, cluster) for cluster in CLUSTERS] == [[], []]

    generations(program, "first", FIRST, NEXT)
    assert program.steps() == {**dict.fromkeys(ADDED, "create"), **POLICIES}
    program.up()
    program.run("preview", "--expect-no-changes")

    both = roots(program)
    assert list(both) == ["first", "2027"]
    assert [each["signing"] for each in program.outputs()["roots"]] == [True, False]
    assert both["2027"].subject.rfc4514_string() == (
        "CN=mesh-trust root 2027,O=mesh-trust development"
    )
    assert default_issuer(lab) == both["first"] == first
    assert len(vault_client(lab).list("pki/issuers")["data"]["keys"]) == 2
    for cluster in CLUSTERS:
        assert passive(lab, cluster) == [both["first"], both["2027"]]
        assert trust_of_istiod(lab, cluster) == rolled_by[cluster]

    # Back again, nothing of it is in use.
    program.configure_as_committed()
    assert program.steps() == {**dict.fromkeys(ADDED, "delete"), **POLICIES}


def _refuse_to_leave_steps_out(program: Program) -> None:
    generations(program, "2027", NEXT, development=False)
    assert refused(program, "preview").startswith(
        "this plan replaces the root (generation first would be trusted no more): "
    )
    generations(program, "2028", FIRST, NEXT, {"name": "2028"}, development=False)
    line = refused(program, "up", "--yes", "--skip-preview")
    assert "(generation 2028 would sign before anyone trusts it)" in line
    assert "change the root in three steps with rootGenerations (docs/root-rotation.md)" in line


def _switch(lab: Lab, program: Program) -> None:
    """The other signs, and both are trusted before and after."""
    both = roots(program)
    before = handshake(lab, "east")
    assert before.issuing_ca == both["first"]
    rolled_by = {cluster: trust_of_istiod(lab, cluster) for cluster in CLUSTERS}

    generations(program, "2027", FIRST, NEXT)
    assert program.steps() == SWITCHED
    program.up()
    program.run("preview", "--expect-no-changes")

    assert list(roots(program).items()) == [("2027", both["2027"]), ("first", both["first"])]
    exported = program.outputs()["rootCertificate"]
    assert x509.load_pem_x509_certificate(exported.encode()) == both["2027"]
    assert default_issuer(lab) == both["2027"]
    for cluster in CLUSTERS:
        assert passive(lab, cluster) == [both["2027"], both["first"]]
        assert trust_of_istiod(lab, cluster) != rolled_by[cluster]
        after = handshake(lab, cluster)
        verify(workload_certificate(after), after.certificate, both["2027"])
    verify(workload_certificate(before), before.certificate, both["first"])

    generations(program, "first", FIRST, NEXT)
    assert program.steps() == SWITCHED


def _retire(lab: Lab, program: Program) -> None:
    """Not while something still chains to it."""
    both, vault = roots(program), vault_client(lab)
    [living] = [
        serial
        for serial in vault.list("pki/certs")["data"]["keys"]
        for certificate in (vault.read(f"pki/cert/{serial}")["data"]["certificate"],)
        for read in (x509.load_pem_x509_certificate(certificate.encode()),)
        if read.issuer == both["first"].subject and read != both["first"]
    ]
    before = take_inventory(lab)
    generations(program, "2027", NEXT)
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        line = refused(program, *command)
        assert line.startswith(
            "root generation first is still in use: 1 certificate below it is neither expired nor "
            "revoked: 'CN=istiod.istio-system.east' (cluster east, serial "
        )
        assert living.replace("-", ":") in line
        assert "then revoke these (`vault write pki/revoke serial_number=…`), or set " in line
    assert take_inventory(lab).changes_since(before) == set()
    named = line.partition("set rootRetires to ")[2].split()[0]
    assert named == fingerprint(both["first"])

    # It may be meant; to name another does not count.
    retired = {
        "root",
        "root-key",
        "root-certificate",
        "root-pki-import",
        "root-pki-issuer",
        "root-pki-2027-issuer",
        *(f"{cluster}-root-{name}" for cluster in CLUSTERS for name in ("first", "2027")),
    }
    steps = {**dict.fromkeys(retired, "delete"), **POLICIES}
    generations(program, "2027", NEXT, rootRetires=fingerprint(both["2027"]))
    assert "still in use" in refused(program, "preview")
    generations(program, "2027", NEXT, rootRetires=named)
    assert program.steps() == steps

    generations(program, "2027", NEXT)
    vault.write_data("pki/revoke", data={"serial_number": living})
    assert program.steps() == steps
    program.up()
    program.run("preview", "--expect-no-changes")

    assert roots(program) == {"2027": both["2027"]}
    for cluster in CLUSTERS:
        assert passive(lab, cluster) == []
        assert not {each for each in secrets(lab, cluster) if "-root-" in each}
    assert handshake(lab, "east").issuing_ca == both["2027"]
    mount = SigningMount(vault, "pki")
    with pytest.raises(InternalServerError):
        mount.sign(issuer_ref=mount.issuers()[named])

    # Back again, there is a first generation anew, and all of it is new.
    generations(program, "2027", FIRST, NEXT)
    assert program.steps() == {**dict.fromkeys(retired, "create"), **POLICIES}
