"""How a Vault does that the program installs, or whether it can be installed."""

from collections.abc import Iterator

import pulumi

from mesh_trust import VaultInstallArgs
from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.cluster_errors import ClusterSilentError, UnusableAccessError
from mesh_trust.helm_releases import RELEASE
from mesh_trust.readiness import Ready
from mesh_trust.settings import Connection
from mesh_trust.vault_in_cluster import VaultInCluster
from mesh_trust.vault_install_args import objects_of

from ..about import About
from ..finding import Finding
from ..unreachable import UnreachableError
from .vault_health import SUBJECT
from .vault_paths import OwnIds

INSTALLED = About("vault-pod", SUBJECT)


def install_findings(
    management: Connection, install: VaultInstallArgs, own: OwnIds
) -> Iterator[Finding]:
    """Looks at release, StatefulSet, pod and Service, as `pulumi up` does while it waits.

    Raises:
        UnreachableError: the management cluster does not answer, or may not be read.
    """
    objects = objects_of(install)
    place = f"{objects.namespace}/{objects.release}"
    try:
        access = ClusterAccess(management.kubeconfig, management.context)
        if (RELEASE, place) not in own:
            yield _before(access, place, access.has_release(objects.namespace, objects.release))
            return
        found = VaultInCluster(access, objects).look()
    except (ClusterSilentError, UnusableAccessError, pulumi.RunError) as error:
        seen, _, fix = str(error).partition("; ")
        raise UnreachableError(seen, fix or "see that the management cluster answers") from None
    if isinstance(found, Ready):
        if objects.is_development:
            yield INSTALLED.ok(f"pod {objects.namespace}/{objects.name}-0 is ready: {found.result}")
            fix = "have the pod made anew when that suits you"
        else:
            place = f"{objects.namespace}/{objects.name}"
            yield INSTALLED.ok(f"{objects.replicas} servers of {place} run: {found.result}")
            fix = "do so, and look again"
        if found.remark is not None:
            yield INSTALLED.warning(found.remark, fix)
    else:
        yield INSTALLED.failed(found.reason, found.advice)


def _before(access: ClusterAccess, place: str, is_there: bool) -> Finding:
    namespace, _, name = place.partition("/")
    if not is_there:
        return INSTALLED.ok(f"`pulumi up` will install it as Helm release {place}")
    return INSTALLED.failed(
        f"Helm release {place} is there already, and not in the state of this stack",
        "use that Vault: leave vaultInstall out and give its vaultAddress; or choose another "
        f"namespace; `{access.helm} status -n {namespace} {name}` tells what it is",
    )
