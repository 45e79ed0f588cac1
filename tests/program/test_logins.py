"""Every way in which an agent can log in: what it lets through, and what it refuses.

The environment has a cluster of each: east reviews its own tokens (client), Vault has the keys of
west (jwt), and north has a reviewer that was there before (token), with an audience of its own.
"""

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hvac.exceptions import Forbidden, InvalidRequest
from kubernetes import client
from kubernetes.client import ApiException

from lab.control_plane import ISSUER
from lab.credentials import authority_files, server_files
from lab.lab import Lab
from tests.token_issuer import TokenIssuer, serving

from .chain import verify, workload_certificate
from .handshake import Agent, Instructions, handshake, service_account_token
from .inventory import kubernetes_client, vault_client
from .program import Program
from .test_up import exported_root

CLUSTERS = ("east", "west", "north")
NAMESPACE = "istio-system"
SPARE = "istiod-of-these-tests"
"""An account that can be deleted: istiod's own is there before the program and after it."""
REVIEWER = "present-reviewer"
REVIEWER_SECRET = "present-reviewer-token-x7f9z"
AUDIENCE = "vault"
AUDIENCES = {"east": (), "west": (), "north": (AUDIENCE,)}
LOGINS = {"tokenTtlSeconds": 2_592_000, "tokenNoDefaultPolicy": True}
"""The guide's 720 hours, and no policy but the agent's own."""
REFUSALS = (Forbidden, InvalidRequest)
"""JWT auth says what is wrong with a token, with status 400; kubernetes auth says no."""


def core(lab: Lab, cluster: str) -> Any:
    return client.CoreV1Api(kubernetes_client(lab, cluster))


def make_account(lab: Lab, cluster: str, name: str) -> None:
    core(lab, cluster).create_namespaced_service_account(NAMESPACE, {"metadata": {"name": name}})


def delete_account(lab: Lab, cluster: str, name: str) -> None:
    core(lab, cluster).delete_namespaced_service_account(name, NAMESPACE)


def make_reviewer_secret(lab: Lab) -> None:
    """Makes a token Secret as Kubernetes before 1.24 did by itself, and waits for its token."""
    api = core(lab, "north")
    deadline = time.monotonic() + 30
    # That of an account which was deleted is taken away a moment later.
    while REVIEWER_SECRET in {
        secret.metadata.name for secret in api.list_namespaced_secret(NAMESPACE).items
    }:
        assert time.monotonic() < deadline, "the token Secret was not taken away"
        time.sleep(0.1)
    body = {
        "metadata": {
            "name": REVIEWER_SECRET,
            "annotations": {"kubernetes.io/service-account.name": REVIEWER},
        },
        "type": "kubernetes.io/service-account-token",
    }
    api.create_namespaced_secret(NAMESPACE, body)
    while not api.read_namespaced_secret(REVIEWER_SECRET, NAMESPACE).data:
        assert time.monotonic() < deadline, "the token Secret was not filled"
        time.sleep(0.1)


def key_set(lab: Lab, cluster: str) -> bytes:
    """The keys of the cluster's token issuer, as its API server gives them."""
    api = kubernetes_client(lab, cluster)
    response: Any = api.call_api("GET", f"{api.configuration.host}/openid/v1/jwks")
    content: bytes = response.read()
    return content


@pytest.fixture(scope="module")
def keys_file(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "west.json"
    path.write_bytes(key_set(lab, "west"))
    return path


def clusters(keys: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {"name": "east", "context": "east", "reviewerMode": "client"},
        {"name": "west", "context": "west", "reviewerMode": "jwt", **keys},
        {
            "name": "north",
            "context": "north",
            "reviewerName": REVIEWER,
            "reviewerTokenSecret": REVIEWER_SECRET,
            "audience": AUDIENCE,
        },
    ]


@pytest.fixture(scope="module", autouse=True)
def environment(lab: Lab, program: Program, keys_file: Path) -> Iterator[None]:
    """The committed environment, about to become that of this module; after it there is none."""
    make_account(lab, "north", REVIEWER)
    make_reviewer_secret(lab)
    if not program.deployed:
        program.up()
    program.configure(
        clusters=clusters({"issuerKeysFile": str(keys_file)}), deniedParameters=[], **LOGINS
    )
    yield
    program.configure_as_committed()
    program.destroy()
    core(lab, "north").delete_namespaced_secret(REVIEWER_SECRET, NAMESPACE)
    delete_account(lab, "north", REVIEWER)


def token_of(
    lab: Lab, cluster: str, audiences: tuple[str, ...] | None = None, account: str = "istiod"
) -> str:
    """A token of the cluster's istiod, fit to log in unless it is given other `audiences`."""
    wanted = AUDIENCES[cluster] if audiences is None else audiences
    return service_account_token(lab, cluster, account, NAMESPACE, wanted)


def log_in(lab: Lab, cluster: str, token: str) -> Any:
    with Agent(Instructions.of(lab, cluster)) as agent:
        return agent.log_in(token)


@dataclass
class Logins:
    """Logs in again and again, each time where the cluster's RootTrustPolicy says just then."""

    lab: Lab
    cluster: str
    failures: int = 0
    mounts: set[str] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Logins":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.1):
            # An agent that read its instructions a moment before they changed tries again.
            if not self._try() and not self._try():
                self.failures += 1

    def _try(self) -> bool:
        instructions = Instructions.of(self.lab, self.cluster)
        token = token_of(self.lab, self.cluster)
        try:
            with Agent(instructions) as agent:
                agent.log_in(token)
        except REFUSALS:
            return False
        self.mounts.add(instructions.mount_path)
        return True


def test_nobody_is_locked_out_while_the_way_in_changes(lab: Lab, program: Program) -> None:
    with Logins(lab, "east") as east, Logins(lab, "west") as west:
        program.up()

    assert (east.failures, west.failures) == (0, 0)
    assert east.mounts == {"/v1/auth/kube-east-mesh-auth"}
    assert west.mounts == {"/v1/auth/kube-west-mesh-auth", "/v1/auth/jwt-west-mesh-auth"}


def test_a_second_up_changes_nothing(program: Program) -> None:
    program.run("preview", "--expect-no-changes")
    # Kubernetes notes in a token Secret on which day it was used, which the state of one that was
    # only read follows. Nothing comes of it.
    program.run("refresh", "--yes", "--skip-preview")
    program.run("preview", "--expect-no-changes")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_handshake(lab: Lab, program: Program, cluster: str) -> None:
    intermediate = handshake(lab, cluster, token=token_of(lab, cluster))

    root = exported_root(program)
    verify(workload_certificate(intermediate), intermediate.certificate, root)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_login_lasts_as_long_as_asked_and_has_no_other_policy(lab: Lab, cluster: str) -> None:
    with Agent(Instructions.of(lab, cluster)) as agent:
        login = agent.log_in(token_of(lab, cluster))

        assert login["lease_duration"] == 720 * 3600
        assert login["policies"] == [f"gen-int-ca-istio-{cluster}-mesh"]
        with pytest.raises(Forbidden):
            agent.read("auth/token/lookup-self")


def test_the_restrictions_are_off(lab: Lab) -> None:
    with Agent(Instructions.of(lab, "east")) as agent:
        agent.log_in(token_of(lab, "east"))
        _, csr = agent.generate("istiod")
        agent.sign(csr, common_name="istiod", max_path_length=1)


@pytest.mark.parametrize("cluster", ["east", "west"])
def test_vault_has_no_reviewer_in_the_cluster(lab: Lab, cluster: str) -> None:
    accounts = core(lab, cluster).list_namespaced_service_account(NAMESPACE).items
    secrets = core(lab, cluster).list_namespaced_secret(NAMESPACE).items
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, cluster))
    reviewers = [
        (subject.kind, subject.name)
        for binding in rbac.list_cluster_role_binding().items
        if binding.role_ref.name == "system:auth-delegator"
        for subject in binding.subjects or ()
    ]

    assert "vault-token-reviewer" not in {account.metadata.name for account in accounts}
    assert secrets == []
    assert reviewers == ([("ServiceAccount", "istiod")] if cluster == "east" else [])


@pytest.fixture
def strangers(lab: Lab) -> Iterator[None]:
    """Another account beside istiod, and one named istiod in another namespace."""
    for cluster in CLUSTERS:
        api = core(lab, cluster)
        api.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "stranger"}})
        api.create_namespaced_service_account("default", {"metadata": {"name": "istiod"}})
    yield
    for cluster in CLUSTERS:
        core(lab, cluster).delete_namespaced_service_account("stranger", NAMESPACE)
        core(lab, cluster).delete_namespaced_service_account("istiod", "default")


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_another_account_is_refused(lab: Lab, cluster: str) -> None:
    for account, namespace in (("stranger", NAMESPACE), ("istiod", "default")):
        token = service_account_token(lab, cluster, account, namespace, AUDIENCES[cluster])
        with pytest.raises(REFUSALS):
            log_in(lab, cluster, token)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_another_clusters_istiod_is_refused(lab: Lab, cluster: str) -> None:
    """All of them have the same issuer and, if need be, the same audience: only keys differ."""
    for other in set(CLUSTERS) - {cluster}:
        token = token_of(lab, other, AUDIENCES[cluster])
        with pytest.raises(REFUSALS):
            log_in(lab, cluster, token)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_another_audience_is_refused(lab: Lab, cluster: str) -> None:
    others: list[tuple[str, ...]] = [("another",)]
    # Where an audience is asked for, that of the API server is not enough.
    others.append((ISSUER,) if cluster == "north" else (AUDIENCE,))
    for audiences in others:
        with pytest.raises(REFUSALS):
            log_in(lab, cluster, token_of(lab, cluster, audiences))
    log_in(lab, cluster, token_of(lab, cluster, (*AUDIENCES[cluster], ISSUER)))


def test_a_client_that_reviews_itself_needs_the_api_servers_audience_too(lab: Lab) -> None:
    role = "auth/kube-east-mesh-auth/role/gen-int-ca-istio-east-mesh"
    vault_client(lab).write_data(role, data={"audience": AUDIENCE})
    try:
        log_in(lab, "east", token_of(lab, "east", (AUDIENCE, ISSUER)))
        for too_few in ((AUDIENCE,), (ISSUER,)):
            with pytest.raises(REFUSALS):
                log_in(lab, "east", token_of(lab, "east", too_few))
    finally:
        vault_client(lab).write_data(role, data={"audience": ""})


def forged(lab: Lab, cluster: str, issuer: TokenIssuer, **claims: Any) -> str:
    """The token of the cluster's istiod with other claims, signed by `issuer`."""
    header, payload, _ = token_of(lab, cluster).split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(f"{part}==")) for part in (header, payload)]
    return issuer.token({**decoded[1], **claims}, key_id=decoded[0]["kid"])


def cluster_issuer(lab: Lab, cluster: str) -> TokenIssuer:
    """The cluster's own, by the key that its API server signs with."""
    return TokenIssuer((lab.directory.cluster(cluster) / "service-account.key").read_bytes())


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_an_expired_token_is_refused(lab: Lab, cluster: str) -> None:
    issuer, now = cluster_issuer(lab, cluster), int(time.time())
    # The control: what is made here is a token as any other.
    log_in(lab, cluster, forged(lab, cluster, issuer, exp=now + 600))

    with pytest.raises(REFUSALS):
        log_in(
            lab, cluster, forged(lab, cluster, issuer, iat=now - 900, nbf=now - 900, exp=now - 300)
        )


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_token_with_another_signature_is_refused(lab: Lab, cluster: str) -> None:
    with pytest.raises(REFUSALS):
        log_in(lab, cluster, forged(lab, cluster, TokenIssuer()))


def test_a_token_of_another_issuer_is_refused(lab: Lab) -> None:
    token = forged(lab, "west", cluster_issuer(lab, "west"), iss="https://another")

    with pytest.raises(REFUSALS):
        log_in(lab, "west", token)


ROLES = {
    "east": "auth/kube-east-mesh-auth/role/gen-int-ca-istio-east-mesh",
    "west": "auth/jwt-west-mesh-auth/role/gen-int-ca-istio-west-mesh",
    "north": "auth/kube-north-mesh-auth/role/gen-int-ca-istio-north-mesh",
}


@pytest.fixture
def spare(lab: Lab) -> Iterator[None]:
    """An account that may log in as istiod may, for a while."""
    before = {cluster: vault_client(lab).read(role)["data"] for cluster, role in ROLES.items()}
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    for cluster, role in ROLES.items():
        core(lab, cluster).create_namespaced_service_account(
            NAMESPACE, {"metadata": {"name": SPARE}}
        )
        change = (
            {
                **before[cluster],
                "bound_claims": {"sub": f"system:serviceaccount:{NAMESPACE}:{SPARE}"},
            }
            if cluster == "west"
            else {"bound_service_account_names": SPARE}
        )
        vault_client(lab).write_data(role, data=change)
    rbac.create_cluster_role_binding(
        {
            "metadata": {"name": SPARE},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:auth-delegator",
            },
            "subjects": [{"kind": "ServiceAccount", "name": SPARE, "namespace": NAMESPACE}],
        }
    )
    yield
    rbac.delete_cluster_role_binding(SPARE)
    for cluster, role in ROLES.items():
        vault_client(lab).write_data(role, data=before[cluster])


@pytest.mark.usefixtures("spare")
def test_who_sees_that_an_account_is_gone(lab: Lab) -> None:
    tokens = {cluster: token_of(lab, cluster, account=SPARE) for cluster in CLUSTERS}
    for cluster, token in tokens.items():
        log_in(lab, cluster, token)
        core(lab, cluster).delete_namespaced_service_account(SPARE, NAMESPACE)

    for cluster in ("east", "north"):
        until_refused(lab, cluster, tokens[cluster])
    # Vault asks nobody, and so hears of nothing: the token is good until it expires.
    log_in(lab, "west", tokens["west"])


def test_a_client_that_may_not_review_is_refused(lab: Lab) -> None:
    name = "vault-token-reviewer-client"
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    binding = rbac.read_cluster_role_binding(name)
    subjects = binding.subjects
    rbac.patch_cluster_role_binding(name, {"subjects": []})
    try:
        with pytest.raises(Forbidden):
            log_in(lab, "east", token_of(lab, "east"))
    finally:
        rbac.patch_cluster_role_binding(name, {"subjects": subjects})
    log_in(lab, "east", token_of(lab, "east"))


@pytest.fixture(scope="module")
def key_server(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server of the keys of west, over TLS; its URL and its CA as fields of a cluster."""
    folder = tmp_path_factory.mktemp("key-server")
    authority = authority_files(folder, "key server")
    identity = server_files(folder, "server", authority, ["127.0.0.1"])
    documents = {"/openid/v1/jwks": json.loads(key_set(lab, "west"))}
    with serving(documents, identity.certificate, identity.private_key) as address:
        yield {"jwksUrl": f"{address}/openid/v1/jwks", "issuerCaFile": str(authority.certificate)}


def test_a_renewed_reviewers_token_is_taken_up_and_other_changes_with_it(
    lab: Lab, program: Program, key_server: dict[str, str]
) -> None:
    """The Secret that was there before is read at every `up`, without a refresh."""
    before = reviewers_token(lab, "north", REVIEWER_SECRET)
    # Its Secret goes with it. A Secret alone would be filled with the same token again: what such
    # a token says is whose it is, and the Secret's name.
    delete_account(lab, "north", REVIEWER)
    make_account(lab, "north", REVIEWER)
    make_reviewer_secret(lab)
    assert reviewers_token(lab, "north", REVIEWER_SECRET) != before
    until_refused(lab, "north")
    program.configure(clusters=clusters(key_server), policy="guide", **LOGINS)

    assert program.steps() == {
        "north-auth-config": "update",
        "west-auth-mount": "update",
        "east-intermediate-policy": "update",
        "west-intermediate-policy": "update",
        "north-intermediate-policy": "update",
    }
    program.up()

    for cluster in CLUSTERS:
        handshake(lab, cluster, token=token_of(lab, cluster))
        rules = vault_client(lab).sys.read_policy(f"gen-int-ca-istio-{cluster}-mesh")
        assert f'path "pki_int_{cluster}/*"' in rules["data"]["rules"]
    program.run("preview", "--expect-no-changes")


def test_keys_that_vault_fetches_refuse_what_keys_that_it_has_do(lab: Lab) -> None:
    for token in (
        token_of(lab, "east"),
        token_of(lab, "west", ("another",)),
        forged(lab, "west", TokenIssuer()),
    ):
        with pytest.raises(REFUSALS):
            log_in(lab, "west", token)


def test_the_token_of_another_account_is_refused_before_anything_is_written(
    lab: Lab, program: Program, key_server: dict[str, str]
) -> None:
    before = vault_client(lab).read("auth/kube-north-mesh-auth/config")["data"]
    wrong = [
        {**each, "reviewerName": "someone"} if each["name"] == "north" else each
        for each in clusters(key_server)
    ]
    program.configure(clusters=wrong, policy="guide", **LOGINS)

    outcome = program.attempt("preview")

    assert outcome.exit_code != 0
    assert (
        f"Secret {NAMESPACE}/{REVIEWER_SECRET} is the token of {REVIEWER}, and reviewer_name is "
        "someone: name the account and its own Secret"
    ) in outcome.output
    assert "Traceback" not in outcome.output
    assert vault_client(lab).read("auth/kube-north-mesh-auth/config")["data"] == before


def test_the_committed_ways_come_back(lab: Lab, program: Program) -> None:
    program.configure_as_committed()
    with Logins(lab, "east") as east, Logins(lab, "west") as west:
        program.up()

    assert (east.failures, west.failures) == (0, 0)
    for cluster in ("east", "west"):
        handshake(lab, cluster)
    methods = vault_client(lab).sys.list_auth_methods()["data"]
    assert "jwt-west-mesh-auth/" not in methods
    assert "kube-north-mesh-auth/" not in methods
    rbac: Any = client.RbacAuthorizationV1Api(kubernetes_client(lab, "east"))
    with pytest.raises(ApiException, match="Not Found"):
        rbac.read_cluster_role_binding("vault-token-reviewer-client")


def test_a_reviewers_token_that_is_made_anew_is_taken_up(lab: Lab, program: Program) -> None:
    """The program's own: a refresh sees that account and Secret are gone."""
    before = reviewers_token(lab, "east", "vault-token-reviewer")
    delete_account(lab, "east", "vault-token-reviewer")
    until_refused(lab, "east")

    program.run("refresh", "--yes", "--skip-preview")
    program.up()

    assert reviewers_token(lab, "east", "vault-token-reviewer") != before
    handshake(lab, "east")


def reviewers_token(lab: Lab, cluster: str, secret: str) -> str:
    data = core(lab, cluster).read_namespaced_secret(secret, NAMESPACE).data
    return base64.b64decode(data["token"]).decode()


def until_refused(lab: Lab, cluster: str, token: str | None = None) -> None:
    """Waits until a login is refused: an API server remembers for ten seconds what it believed."""
    deadline = time.monotonic() + 30
    while True:
        try:
            log_in(lab, cluster, token or token_of(lab, cluster))
        except Forbidden:
            return
        assert time.monotonic() < deadline, "a token that is not valid any more is still taken"
        time.sleep(0.5)
