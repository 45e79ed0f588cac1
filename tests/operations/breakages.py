"""What is broken in each run of verify, and what has to be found then."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from lab.lab import Lab

from . import cluster_breakages as clusters
from . import vault_breakages as vault

EAST, WEST, VAULT, MANAGEMENT = "cluster east", "cluster west", "Vault", "cluster management"


@dataclass(frozen=True)
class Failed:
    """Something to break, and the finding that it has to lead to."""

    broken: Callable[[Lab], AbstractContextManager[None]]
    check: str
    subject: str
    words: str
    """What has to be among those of the finding."""
    state: str = "failed"


class Warned(Failed):
    """The same of a warning."""

    def __init__(
        self,
        broken: Callable[[Lab], AbstractContextManager[None]],
        check: str,
        subject: str,
        words: str,
    ) -> None:
        super().__init__(broken, check, subject, words, "warning")


@dataclass(frozen=True)
class LetThrough:
    """Something that looks alike, and is no reason for any finding."""

    broken: Callable[[Lab], AbstractContextManager[None]]


Row = tuple[Failed | LetThrough, ...]

ROWS: tuple[Row, ...] = (
    (
        Failed(vault.root_mount_is_shortened, "signing-mount", VAULT, "3600 s at most"),
        Failed(
            clusters.root_trust_policy_is_changed,
            "root-trust-policy",
            EAST,
            "spec.config.agentCa.vault.caPath is 'other/root/sign-intermediate', not 'pki/root/",
        ),
        Failed(
            clusters.root_trust_policy_is_refused,
            "root-trust-policy-status",
            WEST,
            "it is INVALID",
        ),
        Warned(clusters.a_policy_restarts_pods, "auto-restart-pods", MANAGEMENT, "default/by-hand"),
    ),
    (
        Failed(vault.another_ca_signs, "signing-issuer", VAULT, "it is 'CN=another'"),
        Warned(clusters.gloo_complains_of_a_mesh, "mesh", EAST, "its agent is not connected"),
        Failed(
            clusters.root_trust_policy_is_not_looked_at,
            "root-trust-policy-status",
            WEST,
            "only (ACCEPTED)",
        ),
        Failed(clusters.a_ca_key_lies_elsewhere, "ca-keys", MANAGEMENT, "default/forgotten"),
    ),
    (
        Warned(vault.another_ca_is_behind_config_ca, "other-issuers", VAULT, "'CN=beside'"),
        Failed(
            clusters.certificate_is_not_issued,
            "issued-certificates",
            EAST,
            "FAILED: Code: 403. Errors: permission denied",
        ),
        Failed(clusters.mesh_is_not_discovered, "mesh", WEST, "no Mesh in gloo-mesh"),
    ),
    (
        LetThrough(vault.another_ca_may_not_sign),
        Warned(
            clusters.no_certificate_is_ordered, "issued-certificates", EAST, "no IssuedCertificate"
        ),
        Warned(
            clusters.certificate_is_waited_for, "issued-certificates", WEST, "west is REQUESTED"
        ),
    ),
    (
        Failed(vault.policy_is_widened, "policy", VAULT, f"sys/policies/acl/{vault.POLICY}"),
        Warned(
            clusters.a_namespace_has_a_further_root,
            "istio-root",
            EAST,
            "namespace default has roots besides",
        ),
        Failed(
            clusters.a_namespace_has_another_root,
            "istio-root",
            WEST,
            "namespace gloo-mesh has not the stack's root",
        ),
    ),
    (
        Failed(
            vault.role_is_widened,
            "role",
            VAULT,
            "is ['*'], not ['istiod']; token_ttl is 7200, not 3600; token_max",
        ),
        Failed(clusters.a_ca_key_lies_in_cacerts, "ca-keys", EAST, "istio-system/cacerts"),
        Warned(
            clusters.a_namespace_has_no_root, "istio-root", WEST, "default has no istio-ca-root-"
        ),
    ),
    (
        Warned(vault.another_role_is_there, "other-roles", VAULT, "backdoor"),
        LetThrough(clusters.a_servers_key_is_there),
        Failed(clusters.istiod_does_not_start, "istiod-ready", WEST, "0 of 1 pods are ready"),
    ),
    (
        Failed(vault.auth_mount_cuts_logins, "auth-mount", VAULT, "60 s, which cuts the logins'"),
        Failed(
            clusters.agent_is_taken_out,
            "istiod-agent",
            EAST,
            "has no container gloo-mesh-istiod-agent",
        ),
        Failed(vault.reviewer_jwt_is_erased, "login", WEST, "no reviewer's JWT"),
    ),
    (
        Failed(
            vault.another_api_servers_ca_is_added,
            "auth-config",
            VAULT,
            "kubernetes_ca_cert is SHA-256",
        ),
        Failed(
            clusters.istiod_takes_no_changed_root, "istiod-multiroot", EAST, "is false, not true"
        ),
        Warned(clusters.proxies_take_no_changed_root, "proxy-multiroot", WEST, "is not set"),
    ),
    (Failed(vault.request_mount_is_gone, "request-mount", VAULT, "pki_int_west is not there"),),
    (Failed(vault.administrator_may_do_more, "administrator", VAULT, "token_policies is"),),
)
