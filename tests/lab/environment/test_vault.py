"""Vault: TLS, its two secrets, and Kubernetes logins from the address the lab gives it."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import hvac
import pytest
import requests
from hvac.exceptions import Forbidden
from kubernetes import client

from lab.lab import Lab
from tests.lab.environment.conftest import unchecked, vault_client

ISTIOD = ("istio-system", "istiod")


@pytest.fixture
def vault(lab: Lab) -> Any:
    return vault_client(lab)


@pytest.fixture
def reviewer_token(east: client.ApiClient) -> Iterator[str]:
    """A token of an account that may review tokens in `east`."""
    core, rbac = client.CoreV1Api(east), client.RbacAuthorizationV1Api(east)
    metadata = client.V1ObjectMeta(name="test-reviewer")
    core.create_namespaced_service_account("default", client.V1ServiceAccount(metadata=metadata))
    rbac.create_cluster_role_binding(
        client.V1ClusterRoleBinding(
            metadata=metadata,
            subjects=[
                client.RbacV1Subject(
                    kind="ServiceAccount", name="test-reviewer", namespace="default"
                )
            ],
            role_ref=client.V1RoleRef(
                api_group="rbac.authorization.k8s.io",
                kind="ClusterRole",
                name="system:auth-delegator",
            ),
        )
    )
    yield _token(east, "default", "test-reviewer")
    rbac.delete_cluster_role_binding("test-reviewer")
    core.delete_namespaced_service_account("test-reviewer", "default")


def _token(api: client.ApiClient, namespace: str, account: str) -> str:
    request = client.AuthenticationV1TokenRequest(
        spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600)
    )
    answer = client.CoreV1Api(api).create_namespaced_service_account_token(
        account, namespace, request
    )
    return str(unchecked(answer).status.token)


def test_the_root_token_opens_it(vault: Any) -> None:
    assert vault.is_authenticated()
    assert not vault.sys.is_sealed()


def test_without_a_token_nothing_is_told(lab: Lab) -> None:
    environment = lab.environment()
    stranger = hvac.Client(url=environment["VAULT_ADDR"], verify=environment["VAULT_CACERT"])
    unchecked(stranger).token = None
    with pytest.raises(Forbidden):
        unchecked(stranger).sys.list_mounted_secrets_engines()


def test_its_certificate_is_its_own_authoritys(lab: Lab) -> None:
    environment = lab.environment()
    other = lab.directory.cluster("east") / "ca.crt"
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(environment["VAULT_ADDR"], verify=str(other), timeout=10)
    plain = requests.get(environment["VAULT_ADDR"].replace("https", "http"), timeout=10)
    assert plain.status_code == HTTPStatus.BAD_REQUEST


def test_it_has_clusters_review_tokens(
    lab: Lab, vault: Any, east: client.ApiClient, reviewer_token: str
) -> None:
    vault.sys.enable_auth_method("kubernetes", path="test-east")
    try:
        vault.auth.kubernetes.configure(
            kubernetes_host=unchecked(east).configuration.host,
            kubernetes_ca_cert=(lab.directory.cluster("east") / "ca.crt").read_text(),
            token_reviewer_jwt=reviewer_token,
            disable_local_ca_jwt=True,
            mount_point="test-east",
        )
        vault.auth.kubernetes.create_role(
            "istiod",
            bound_service_account_names=["istiod"],
            bound_service_account_namespaces=["istio-system"],
            mount_point="test-east",
        )
        visitor = hvac.Client(url=vault.url, verify=lab.environment()["VAULT_CACERT"])
        answer = visitor.auth.kubernetes.login(
            "istiod", _token(east, *ISTIOD), use_token=False, mount_point="test-east"
        )
        assert answer["auth"]["metadata"]["service_account_name"] == "istiod"
        with pytest.raises(Forbidden):
            visitor.auth.kubernetes.login(
                "istiod", reviewer_token, use_token=False, mount_point="test-east"
            )
    finally:
        vault.sys.disable_auth_method("test-east")
