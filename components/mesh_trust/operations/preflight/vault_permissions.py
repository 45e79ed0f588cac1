"""Whether the token may do in Vault what the program is about to do."""

from collections.abc import Iterator
from typing import Any

from mesh_trust.settings import Settings

from ..about import About
from ..finding import Finding
from ..vault_client import asking
from .vault_health import SUBJECT
from .vault_needs import lacking, vault_needs

PERMISSIONS = About("vault-permissions", SUBJECT)


def permission_findings(client: Any, settings: Settings) -> Iterator[Finding]:
    """Asks Vault at `sys/capabilities-self`, for all paths at once."""
    needs = vault_needs(settings)
    with asking("what the token may do (sys/capabilities-self)"):
        granted = client.sys.get_capabilities(paths=[need.asked_at for need in needs])["data"]
    is_well = True
    for need in needs:
        lacked = lacking(need, granted)
        if lacked:
            is_well = False
            listed = ", ".join(f'"{each}"' for each in need.capabilities)
            yield PERMISSIONS.failed(
                f"the token in VAULT_TOKEN may not {', '.join(lacked)} {need.path}",
                f'add to its policy: path "{need.path}" {{ capabilities = [{listed}] }}; the whole '
                "policy is in the README and docs/stack-token.md",
            )
    if is_well:
        yield PERMISSIONS.ok(f"the token in VAULT_TOKEN may do what is asked at {len(needs)} paths")
