"""The clusters answer those they know, do what a control plane does, and refuse all others."""

import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
import requests
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from lab.kubeconfig import Context
from lab.lab import Lab
from lab.memory import LabMemory
from lab.topology import topology
from tests.lab.environment.conftest import connect, unchecked

CLUSTERS = ("mgmt", "east", "west")


def _contexts(lab: Lab) -> dict[str, Context]:
    planes = topology(lab.directory, LabMemory.read(lab.directory)).planes
    return {plane.cluster: plane.context() for plane in planes}


def _eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def _names(answer: object) -> set[str]:
    return {each.metadata.name for each in unchecked(answer).items}


def _is_gone(read: Callable[[], object]) -> bool:
    try:
        read()
    except ApiException as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return True
    return False


def _with_token(lab: Lab, cluster: str, token: str) -> client.CoreV1Api:
    configuration = unchecked(client.Configuration(host=_contexts(lab)[cluster].server))
    configuration.ssl_ca_cert = str(lab.directory.cluster(cluster) / "ca.crt")
    configuration.api_key = {"authorization": f"Bearer {token}"}
    return client.CoreV1Api(client.ApiClient(configuration))


def _token(api: client.ApiClient, namespace: str, account: str) -> str:
    request = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600)
    )
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(
        account, namespace, request
    )
    return str(unchecked(answer).status.token)


@pytest.fixture
def namespace(east: client.ApiClient) -> Iterator[str]:
    """A namespace of the test's own, and the account `tester` in it."""
    core = client.CoreV1Api(east)
    name = f"test-{time.monotonic_ns()}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))
    account = client.V1ServiceAccount(metadata=client.V1ObjectMeta(name="tester"))
    core.create_namespaced_service_account(name, account)
    yield name
    if not _is_gone(lambda: core.read_namespace(name)):
        core.delete_namespace(name)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_an_administrator_is_let_in_and_tls_is_verified(lab: Lab, cluster: str) -> None:
    api = connect(lab, cluster)
    assert unchecked(api).configuration.verify_ssl
    names = _names(client.CoreV1Api(api).list_namespace())
    assert "gloo-mesh" in names
    assert ("istio-system" in names) == (cluster != "mgmt")


@pytest.mark.parametrize(("cluster", "other"), [("east", "west"), ("mgmt", "east")])
def test_a_server_is_refused_under_another_clusters_authority(
    lab: Lab, cluster: str, other: str
) -> None:
    contexts = _contexts(lab)
    authority = lab.directory.cluster(other) / "ca.crt"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{contexts[cluster].server}/version", verify=str(authority), timeout=10)


@pytest.mark.parametrize("path", ["/readyz", "/version", "/api/v1/namespaces"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}])
def test_strangers_are_refused(lab: Lab, path: str, headers: dict[str, str]) -> None:
    url = _contexts(lab)["east"].server + path
    authority = lab.directory.cluster("east") / "ca.crt"
    answer = requests.get(url, headers=headers, verify=str(authority), timeout=10)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_an_administrator_of_one_cluster_is_nobody_in_another(lab: Lab) -> None:
    contexts = _contexts(lab)
    west = lab.directory.cluster("west")
    # TLS itself ends it in some versions, the API server's authentication in others.
    try:
        answer = requests.get(
            f"{contexts['east'].server}/version",
            cert=(str(west / "admin.crt"), str(west / "admin.key")),
            verify=str(lab.directory.cluster("east") / "ca.crt"),
            timeout=10,
        )
    except requests.exceptions.ConnectionError:
        return
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_an_account_may_do_what_it_is_given_and_nothing_else(
    lab: Lab, east: client.ApiClient, namespace: str
) -> None:
    core = _with_token(lab, "east", _token(east, namespace, "tester"))
    with pytest.raises(ApiException) as refused:
        core.list_namespaced_secret(namespace)
    assert refused.value.status == HTTPStatus.FORBIDDEN
    rbac = client.RbacAuthorizationV1Api(east)
    metadata = client.V1ObjectMeta(name="reader")
    rule = client.V1PolicyRule(api_groups=[""], resources=["secrets"], verbs=["list"])
    rbac.create_namespaced_role(namespace, client.V1Role(metadata=metadata, rules=[rule]))
    rbac.create_namespaced_role_binding(
        namespace,
        client.V1RoleBinding(
            metadata=metadata,
            subjects=[
                client.RbacV1Subject(kind="ServiceAccount", name="tester", namespace=namespace)
            ],
            role_ref=client.V1RoleRef(
                api_group="rbac.authorization.k8s.io", kind="Role", name="reader"
            ),
        ),
    )

    def is_let_in() -> bool:
        try:
            core.list_namespaced_secret(namespace)
        except ApiException as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return False
        return True

    _eventually(is_let_in)
    with pytest.raises(ApiException) as refused:
        core.list_namespaced_config_map(namespace)
    assert refused.value.status == HTTPStatus.FORBIDDEN


def test_a_token_of_one_cluster_is_worthless_in_another(
    lab: Lab, east: client.ApiClient, namespace: str
) -> None:
    token = _token(east, namespace, "tester")
    with pytest.raises(ApiException) as refused:
        _with_token(lab, "west", token).list_namespace()
    assert refused.value.status == HTTPStatus.UNAUTHORIZED


def test_tokens_name_the_issuer_of_an_ordinary_cluster(
    east: client.ApiClient, namespace: str
) -> None:
    review = client.AuthenticationV1Api(east).create_token_review(
        client.V1TokenReview(
            spec=client.V1TokenReviewSpec(
                token=_token(east, namespace, "tester"),
                audiences=["https://kubernetes.default.svc.cluster.local"],
            )
        )
    )
    status = unchecked(review).status
    assert status.authenticated
    assert status.user.username == f"system:serviceaccount:{namespace}:tester"


def test_the_controller_manager_fills_what_accounts_need(
    lab: Lab, east: client.ApiClient, namespace: str
) -> None:
    core = client.CoreV1Api(east)
    metadata = client.V1ObjectMeta(
        name="token", annotations={"kubernetes.io/service-account.name": "tester"}
    )
    core.create_namespaced_secret(
        namespace,
        client.V1Secret(metadata=metadata, type="kubernetes.io/service-account-token"),
    )
    _eventually(lambda: "token" in (core.read_namespaced_secret("token", namespace).data or {}))
    _eventually(lambda: "default" in _names(core.list_namespaced_service_account(namespace)))
    _eventually(lambda: "kube-root-ca.crt" in _names(core.list_namespaced_config_map(namespace)))
    bundle = core.read_namespaced_config_map("kube-root-ca.crt", namespace)
    published = unchecked(bundle).data["ca.crt"]
    assert published == (lab.directory.cluster("east") / "ca.crt").read_text()


def test_a_foreground_deletion_ends(east: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(east)
    owner = core.create_namespaced_config_map(
        namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="owner"))
    )
    reference = client.V1OwnerReference(
        api_version="v1",
        kind="ConfigMap",
        name="owner",
        uid=unchecked(owner).metadata.uid,
        block_owner_deletion=True,
    )
    metadata = client.V1ObjectMeta(name="owned", owner_references=[reference])
    core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=metadata))
    core.delete_namespaced_config_map("owner", namespace, propagation_policy="Foreground")
    _eventually(lambda: _is_gone(lambda: core.read_namespaced_config_map("owner", namespace)))
    assert _is_gone(lambda: core.read_namespaced_config_map("owned", namespace))


def test_a_namespaces_deletion_ends(east: client.ApiClient, namespace: str) -> None:
    core = client.CoreV1Api(east)
    core.delete_namespace(namespace)
    _eventually(lambda: _is_gone(lambda: core.read_namespace(namespace)))


def test_a_deployment_without_replicas_is_rolled_out(east: client.ApiClient) -> None:
    """istiod's stand-in: the Deployment controller must have seen it."""
    apps = unchecked(client.AppsV1Api(east))
    _eventually(
        lambda: (
            apps.read_namespaced_deployment("istiod", "istio-system").status.observed_generation
            is not None
        )
    )
    istiod = apps.read_namespaced_deployment("istiod", "istio-system")
    assert istiod.metadata.labels == {"app": "istiod", "istio.io/rev": "default"}
    assert istiod.spec.template.spec.service_account_name == "istiod"
    assert istiod.spec.replicas == 0
    assert client.CoreV1Api(east).read_namespaced_service_account("istiod", "istio-system")


@pytest.mark.parametrize("cluster", ["east", "west"])
def test_a_workload_cluster_is_selected_by_its_own_label_only(lab: Lab, cluster: str) -> None:
    api = unchecked(client.CustomObjectsApi(connect(lab, "mgmt")))
    selected = api.list_namespaced_custom_object(
        "admin.gloo.solo.io",
        "v2",
        "gloo-mesh",
        "kubernetesclusters",
        label_selector=f"cluster={cluster}",
    )
    assert [each["metadata"]["name"] for each in selected["items"]] == [cluster]
    mesh = unchecked(client.CustomObjectsApi(connect(lab, cluster))).get_namespaced_custom_object(
        "internal.gloo.solo.io", "v2", "gloo-mesh", "meshes", f"istiod-istio-system-{cluster}"
    )
    assert mesh["spec"]["installation"]["cluster"] == cluster
