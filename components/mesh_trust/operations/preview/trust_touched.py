"""Which changes a reviewer has to see first: who is trusted, who may what, and who is who."""

from enum import StrEnum

from .document import Step


class Touched(StrEnum):
    """What of the trust a change touches."""

    ROOT = "roots and signing CAs"
    POLICY = "policies"
    ROLE = "roles and logins"


_ROOTS = frozenset(
    f"mesh-trust:index:{noun}" for noun in ("RootCa", "RootPki", "ExternalRootPki", "ClusterCa")
)
_ROOT_TYPES = ("vault:pkiSecret/", "tls:index/selfSignedCert:", "tls:index/locallySignedCert:")
_POLICY_TYPES = ("vault:index/policy:", "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy")
_ROLE_TYPES = (
    "vault:kubernetes/",
    "vault:jwt/",
    "vault:index/authBackend:",
    "vault:generic/endpoint:",
    "vault:identity/",
    "kubernetes:rbac.authorization.k8s.io/",
)


def touched(step: Step) -> Touched | None:
    """What of the trust `step` touches; None where nothing."""
    if not (step.is_change and step.is_custom):
        return None
    # A root's policy is the root's.
    if not _ROOTS.isdisjoint(step.types) or step.type.startswith(_ROOT_TYPES):
        return Touched.ROOT
    if step.type.startswith(_POLICY_TYPES):
        return Touched.POLICY
    if step.type.startswith(_ROLE_TYPES):
        return Touched.ROLE
    return None
