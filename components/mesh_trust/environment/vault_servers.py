"""Why the Vault of another stack does not answer, as far as that can be told from here."""

import pulumi

from mesh_trust.cluster_access import ClusterAccess
from mesh_trust.cluster_errors import ClusterSilentError
from mesh_trust.settings import Connection
from mesh_trust.settings.vault_stack import InstalledVault
from mesh_trust.vault_values import servers_behind
from mesh_trust.vault_waiting import what_servers_wait_for


def why_silent(installed: InstalledVault, management: Connection | None) -> str:
    """What its servers wait for, or which command tells.

    Nobody is behind the Service of servers that are all sealed, so that it cannot tell. Their pods
    can, where the management cluster that this stack knows is the one that they are in.
    """
    command = f"mesh-trust --stack {installed.stack}"
    told = () if management is None else _seen(installed, management, command)
    return "; ".join(told) or f"`{command} vault status` tells what each of its servers waits for"


def _seen(installed: InstalledVault, management: Connection, command: str) -> tuple[str, ...]:
    if not installed.service:
        return ()
    name = servers_behind(installed.service["name"])
    try:
        access = ClusterAccess(management.kubeconfig, management.context)
        return tuple(what_servers_wait_for(access, installed.service["namespace"], name, command))
    except (ClusterSilentError, pulumi.RunError):
        # Only a help: whoever may not look there has the command.
        return ()
