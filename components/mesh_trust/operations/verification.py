"""All that verify looks at, by what it is about."""

from collections.abc import Iterator
from functools import partial

from mesh_trust.settings import MANAGEMENT, Connection

from .certificates import Thresholds
from .checks import (
    administrator,
    api_server,
    ca_keys,
    cluster_in_vault,
    istio_roots,
    istiod,
    istiod_intermediate,
    istiod_logs,
    logins,
    meshes,
    signing_mounts,
    stack_outputs,
    trust_policies,
    vault_server,
)
from .cluster_questions import ClusterQuestions
from .expected import Expected, ExpectedTrust
from .runner import Check
from .vault_view import VaultView


def verification(
    expected: Expected, thresholds: Thresholds, *, handshake: bool
) -> dict[str, list[Check]]:
    """The checks of a stack, by the subject that they are run for.

    Raises:
        OperationError: no token for Vault is given.
    """
    checks = {
        stack_outputs.STACK: [
            Check("stack-outputs", partial(stack_outputs.stack_outputs, expected)),
            Check("root-lifetime", partial(stack_outputs.root_lifetime, expected, thresholds)),
        ],
        vault_server.VAULT: list(_of_vault(expected, thresholds)),
    }
    for trust in expected.trusts:
        checks[trust.subject] = list(_of_cluster(expected, trust, thresholds, handshake))
    management = expected.settings.management
    reached = [trust.cluster.connection.reached for trust in expected.trusts]
    if management is not None and management.reached not in reached:
        checks[f"cluster {MANAGEMENT}"] = list(_of_management(management))
    return checks


def _of_vault(expected: Expected, thresholds: Thresholds) -> Iterator[Check]:
    view = VaultView(expected.stack)
    health = partial(vault_server.vault_health, expected, view)
    yield Check("vault-health", health, is_needed=True)
    yield Check("vault-token", partial(vault_server.vault_token, view), is_needed=True)
    certificate = partial(vault_server.vault_certificate, expected, thresholds)
    yield Check("vault-certificate", certificate)
    for place in expected.signing_places:
        yield Check("signing-mount", partial(signing_mounts.signing_mount, view, place))
        issuer = partial(signing_mounts.signing_issuer, view, place, expected, thresholds)
        yield Check("signing-issuer", issuer)
        if place.lifetimes is not None:
            others = partial(signing_mounts.other_issuers, view, place, expected)
            yield Check("other-issuers", others)
    for trust in expected.trusts:
        yield Check("request-mount", partial(cluster_in_vault.request_mount, view, trust))
        yield Check("policy", partial(cluster_in_vault.policy, view, trust))
        yield Check("auth-mount", partial(cluster_in_vault.auth_mount, view, trust))
        yield Check("auth-config", partial(cluster_in_vault.auth_config, view, trust))
        yield Check("role", partial(cluster_in_vault.role, view, trust))
        yield Check("other-roles", partial(cluster_in_vault.other_roles, view, trust))
    if expected.settings.access.administrator:
        yield Check("administrator", partial(administrator.administrator, view, expected))


def _of_cluster(
    expected: Expected, trust: ExpectedTrust, thresholds: Thresholds, handshake: bool
) -> Iterator[Check]:
    subject, asks = trust.subject, ClusterQuestions(trust.cluster.connection)
    yield Check("api-server-ca", partial(api_server.api_server_ca, trust, thresholds))
    yield asks.check("api-server", lambda it: api_server.api_server(it, subject), is_needed=True)
    policies = ClusterQuestions(trust.policy_connection)
    yield policies.check(
        "root-trust-policy", lambda it: trust_policies.root_trust_policy(it, trust)
    )
    yield policies.check(
        "root-trust-policy-status", lambda it: trust_policies.root_trust_policy_status(it, trust)
    )
    yield asks.check("auto-restart-pods", lambda it: trust_policies.auto_restart_pods(it, subject))
    yield asks.check("mesh", lambda it: meshes.mesh(it, subject, trust.cluster.istio.namespace))
    yield asks.check("issued-certificates", lambda it: meshes.issued_certificates(it, trust))
    yield asks.check("istio-root", lambda it: istio_roots.istio_roots(it, trust, expected))
    yield asks.check("ca-keys", lambda it: ca_keys.ca_keys(it, subject))
    yield asks.check("istiod-ready", lambda it: istiod.istiod_ready(it, trust))
    yield asks.check("istiod-agent", lambda it: istiod.istiod_agent(it, trust))
    yield asks.check("istiod-multiroot", lambda it: istiod.istiod_multiroot(it, trust))
    yield asks.check("proxy-multiroot", lambda it: istiod.proxy_multiroot(it, trust))
    yield asks.check(
        "istiod-intermediate",
        lambda it: istiod_intermediate.istiod_intermediate(it, trust, expected, thresholds),
    )
    yield asks.check("istiod-log", lambda it: istiod_logs.istiod_log(it, trust))
    yield asks.check("agent-log", lambda it: istiod_logs.agent_log(it, trust))
    yield asks.check("login", lambda it: logins.login(expected, trust, it))
    if handshake:
        yield asks.check("handshake", lambda it: logins.handshake(expected, trust, it))


def _of_management(connection: Connection) -> Iterator[Check]:
    subject, asks = f"cluster {MANAGEMENT}", ClusterQuestions(connection)
    yield asks.check("api-server", lambda it: api_server.api_server(it, subject), is_needed=True)
    yield asks.check("auto-restart-pods", lambda it: trust_policies.auto_restart_pods(it, subject))
    yield asks.check("mesh", lambda it: meshes.mesh(it, subject, None))
    yield asks.check("ca-keys", lambda it: ca_keys.ca_keys(it, subject))
