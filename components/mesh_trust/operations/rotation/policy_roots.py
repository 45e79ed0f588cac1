"""Which roots a RootTrustPolicy has trusted beside the one that signs."""

import base64
from collections.abc import Iterator
from typing import Any

from cryptography import x509

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.readiness import Ready
from mesh_trust.root_checks import fingerprint
from mesh_trust.root_trust_policy_status import API_VERSION, KIND, PLURAL, READS, PolicyInCluster
from mesh_trust.settings import Connection
from mesh_trust.trusted_roots import ROOT_KEY

from ..cluster_client import ClusterClient
from ..finding import State
from ..generations import Generation
from .proxies import Found


def policy_findings(
    connection: Connection, namespace: str, name: str, generations: tuple[Generation, ...]
) -> Iterator[Found]:
    """What the policy `name` says of `generations`, and what Gloo says of it.

    `connection` is that to the cluster which has it.
    """
    client = ClusterClient(connection)
    place = f"{KIND} {namespace}/{name}"
    group, _, version = API_VERSION.partition("/")
    read = client.custom.get_namespaced_custom_object
    policy = client.found(READS, read, group, version, namespace, PLURAL, name)
    if policy is None:
        yield State.FAILED, f"there is no {place}", "run `pulumi up --refresh`"
        return
    passive = set(_passive_roots(client, policy))
    lacking = [each for each in generations if fingerprint(each.certificate) not in passive]
    if lacking:
        yield (
            State.FAILED,
            f"{place} lacks {' and '.join(map(str, lacking))} among its "
            "passiveCertificateAuthorities",
            "run `pulumi up --refresh`",
        )
    access = ClusterAccess(connection.kubeconfig, connection.context, READS)
    seen = PolicyInCluster(access, namespace, name, policy["metadata"]["uid"])
    judged = seen.judged(policy["metadata"], policy.get("status") or {})
    if not isinstance(judged, Ready):
        yield State.FAILED, f"{place}: {judged.reason}", judged.advice
        return
    if judged.remark is not None:
        remark, _, fix = judged.remark.rpartition("; ")
        yield State.WARNING, remark, fix
    if not lacking:
        names = " and ".join(each.name for each in generations)
        yield State.OK, f"{place} has {names} as passiveCertificateAuthorities", None


def _passive_roots(client: ClusterClient, policy: Any) -> Iterator[str]:
    """Fingerprints of those that are in Secrets; what Gloo makes by itself is none of ours."""
    config = (policy.get("spec") or {}).get("config") or {}
    for each in config.get("passiveCertificateAuthorities") or ():
        reference = each.get("secretRef")
        if reference is None:
            continue
        secret = client.found(
            "the Secrets of RootTrustPolicies",
            client.core.read_namespaced_secret,
            reference["name"],
            reference["namespace"],
        )
        if secret is None:
            continue
        content = base64.b64decode((secret.data or {}).get(ROOT_KEY, ""))
        try:
            certificates = x509.load_pem_x509_certificates(content)
        except ValueError:
            continue
        yield from map(fingerprint, certificates)
