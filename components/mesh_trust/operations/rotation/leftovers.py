"""What Vault still knows of certificates below a root that is to be retired."""

from collections.abc import Iterator

from hvac.utils import get_token_from_env

from mesh_trust.live_certificates import (
    CertificatesUnreadableError,
    LiveCertificate,
    live_certificates,
)
from mesh_trust.root_checks import fingerprint

from ..errors import OperationError
from ..finding import Finding, State
from ..runner import Check
from ..stack import Stack
from ..unreachable import UnreachableError
from ..vault_client import vault_client
from .next_step import NextStep

LEFTOVERS = "leftover-certificates"
_SHOWN = 3


class Leftovers:
    """Certificates that Vault has signed with the root and that have not expired.

    Vault does not know which of them are in use: an istiod that has got another one does not give
    the last one back. `pulumi up` counts them all the same, as it cannot tell either.
    """

    def __init__(self, stack: Stack, step: NextStep) -> None:
        self._stack = stack
        self._step = step
        self.found: list[LiveCertificate] = []
        """What the last look has found, in the order in which it ends."""

    def checks(self) -> list[Check]:
        """The questions."""
        return [Check(LEFTOVERS, self._look)]

    def _look(self) -> Iterator[Finding]:
        generation = self._step.generation
        if generation is None:
            return
        settings = self._stack.settings
        try:
            # `pulumi up` goes by what `vault login` has left as well.
            client = vault_client(self._stack, get_token_from_env())
            found = self.found = live_certificates(
                client,
                generation.certificate,
                settings.names.root_mount,
                settings.cluster_ca_mounts,
            )
        except OperationError as error:
            seen, _, fix = str(error).partition(": ")
            raise UnreachableError(seen, fix) from None
        except CertificatesUnreadableError as error:
            raise UnreachableError(
                str(error), "use a token in VAULT_TOKEN that may list them"
            ) from None
        if not found:
            seen = f"Vault has no valid certificate left below root {generation}"
            yield Finding(LEFTOVERS, "Vault", State.OK, seen)
            return
        shown = ", ".join(f"{each.serial} of {each.mount_path}" for each in found[:_SHOWN])
        left = len(found) - _SHOWN
        more = f" and {left} more, which --json has" if left > 0 else ""
        yield Finding(
            LEFTOVERS,
            "Vault",
            State.WARNING,
            f"Vault has {len(found)} valid certificates below root {generation}, which "
            f"`pulumi up` takes for live ones: {shown}{more}",
            f"once no istiod has them, revoke each (`vault write {found[0].mount_path}/revoke "
            f"serial_number={found[0].serial}`), or set rootRetires to "
            f"{fingerprint(generation.certificate)}",
        )
