"""The command with all of its sub-commands."""

from .cli import main
from .lazy_group import Elsewhere

__all__ = ["main"]

main.elsewhere = {
    "ci": Elsewhere(
        "mesh_trust.operations.ci.command",
        "What a pipeline asks; docs/preview-in-ci.md has whole ones.",
    ),
    "preflight": Elsewhere(
        "mesh_trust.operations.preflight.command",
        "Look before `pulumi up` whether it can go through.",
    ),
    "preview": Elsewhere(
        "mesh_trust.operations.preview.command",
        "Sum up what `pulumi up` would change, by whose things it changes.",
    ),
    "rotate": Elsewhere(
        "mesh_trust.operations.rotate",
        "Asks for new certificates, and says where a rotation stands.",
    ),
    "vault": Elsewhere(
        "mesh_trust.operations.vault.commands",
        "Initialise, unseal, save and look at Vault, and renew the stack's token.",
    ),
    "verify": Elsewhere(
        "mesh_trust.operations.verify", "Look after `pulumi up` whether all is as it should be."
    ),
}
