"""Each rule of the policy pack, with what breaks it and what does not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.directory import CHECKOUT
from mesh_trust_rules.resource import UNKNOWN, Resource
from mesh_trust_rules.rule import Rule
from mesh_trust_rules.rules import ALL_RULES
from mesh_trust_rules.vault_policies import rule_paths
from tests.certificates import Recipe, make, rsa_key

from .conftest import make_certificate

URN = "urn:pulumi:dev::mesh-trust::"
POLICY = "vault:index/policy:Policy"
ROLE = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"
BINDING = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding"
PROVIDER = "pulumi:providers:vault"
RELEASE = "kubernetes:helm.sh/v3:Release"
TRUST_POLICY = "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy"
LOGIN = "vault:kubernetes/authBackendRole:AuthBackendRole"
JWT_LOGIN = "vault:jwt/authBackendRole:AuthBackendRole"
MOUNT = "vault:index/mount:Mount"
AUTH_MOUNT = "vault:index/authBackend:AuthBackend"
KEY = "mesh-trust:index:RootCa$tls:index/privateKey:PrivateKey"
CERTIFICATE = "mesh-trust:index:RootCa$tls:index/selfSignedCert:SelfSignedCert"
ROOT_MOUNT = f"mesh-trust:index:RootPki${MOUNT}"
IMPORT = "vault:pkiSecret/secretBackendConfigCa:SecretBackendConfigCa"
GENERATED = "vault:pkiSecret/secretBackendRootCert:SecretBackendRootCert"
TOKEN = "vault:index/token:Token"
USER = "vault:generic/endpoint:Endpoint"
RULES = {each.name: each for each in ALL_RULES}


def resource(types: str, /, protect: bool = False, trust: str = "", **properties: Any) -> Resource:
    """A resource of the last of `types`, within the others, and within a ClusterTrust `trust`."""
    parents = (Resource("mesh-trust:index:ClusterTrust", trust, {}),) if trust else ()
    return Resource(
        types.rpartition("$")[2], "it", properties, f"{URN}{types}::it", protect, parents
    )


def messages(
    rule: Rule, resources: Sequence[Resource], configured: Mapping[str, Any] | None = None
) -> list[str]:
    """What the rule says."""
    settings = rule.settings(configured or {})
    if rule.of_stack is not None:
        return [message for _, message in rule.of_stack(resources, settings)]
    assert rule.of_resource is not None
    return [message for each in resources for message in rule.of_resource(each, settings)]


def rbac(**rule: Sequence[str]) -> Resource:
    whole = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"], **rule}
    return resource(ROLE, rules=[whole])


def server(address: Any) -> dict[str, Any]:
    return {"config": {"agentCa": {"vault": {"server": address}}}}


def trust_policy(
    csr: Any, auth: Any, trust: str = "", ca: Any = "pki/root/sign-intermediate"
) -> Resource:
    vault = {
        "caPath": ca,
        "csrPath": csr,
        "kubernetesAuth": {"mountPath": auth, "role": "r"},
    }
    return resource(TRUST_POLICY, trust=trust, spec={"config": {"agentCa": {"vault": vault}}})


CSR = "/intermediate/generate/exported"
MOUNTS = (
    resource(MOUNT, trust="east", path="pki_int_east"),
    resource(AUTH_MOUNT, trust="east", path="kube-east-mesh-auth"),
    resource(MOUNT, trust="west", path="requests-of-west"),
    resource(AUTH_MOUNT, trust="west", path="kube-west-mesh-auth"),
    resource(f"mesh-trust:index:ClusterCa${MOUNT}", path="pki_east"),
    resource(f"mesh-trust:index:ClusterCa${MOUNT}", path="pki_west"),
    resource(f"mesh-trust:index:RootPki${MOUNT}", path="pki"),
)
EAST = (f"pki_int_east{CSR}", "/v1/auth/kube-east-mesh-auth", "east")
SHORT_ROOT = make_certificate("short", path_length=1, days=100)
LONG_ROOT = make_certificate("long", path_length=1, days=3650)


@dataclass(frozen=True)
class Row:
    """What breaks a rule, with a part of what is said; and a neighbour that does not."""

    rule: str
    broken: Sequence[Resource]
    said: str
    fine: Sequence[Resource]
    configured: Mapping[str, Any] = field(default_factory=dict)


ROWS = [
    Row(
        "vault-policy-wildcards",
        [resource(POLICY, name="p", policy='path "pki_int_east/*" { capabilities = ["read"] }')],
        "policy 'p' has a rule for 'pki_int_east/*'",
        [resource(POLICY, policy='path "pki/root/sign-intermediate" {\n}\n# path "a/*" {}')],
    ),
    Row(
        "vault-policy-wildcards",
        [resource(POLICY, policy='path "+/config" { }')],
        "'+/config'",
        [resource(POLICY, policy='path "pki/issuer/+" { }'), resource(POLICY, policy=UNKNOWN)],
    ),
    Row(
        "vault-policy-wildcards",
        [resource(POLICY, policy=json.dumps({"path": {"secret/*": {}}}))],
        "'secret/*'",
        [resource(POLICY, policy='path "sys/mounts/pki*" { }')],
        {"allowedPaths": [r"sys/mounts/pki\*"]},
    ),
    Row("rbac-wildcards", [rbac(verbs=["*"])], "the verb '*'", [rbac(verbs=["get", "update"])]),
    Row(
        "rbac-wildcards",
        [rbac(verbs=["impersonate"])],
        "the verb 'impersonate'",
        [rbac(verbs=["escalate"])],
        {"allowedVerbs": ["escalate"]},
    ),
    Row("rbac-wildcards", [rbac(resources=["*"])], "'*' in resources", [rbac(resources=["x"])]),
    Row("rbac-wildcards", [rbac(apiGroups=["*"])], "'*' in apiGroups", [rbac(apiGroups=[""])]),
    Row(
        "rbac-wildcards",
        [resource(BINDING, roleRef={"name": "cluster-admin"})],
        "gives 'cluster-admin'",
        [resource(BINDING, roleRef={"name": "system:auth-delegator"})],
    ),
    Row(
        "vault-over-tls",
        [resource(PROVIDER, address="http://vault:8200")],
        "'http://vault:8200'",
        [resource(PROVIDER, address="https://vault:8200"), resource(PROVIDER, address=UNKNOWN)],
    ),
    Row(
        "vault-over-tls",
        [resource(TRUST_POLICY, spec=server("HTTP://vault:8200"))],
        "RootTrustPolicy 'it' reaches Vault at 'HTTP://vault:8200'",
        [resource(TRUST_POLICY, spec=server("https://vault:8200"))],
    ),
    Row(
        "vault-over-tls",
        [resource(RELEASE, chart="./charts/vault", values={"server": {"dev": {"enabled": True}}})],
        "dev mode",
        [resource(RELEASE, chart="other", values={"server": {"dev": {"enabled": True}}})],
    ),
    Row(
        "vault-over-tls",
        [resource(RELEASE, chart="vault", values={"global": {"tlsDisable": True}})],
        "without TLS",
        [
            resource(RELEASE, chart="vault", values={"global": {"tlsDisable": False}}),
            resource(RELEASE, chart="vault", values={"global": {"tlsDisable": UNKNOWN}}),
        ],
    ),
    Row(
        "vault-over-tls",
        # The chart's default.
        [resource(RELEASE, chart="oci://charts.example.com/vault", values={})],
        "without TLS",
        [
            resource(RELEASE, chart="vault", values={}, valueYamlFiles=["own.yaml"]),
            resource(RELEASE, chart="vault", values={"server": {"enabled": False}}),
            resource(RELEASE, chart="vault", values={"global": {"externalVaultAddr": "https://v"}}),
            resource(
                RELEASE, chart="vault", values={"injector": {"externalVaultAddr": "https://v"}}
            ),
        ],
    ),
    Row(
        "vault-over-tls",
        [resource(PROVIDER, address="https://vault:8200", skipTlsVerify="true")],
        "takes any TLS certificate",
        [
            resource(PROVIDER, address="https://vault:8200", skipTlsVerify="false"),
            resource(PROVIDER, address="https://vault:8200", skipTlsVerify=False),
        ],
    ),
    Row(
        "no-root-token",
        [
            resource(PROVIDER, token="hvs.canary"),
            resource(
                RELEASE, chart="vault", values={"server": {"dev": {"devRootToken": "hvs.canary"}}}
            ),
        ],
        "the root token of a Vault in dev mode",
        [
            resource(PROVIDER, token="hvs.other"),
            resource(
                RELEASE, chart="vault", values={"server": {"dev": {"devRootToken": "hvs.canary"}}}
            ),
        ],
    ),
    Row(
        "no-root-token",
        [resource(LOGIN, tokenPolicies=["a", "root"])],
        "gives the policy 'root'",
        [resource(LOGIN, tokenPolicies=["a", "not-root"])],
    ),
    Row(
        "no-root-token",
        [resource(USER, dataJson='{"token_policies": "a, root"}')],
        "gives the policy 'root'",
        [resource(USER, dataJson='{"token_policies": ["a"]}'), resource(USER, dataJson="no JSON")],
    ),
    Row(
        "ca-protected",
        [resource(KEY)],
        "PrivateKey 'it' of the root",
        [
            resource(KEY, protect=True),
            resource("tls:index/privateKey:PrivateKey"),
        ],
    ),
    Row(
        "ca-protected",
        [resource(ROOT_MOUNT, path="pki")],
        "the mount 'pki', which holds a CA",
        [resource(ROOT_MOUNT, path="pki", protect=True), resource(MOUNT, path="pki_int_east")],
    ),
    Row(
        "ca-protected",
        [resource(MOUNT, path="mine"), resource(IMPORT, backend="mine")],
        "the mount 'mine'",
        [resource(MOUNT, path="mine"), resource(IMPORT, backend="other")],
    ),
    Row(
        "token-lifetimes",
        [resource(LOGIN, roleName="r", tokenTtl=2592000, tokenMaxTtl=600)],
        "role 'r': tokenTtl is 2592000 seconds, more than 3600",
        [resource(LOGIN, tokenTtl=3600, tokenMaxTtl=3600)],
    ),
    Row(
        "token-lifetimes",
        [resource("vault:appRole/authBackendRole:AuthBackendRole", roleName="r")],
        "role 'r' has no tokenTtl",
        [resource("vault:appRole/authBackendRole:AuthBackendRole", tokenTtl=60, tokenMaxTtl=60)],
    ),
    Row(
        "token-lifetimes",
        [resource(TOKEN, ttl="24h", explicitMaxTtl="24h")],
        "token 'it': ttl is 86400 seconds, more than 3600",
        [
            resource(TOKEN, ttl="60m", explicitMaxTtl="3600"),
            resource(TOKEN, ttl="1h", renewable=False),
            resource(TOKEN, ttl=UNKNOWN, renewable=UNKNOWN, explicitMaxTtl=UNKNOWN),
        ],
    ),
    Row(
        "token-lifetimes",
        [resource(TOKEN, ttl="1h")],
        "token 'it' has no explicitMaxTtl",
        [resource(TOKEN, ttl="1h", explicitMaxTtl="1h")],
    ),
    Row(
        "token-lifetimes",
        [resource(TOKEN, ttl="1h", explicitMaxTtl="1h", period="1h")],
        "take period away",
        [resource(TOKEN, ttl="1h", explicitMaxTtl="1h", period=UNKNOWN)],
    ),
    Row(
        "token-lifetimes",
        [resource(USER, path="auth/userpass/users/admin", dataJson='{"token_ttl": 7200}')],
        "user 'it': token_ttl is 7200 seconds, more than 3600",
        [
            resource(
                USER,
                path="auth/userpass/users/admin",
                dataJson='{"token_ttl": 3600, "token_max_ttl": 3600}',
            ),
            resource(USER, path="auth/userpass/users/admin", dataJson=UNKNOWN),
            resource(USER, path="auth/userpass/users/admin", dataJson="no JSON"),
            resource(USER, path="sys/policies/password/p", dataJson="{}"),
        ],
    ),
    Row(
        "token-lifetimes",
        [resource(JWT_LOGIN, tokenTtl=600)],
        "has no tokenMaxTtl",
        [resource(JWT_LOGIN, tokenTtl=600, tokenMaxTtl=UNKNOWN)],
    ),
    Row(
        "token-lifetimes",
        [resource(LOGIN, tokenTtl=60, tokenMaxTtl=60, tokenPeriod=60)],
        "periodic tokens",
        [resource(LOGIN, tokenTtl=60, tokenMaxTtl=60, tokenPeriod=0)],
    ),
    Row(
        "token-lifetimes",
        [resource(LOGIN, tokenTtl=601, tokenMaxTtl=600)],
        "more than 600",
        [resource(LOGIN, tokenTtl=600, tokenMaxTtl=600)],
        {"maximumSeconds": 600},
    ),
    Row(
        "root-strength",
        [resource(KEY, algorithm="RSA", rsaBits=2048)],
        "RSA with 2048 bits",
        [
            resource(KEY, algorithm="RSA", rsaBits=3072),
            resource("tls:index/privateKey:PrivateKey", algorithm="RSA", rsaBits=1024),
        ],
    ),
    Row(
        "root-strength",
        # The provider's own default.
        [resource(KEY, algorithm="RSA")],
        "RSA with 2048 bits",
        [resource(KEY, algorithm="RSA", rsaBits=UNKNOWN)],
    ),
    Row(
        "root-strength",
        [resource(KEY, algorithm="ECDSA")],
        "ECDSA with the curve P224",
        [resource(KEY, algorithm="ECDSA", ecdsaCurve="P384")],
    ),
    Row(
        "root-strength",
        [resource(KEY, algorithm="ED25519")],
        "of the kind ED25519",
        [resource(KEY, algorithm="ECDSA", ecdsaCurve="P256")],
    ),
    Row(
        "root-strength",
        [resource(GENERATED, keyType="rsa", keyBits=2048)],
        "RSA with 2048 bits",
        [resource(GENERATED, keyType="ec"), resource(GENERATED, keyType="rsa", keyBits=4096)],
    ),
    Row(
        "root-strength",
        [resource(IMPORT, pemBundle=LONG_ROOT)],
        "ECDSA with the curve P256",
        [resource(IMPORT, pemBundle=UNKNOWN)],
        {"curves": ["P384"]},
    ),
    Row(
        "root-lifetime",
        [resource(CERTIFICATE, isCaCertificate=True, validityPeriodHours=24 * 364)],
        "lasts 364 days, too short",
        [
            resource(CERTIFICATE, isCaCertificate=True, validityPeriodHours=24 * 365),
            resource(CERTIFICATE, isCaCertificate=False, validityPeriodHours=24),
        ],
    ),
    Row(
        "root-lifetime",
        [resource(GENERATED, ttl=f"{24 * 36500}h")],
        "lasts 36500 days, too long",
        [resource(GENERATED, ttl=f"{86400 * 3650}"), resource(GENERATED, ttl=UNKNOWN)],
    ),
    Row(
        "root-lifetime",
        [resource(IMPORT, pemBundle=f"key\n{SHORT_ROOT}")],
        "too short",
        [resource(IMPORT, pemBundle=LONG_ROOT)],
    ),
    Row(
        "no-automatic-restarts",
        [resource(TRUST_POLICY, spec={"config": {"autoRestartPods": True}})],
        "has autoRestartPods on",
        [resource(TRUST_POLICY, spec={"config": {"autoRestartPods": False}})],
    ),
    Row(
        "trust-policy-mounts",
        [*MOUNTS, trust_policy(f"requests-of-west{CSR}", "/v1/auth/kube-east-mesh-auth", "east")],
        "of cluster 'east' requests at 'requests-of-west', which is of cluster 'west'",
        [*MOUNTS, trust_policy(f"pki_int_east{CSR}", "/v1/auth/kube-east-mesh-auth", "east")],
    ),
    Row(
        "trust-policy-mounts",
        [*MOUNTS, trust_policy(f"pki_int_east{CSR}", "/v1/auth/kube-west-mesh-auth", "east")],
        "logs in at 'kube-west-mesh-auth', which is of cluster 'west'",
        [*MOUNTS, trust_policy(f"requests-of-west{CSR}", "/v1/auth/kube-west-mesh-auth", "west")],
    ),
    Row(
        "trust-policy-mounts",
        [*MOUNTS, trust_policy(*EAST, "pki_west/root/sign-intermediate")],
        "is signed for at 'pki_west', which is of cluster 'west'",
        [
            *MOUNTS,
            trust_policy(*EAST, "pki_east/root/sign-intermediate"),
            trust_policy(*EAST, "pki_other/root/sign-intermediate"),
            trust_policy(*EAST, UNKNOWN),
        ],
    ),
    Row(
        "trust-policy-mounts",
        # No component's: the guide's names tell.
        [trust_policy(f"pki_int_east{CSR}", "/v1/auth/kube-west-mesh-auth")],
        "which is of cluster",
        [
            trust_policy(f"pki_int_east{CSR}", "/v1/auth/kube-east-mesh-auth"),
            trust_policy(f"other{CSR}", "/v1/auth/another"),
            trust_policy(UNKNOWN, UNKNOWN, "east"),
        ],
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}: {row.said}")
def test_rule(row: Row) -> None:
    rule = RULES[row.rule]
    found = messages(rule, row.broken, row.configured)
    assert any(row.said in each for each in found), found
    # Every message says what to do.
    for each in found:
        assert each.partition("; ")[2], each
        assert "\n" not in each
        assert "canary" not in each
    assert messages(rule, row.fine, row.configured) == []


def test_every_rule_has_a_row() -> None:
    assert {row.rule for row in ROWS} == set(RULES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.rule}: {row.said}")
def test_other_rules_leave_alone_what_only_breaks_one(row: Row) -> None:
    # A stack's rules look at all there is; none may fail on what it does not know.
    for rule in ALL_RULES:
        messages(rule, [*row.broken, *row.fine])


@pytest.mark.parametrize(
    ("of_the_shell", "address", "is_plain"),
    [
        ("http://vault:8200", None, True),
        ("https://vault:8200", None, False),
        ("http://vault:8200", "https://vault:8200", False),
        ("http://vault:8200", UNKNOWN, False),
        (None, None, False),
    ],
)
def test_address_of_the_shell(
    of_the_shell: str | None, address: Any, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    if of_the_shell is not None:
        monkeypatch.setenv("VAULT_ADDR", of_the_shell)
    provider = resource(PROVIDER) if address is None else resource(PROVIDER, address=address)
    found = messages(RULES["vault-over-tls"], [provider])
    assert [each.partition(" over ")[0] for each in found] == [
        "the program's Vault provider reaches Vault at 'http://vault:8200',"
    ] * is_plain


@pytest.mark.parametrize(("bits", "is_weak"), [(2048, True), (3072, False)])
def test_key_of_an_imported_root(bits: int, is_weak: bool) -> None:
    bundle = make(Recipe(key=rsa_key(bits))).certificate_pem
    found = messages(RULES["root-strength"], [resource(IMPORT, pemBundle=bundle)])
    assert bool(found) is is_weak


@pytest.mark.parametrize(
    ("policy", "paths"),
    [
        ('path "a" {}\npath  "b/c"{ capabilities=["read"] }', ("a", "b/c")),
        ('/* path "x" {} */ // path "y" {}\npath "a//b" {}', ("a//b",)),
        ('{"path": [{"a": {}}, {"b/*": {}}]}', ("a", "b/*")),
        ("{", ()),
    ],
)
def test_paths_of_a_vault_policy(policy: str, paths: tuple[str, ...]) -> None:
    assert rule_paths(policy) == paths


def test_development_relaxes_rules_that_there_are() -> None:
    levels = json.loads((CHECKOUT / "policy" / "dev.json").read_text())
    assert set(levels) <= set(RULES)
    assert set(levels.values()) == {"advisory"}


def test_the_pack_imports_nothing_of_the_program() -> None:
    for path in Path(CHECKOUT / "policy").rglob("*.py"):
        text = path.read_text()
        for package in ("components", "environment", "settings", "operations", "lab"):
            assert f"from {package}" not in text
            assert f"import {package}" not in text
