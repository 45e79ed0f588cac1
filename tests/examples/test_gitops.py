"""What others apply is rendered, and is enough for the agent once it is applied."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from kubernetes import client, utils

from lab.lab import Lab
from tests.program.handshake import handshake
from tests.program.inventory import kubernetes_client

from .conftest import ExampleOf, Look, TokenOf
from .example import Example

POLICIES = ("admin.gloo.solo.io", "v2", "gloo-mesh", "roottrustpolicies")


@pytest.fixture
def example(
    example_of: ExampleOf, leads_there: dict[str, str], lab: Lab, tmp_path: Path
) -> Example:
    example = example_of("gitops")
    api = kubernetes_client(lab, "east").configuration
    example.configure(
        cluster="east",
        kubernetesHost=api.host,
        kubernetesCaFile=api.ssl_ca_cert,
        vaultAddress=leads_there["vaultAddress"],
        vaultCaFile=leads_there["vaultCaFile"],
        manifests=str(tmp_path / "manifests"),
        protect=False,
    )
    # The cluster is out of reach.
    example.environment["KUBECONFIG"] = str(tmp_path / "none")
    return example


def rendered(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects in the files, by kind and name."""
    found = [yaml.safe_load(path.read_text()) for path in folder.rglob("*.yaml")]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def apply(lab: Lab, objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Makes what a GitOps tool would make of the files."""
    api = kubernetes_client(lab, "east")
    untyped: Any = utils
    for (kind, _), each in objects.items():
        if kind == "RootTrustPolicy":
            client.CustomObjectsApi(api).create_namespaced_custom_object(*POLICIES, each)
        elif kind.startswith("ClusterRole"):
            untyped.create_from_dict(api, each)


def take_away(lab: Lab, objects: dict[tuple[str, str], dict[str, Any]]) -> None:
    api = kubernetes_client(lab, "east")
    rbac: Any = client.RbacAuthorizationV1Api(api)
    delete = {
        "ClusterRole": rbac.delete_cluster_role,
        "ClusterRoleBinding": rbac.delete_cluster_role_binding,
    }
    for kind, name in objects:
        if kind == "RootTrustPolicy":
            client.CustomObjectsApi(api).delete_namespaced_custom_object(*POLICIES, name)
        elif kind in delete:
            delete[kind](name)


def test_the_files_are_all_that_the_cluster_needs(
    example: Example, lab: Lab, look: Look, token_of: TokenOf, tmp_path: Path
) -> None:
    example.environment["VAULT_TOKEN"] = token_of("gitops")
    before = look()
    folder = tmp_path / "manifests"

    outputs = example.up()

    assert look().kubernetes == before.kubernetes
    objects = rendered(folder)
    assert {kind for kind, _ in objects} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "IstioOperator",
        "RootTrustPolicy",
    }
    operator = objects["IstioOperator", "istio"]
    assert operator["spec"]["profile"] == "minimal"
    assert "gloo-mesh-istiod-agent" in str(operator["spec"]["components"])
    for path in folder.rglob("*.yaml"):
        assert "PRIVATE KEY" not in path.read_text()

    apply(lab, objects)
    try:
        root = x509.load_pem_x509_certificate(outputs["rootCertificate"].encode())
        handshake(lab, "east").certificate.verify_directly_issued_by(root)
    finally:
        take_away(lab, objects)
    example.up("--expect-no-changes")

    istio = yaml.safe_load((example.folder / "istio.yaml").read_text())
    istio["spec"]["profile"] = "default"
    (example.folder / "istio.yaml").write_text(yaml.safe_dump(istio))
    assert {name for name, step in example.plan().items() if step["op"] != "same"} == {"istio"}
    example.up()
    assert rendered(folder)["IstioOperator", "istio"]["spec"]["profile"] == "default"

    example.destroy()
    assert rendered(folder) == {}
    assert look().changes_since(before) == set()


WRONG = {
    "kubernetesHost": ("http://east", "kubernetes_host: 'http://east' is not valid; "),
    "cluster": ("east_1", "cluster: 'east_1' is not valid; "),
    "kubernetesCaFile": ("/nowhere", "kubernetesCaFile: '/nowhere' is not valid; "),
    "vaultCaFile": ("/nowhere", "vaultCaFile: '/nowhere' is not valid; "),
}

WRONG_ISTIO = {
    "": "give the whole IstioOperator",
    "apiVersion: v1\nkind: Service\nmetadata: {name: istio}": "give the whole IstioOperator",
    "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator": "metadata",
    "a: [": "istio.yaml: while parsing",
    None: "istio.yaml: [Errno 2]",
}


def test_a_wrong_value_is_told_in_a_line(
    example: Example, leads_there: dict[str, str], look: Look, tmp_path: Path
) -> None:
    before = look()
    right = {
        "kubernetesHost": "https://east",
        "cluster": "east",
        "kubernetesCaFile": leads_there["vaultCaFile"],
        "vaultCaFile": leads_there["vaultCaFile"],
    }

    example.assert_each_is_told(right, WRONG)
    for content, line in WRONG_ISTIO.items():
        file = example.folder / "istio.yaml"
        file.unlink() if content is None else file.write_text(content)
        [told] = example.refusals()
        assert line in told

    assert look().changes_since(before) == set()
    assert not (tmp_path / "manifests").exists()
