"""What a RootTrustPolicy says, and what is refused before it says anything."""

import base64
import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest

from lab.definitions import definitions
from lab.directory import CHECKOUT
from mesh_trust import (
    AgentVault,
    AwaitStatus,
    CertificateOptions,
    InvalidInputError,
    IstioMeshSelector,
    KubernetesAuth,
    ManagementServerCa,
    RootTrustPolicy,
)
from mesh_trust.root_trust_policy_spec import PolicyObject, policy_object
from mesh_trust.validation import LateInputError
from tests.root_trust_policies import (
    BRANCHES,
    CA,
    CERTIFICATES,
    ORDINARY,
    SECRET,
    VAULT,
    signed_by_gloo,
    with_login,
    with_mesh,
    with_vault,
)

from .conftest import Recorder, run

ISTIO = {
    "clusterSelector": {"cluster": "east"},
    "namespace": "istio-system",
    "selector": {"app": "istiod"},
}
AGENT = {
    "server": "https://vault:8200",
    "caPath": "pki/root/sign-intermediate",
    "csrPath": "pki_int_east/intermediate/generate/exported",
}
LOGIN = {"mountPath": "/v1/auth/kube-east-mesh-auth", "role": "role"}
OPTIONS = {
    "ttlDays": 90,
    "rsaKeySizeBytes": 2048,
    "orgName": "Example",
    "secretRotationGracePeriodRatio": 0.2,
}


def spec(args: Any) -> dict[str, Any]:
    return policy_object(args).spec


def agent(args: Any) -> Any:
    return spec(args)["config"]["agentCa"]["vault"]


def istio(args: Any) -> Any:
    [mesh] = spec(args)["applyToMeshes"]
    return mesh["istio"]


def test_the_ordinary_policy_leaves_gloos_defaults_to_gloo() -> None:
    config = {"agentCa": {"vault": {**AGENT, "kubernetesAuth": LOGIN}}, "autoRestartPods": False}
    assert policy_object(ORDINARY) == PolicyObject(
        "east", "gloo-mesh", {"applyToMeshes": [{"istio": ISTIO}], "config": config}
    )


def test_all_of_the_api() -> None:
    args = {
        **BRANCHES["all of Vault"],
        **with_mesh(namespace="istio", selector={"app": "istiod"}, revision="^1-2[01]$"),
        "vault": BRANCHES["all of Vault"]["vault"],
        "policy_name": "blue-east",
        "namespace": "blue",
        "intermediate_certificates": CERTIFICATES,
        "auto_restart_pods": True,
        "passive_certificate_authorities": [{"secret_ref": SECRET}, {"generated": CERTIFICATES}],
    }
    assert policy_object(args) == PolicyObject(  # type: ignore[arg-type]
        "blue-east",
        "blue",
        {
            "applyToMeshes": [
                {"istio": {**ISTIO, "namespace": "istio", "revision": "^1-2[01]$"}},
            ],
            "config": {
                "agentCa": {
                    "vault": {
                        **AGENT,
                        "namespace": "team/mesh",
                        "caBundle": base64.b64encode(CA.encode()).decode(),
                        "kubernetesAuth": {
                            **LOGIN,
                            "secretTokenKey": "jwt",
                            "serviceAccountRef": {"name": "istiod", "namespace": "istio-system"},
                        },
                    }
                },
                "autoRestartPods": True,
                "intermediateCertOptions": OPTIONS,
                "passiveCertificateAuthorities": [{"secretRef": SECRET}, {"generated": OPTIONS}],
            },
        },
    )


def test_every_field_of_gloos_definition_can_be_said_and_is_on_the_page() -> None:
    [definition] = [
        each for each in definitions() if each["spec"]["names"]["kind"] == "RootTrustPolicy"
    ]
    [version] = definition["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    there_are = set(_fields_of_schema(schema))
    said = {path for branch in BRANCHES.values() for path in _fields_of_value(spec(branch), schema)}
    assert said == there_are

    page = (CHECKOUT / "docs" / "root-trust-policy.md").read_text()
    for path in there_are:
        assert re.search(rf"`[^`]*\b{path.rpartition('.')[2]}\b[^`]*`", page), path
    for shape in (CertificateOptions, ManagementServerCa, AgentVault, KubernetesAuth):
        for field in shape.__annotations__:
            assert re.search(rf"[`.]{field}`", page), field
    for field in (*IstioMeshSelector.__annotations__, *AwaitStatus.__annotations__):
        assert f"`{field}`" in page, field


def _fields_of_schema(schema: Any, path: str = "") -> Iterator[str]:
    """Paths of all fields that a schema describes; a list has those of its items."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}"
        yield from _fields_of_schema(child.get("items", child), f"{path}.{name}")


def _fields_of_value(value: Any, schema: Any, path: str = "") -> Iterator[str]:
    """The same of a value, as far as the schema describes fields."""
    for each in value if isinstance(value, list) else [value]:
        for name in set(each) & set(schema.get("properties", {})) if each else ():
            child = schema["properties"][name]
            yield f"{path}.{name}"
            if isinstance(each[name], dict | list):
                yield from _fields_of_value(each[name], child.get("items", child), f"{path}.{name}")


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("CA of Vault in a Secret", {"kubernetesAuth": LOGIN, "caSecretRef": SECRET}),
        ("CA of Vault in a file", {"kubernetesAuth": LOGIN, "caLocalPath": "/etc/vault/ca.pem"}),
        ("token in a Secret", {"tokenSecretRef": SECRET}),
        (
            "account of the pod",
            {
                "kubernetesAuth": {
                    **LOGIN,
                    "mountedSaPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                }
            },
        ),
        ("Gloo's own mount", {"kubernetesAuth": {"role": "role"}}),
    ],
)
def test_the_ways_to_vault(branch: str, expected: dict[str, Any]) -> None:
    assert agent(BRANCHES[branch]) == {**AGENT, **expected}


@pytest.mark.parametrize(
    ("ca", "expected"),
    [
        ({"generated": {}}, {"generated": {}}),
        ({"generated": CERTIFICATES}, {"generated": OPTIONS}),
        ({"secret_ref": SECRET}, {"secretRef": SECRET}),
    ],
)
def test_a_root_of_the_management_server(ca: dict[str, Any], expected: dict[str, Any]) -> None:
    assert spec(signed_by_gloo(**ca))["config"] == {
        "mgmtServerCa": expected,
        "autoRestartPods": False,
    }


def test_gloos_defaults_are_not_written_out() -> None:
    defaults = {"ttl_days": 365, "rsa_key_size_bytes": 4096, "org_name": "gloo-mesh"}
    config = spec({**with_login(secret_token_key="token"), "intermediate_certificates": defaults})
    assert config == spec(ORDINARY)
    assert spec(signed_by_gloo(generated=defaults)) == spec(signed_by_gloo(generated={}))


def test_every_mesh_has_to_be_asked_for_by_name() -> None:
    everywhere = spec({**ORDINARY, "every_mesh": True})
    assert everywhere == {"config": spec(ORDINARY)["config"]}
    assert spec({**ORDINARY, "every_mesh": False}) == spec(ORDINARY)


def test_a_policy_needs_no_cluster_where_it_has_a_name_and_meshes() -> None:
    args = {"vault": VAULT, "policy_name": "root"}
    assert policy_object({**args, "every_mesh": True}).name == "root"  # type: ignore[typeddict-item]
    assert istio({**args, "apply_to_meshes": [{"cluster_selector": {"a": "b"}}]}) == {
        "clusterSelector": {"a": "b"},
        "namespace": "istio-system",
    }


def test_the_default_meshes_can_be_those_of_some_revisions() -> None:
    assert istio({**ORDINARY, "revisions": ["default"]}) == {**ISTIO, "revision": "^(default)$"}


def test_a_selector_for_istiods_in_any_namespace() -> None:
    assert istio(with_mesh(namespace=None)) == {"clusterSelector": {"cluster": "east"}}


def test_none_is_not_given() -> None:
    assert spec(with_vault(ca_bundle=None, namespace=None)) == spec(ORDINARY)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"cluster": "a_b", "vault": VAULT}, "cluster"),
    ({"vault": VAULT}, "policy_name"),
    ({"vault": VAULT, "policy_name": "root"}, "apply_to_meshes"),
    ({**ORDINARY, "policy_name": "Root"}, "policy_name"),
    ({**ORDINARY, "namespace": "*"}, "namespace"),
    ({**ORDINARY, "vault_address": "https://vault"}, "vault_address"),
    ({**ORDINARY, "apply_to_meshes": []}, "apply_to_meshes"),
    ({**ORDINARY, "apply_to_meshes": "east"}, "apply_to_meshes"),
    ({**ORDINARY, "apply_to_meshes": [{}]}, "apply_to_meshes[0].cluster_selector"),
    ({**ORDINARY, "apply_to_meshes": ["east"]}, "apply_to_meshes[0]"),
    (with_mesh(cluster_selector={}, selector={"a": "b"}), "apply_to_meshes[0].cluster_selector"),
    (with_mesh(cluster_selector={"a b": "c"}), "apply_to_meshes[0].cluster_selector"),
    (with_mesh(cluster_selector={"a": 1}), "apply_to_meshes[0].cluster_selector"),
    (with_mesh(selector={"a": "b c"}), "apply_to_meshes[0].selector"),
    (with_mesh(selector="app"), "apply_to_meshes[0].selector"),
    (with_mesh(namespace="*"), "apply_to_meshes[0].namespace"),
    (with_mesh(revision="("), "apply_to_meshes[0].revision"),
    (with_mesh(mesh_labels={"a": "b"}), "apply_to_meshes[0].mesh_labels"),
    ({**ORDINARY, "every_mesh": "yes"}, "every_mesh"),
    ({**with_mesh(), "every_mesh": True}, "apply_to_meshes"),
    ({**ORDINARY, "revisions": ["1-20"], "every_mesh": True}, "revisions"),
    ({**with_mesh(), "revisions": ["1-20"]}, "revisions"),
    ({**ORDINARY, "revisions": []}, "revisions"),
    ({**ORDINARY, "revisions": ["1.20"]}, "revisions[0]"),
    ({"cluster": "east"}, "config"),
    ({**ORDINARY, "management_server_ca": {"generated": {}}}, "config"),
    ({**ORDINARY, "vault": "https://vault"}, "vault"),
    (with_vault(server=None), "vault.server"),
    (with_vault(server="vault"), "vault.server"),
    (with_vault(ca_path="/pki"), "vault.ca_path"),
    (with_vault(csr_path=""), "vault.csr_path"),
    (with_vault(namespace="team/"), "vault.namespace"),
    (with_vault(addr="x"), "vault.addr"),
    (with_vault(ca_bundle=""), "vault.ca_bundle"),
    (with_vault(ca_bundle=CA, ca_secret_ref=SECRET), "vault"),
    (with_vault(ca_bundle=CA, ca_local_path="/ca"), "vault"),
    (with_vault(ca_secret_ref=SECRET, ca_local_path="/ca"), "vault"),
    (with_vault(ca_secret_ref={"name": "ca"}), "vault.ca_secret_ref.namespace"),
    (with_vault(ca_secret_ref={**SECRET, "name": "CA"}), "vault.ca_secret_ref.name"),
    (with_vault(ca_secret_ref={**SECRET, "name": "c" * 254}), "vault.ca_secret_ref.name"),
    (with_vault(ca_secret_ref={**SECRET, "namespace": "a.b"}), "vault.ca_secret_ref.namespace"),
    (with_vault(ca_secret_ref={**SECRET, "key": "ca"}), "vault.ca_secret_ref.key"),
    (with_vault(ca_local_path="ca.pem"), "vault.ca_local_path"),
    (with_vault(ca_local_path="/etc/../ca.pem"), "vault.ca_local_path"),
    (with_vault(token_secret_ref=SECRET), "vault"),
    (with_vault(kubernetes_auth=None), "vault"),
    (with_vault(kubernetes_auth=None, token_secret_ref={}), "vault.token_secret_ref.name"),
    (with_login(role=None), "vault.kubernetes_auth.role"),
    (with_login(role="*"), "vault.kubernetes_auth.role"),
    (with_login(mount_path="/v1/auth/kubernetes"), "vault.kubernetes_auth.mount_path"),
    (with_login(secret_token_key="a/b"), "vault.kubernetes_auth.secret_token_key"),
    (with_login(mounted_sa_path="/"), "vault.kubernetes_auth.mounted_sa_path"),
    (with_login(service_account_ref="istiod"), "vault.kubernetes_auth.service_account_ref"),
    (
        with_login(service_account_ref=SECRET, mounted_sa_path="/account"),
        "vault.kubernetes_auth",
    ),
    (signed_by_gloo(), "management_server_ca"),
    (signed_by_gloo(generated={}, secret_ref=SECRET), "management_server_ca"),
    (signed_by_gloo(generated={"ttl_days": 0}), "management_server_ca.generated.ttl_days"),
    (signed_by_gloo(secret_ref={}), "management_server_ca.secret_ref.name"),
    ({**ORDINARY, "passive_certificate_authorities": []}, "passive_certificate_authorities"),
    (
        {**ORDINARY, "passive_certificate_authorities": [{"secret_ref": SECRET}, {}]},
        "passive_certificate_authorities[1]",
    ),
    ({**ORDINARY, "auto_restart_pods": "no"}, "auto_restart_pods"),
    ({**ORDINARY, "await_status": True}, "await_status"),
    ({**ORDINARY, "await_status": {"timeout_seconds": 0}}, "await_status.timeout_seconds"),
    ({**ORDINARY, "await_status": {"timeout": 3}}, "await_status.timeout"),
    ({**ORDINARY, "await_status": {"context": ""}}, "await_status.context"),
    ({**ORDINARY, "await_status": {"kubeconfig": ""}}, "await_status.kubeconfig"),
    ({**ORDINARY, "await_status": {"kubeconfig": {"users": []}}}, "await_status.kubeconfig"),
]


@pytest.mark.parametrize(("args", "field"), REFUSED, ids=[field for _, field in REFUSED])
def test_bad_input_is_refused_in_one_line_before_anything_is_registered(
    recorder: Recorder, args: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^{re.escape(field)}: ") as refused:
        RootTrustPolicy("trust", args)
    assert "\n" not in str(refused.value)
    assert recorder.registered == []


@pytest.mark.parametrize(
    ("field", "below", "lowest", "highest", "above"),
    [
        ("ttl_days", 0, 1, 2**32 - 1, 2**32),
        ("rsa_key_size_bytes", 1024, 2048, 8192, 16384),
        ("secret_rotation_grace_period_ratio", 0, 1e-9, 1 - 1e-9, 1),
        ("org_name", "", "a", "a" * 64, "a" * 65),
    ],
)
def test_each_bound(field: str, below: Any, lowest: Any, highest: Any, above: Any) -> None:
    def options(value: Any) -> Any:
        return spec({**ORDINARY, "intermediate_certificates": {field: value}})["config"]

    for value in (lowest, highest):
        assert list(options(value)["intermediateCertOptions"].values()) == [value]
    for value in (below, above, True, float("nan"), []):
        with pytest.raises(InvalidInputError, match=rf"^intermediate_certificates\.{field}: "):
            options(value)


def test_one_ofs_say_what_excludes_what() -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"^vault: \['ca_secret_ref', 'ca_local_path'\] is not valid; give only one of "
        r"ca_bundle, ca_secret_ref and ca_local_path$",
    ):
        spec(with_vault(ca_secret_ref=SECRET, ca_local_path="/ca"))


@pytest.mark.usefixtures("recorder")
def test_outputs_are_rendered_and_checked_when_they_are_known() -> None:
    def rendered(**changes: Any) -> pulumi.Output[Any]:
        given = with_vault(**{name: pulumi.Output.from_input(v) for name, v in changes.items()})
        return pulumi.Output.from_input(agent(given))

    assert run(lambda: rendered(server="https://v", ca_bundle=CA)) == {
        **AGENT,
        "server": "https://v",
        "caBundle": base64.b64encode(CA.encode()).decode(),
        "kubernetesAuth": LOGIN,
    }
    with pytest.raises(LateInputError, match=r"^vault\.server: 'v' is not valid; use an address"):
        run(lambda: rendered(server="v"))
