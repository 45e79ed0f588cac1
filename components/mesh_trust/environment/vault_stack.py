"""What a stack that installs Vault tells those that set the trust up in it."""

import pulumi

from mesh_trust import VaultInstall
from mesh_trust.settings import vault_stack


def export_vault(install: VaultInstall) -> None:
    """Exports where Vault is, and what its clients and its administrators have to know."""
    pulumi.export(vault_stack.ADDRESS, install.address)
    pulumi.export(vault_stack.CA_CERTIFICATE, install.ca_certificate)
    pulumi.export(vault_stack.AUDIT_FILE, install.audit_file)
    pulumi.export(
        vault_stack.SERVICE,
        {"name": install.service_name, "namespace": install.namespace},
    )
