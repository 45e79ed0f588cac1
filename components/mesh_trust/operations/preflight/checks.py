"""The checks, subject by subject."""

import os
from collections.abc import Iterator, Sequence
from functools import partial

from mesh_trust.settings import Settings

from ..finding import Finding
from ..runner import Check
from ..stack import PlannedStack, Stack
from ..unreachable import UnreachableError
from ..vault_client import client_of
from .clusters import cluster_checks, same_cluster_findings
from .configuration import SUBJECT as STACK
from .configuration import configuration_findings, management_findings, root_findings
from .signing_mount import signing_mount_findings
from .vault_health import SUBJECT as VAULT
from .vault_health import health_findings, time_findings
from .vault_install import install_findings
from .vault_paths import OwnIds, path_findings
from .vault_permissions import permission_findings
from .vault_token import token_findings


def preflight_checks(planned: PlannedStack) -> dict[str, Sequence[Check]]:
    """The checks by subject."""
    stack = planned.stack
    return {
        STACK: _of_stack(stack, planned.problems),
        VAULT: _of_vault(stack, planned.own_ids),
        **cluster_checks(stack.settings),
    }


def _of_stack(stack: Stack, problems: Sequence[str]) -> list[Check]:
    settings = stack.settings
    configuration = Check("configuration", partial(configuration_findings, problems, settings))
    if settings.vault.has_a_stack_of_its_own:
        # It has no root, and no clusters but the one that Vault goes to.
        return [configuration]
    return [
        configuration,
        Check("root", partial(root_findings, problems, settings, stack.outputs)),
        Check("management-cluster", partial(management_findings, settings)),
        Check("clusters-apart", partial(same_cluster_findings, settings)),
    ]


def _of_vault(stack: Stack, own: OwnIds) -> list[Check]:
    settings = stack.settings
    if settings.vault.is_installed:
        if settings.management is None:
            return []
        return [
            Check(
                "vault-pod",
                partial(install_findings, settings.management, settings.vault.install, own),
            )
        ]
    address = settings.vault.install.get("address")
    if not isinstance(address, str) or _lacks_ca(settings):
        return [Check("vault-reachable", _unusable)]
    client = client_of(stack, address, os.environ.get("VAULT_TOKEN", ""))

    def health() -> Iterator[Finding]:
        return health_findings(address, settings.vault, client)

    checks = [
        Check("vault-reachable", health, is_needed=True),
        Check("clock", lambda: time_findings(client)),
        Check("vault-token", lambda: token_findings(client, settings), is_needed=True),
        Check("vault-permissions", lambda: permission_findings(client, settings)),
        Check("vault-paths", lambda: path_findings(client, settings, own)),
    ]
    if settings.root.signing_mount is not None:
        checks.append(
            Check("vault-signing-mount", lambda: signing_mount_findings(client, settings))
        )
    return checks


def _lacks_ca(settings: Settings) -> bool:
    """Whether the file that is to have it is noted as wrong: others would be blamed for it."""
    return settings.vault.ca_file is not None and settings.vault.ca_certificate is None


def _unusable() -> Iterator[Finding]:
    raise UnreachableError(
        "not looked at, as its address or its CA cannot be used", "correct the configuration"
    )
