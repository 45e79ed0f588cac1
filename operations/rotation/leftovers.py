"""What Vault still knows of certificates below a root that is to be retired."""

from collections.abc import Iterator

from components.live_certificates import CertificatesUnreadableError, live_certificates
from components.root_checks import fingerprint

from ..finding import Finding, State
from ..runner import Check
from ..stack import Stack
from ..unreachable import UnreachableError
from ..vault_client import vault_client
from .next_step import NextStep

_SHOWN = 3


class Leftovers:
    """Certificates that Vault has signed with the root and that have not expired.

    Vault does not know which of them are in use: an istiod that has got another one does not give
    the last one back. `pulumi up` counts them all the same, as it cannot tell either.
    """

    def __init__(self, stack: Stack, step: NextStep) -> None:
        self._stack = stack
        self._step = step

    def checks(self) -> list[Check]:
        """The questions."""
        return [Check("leftover-certificates", self._look)]

    def _look(self) -> Iterator[Finding]:
        generation = self._step.generation
        if generation is None:
            return
        settings = self._stack.settings
        root_mount = settings.root.signing_mount or settings.names.root_mount
        own_mounts = (
            [each.names.ca_mount for each in settings.clusters]
            if settings.access.signing_ca == "cluster"
            else []
        )
        try:
            found = live_certificates(
                vault_client(self._stack), generation.certificate, root_mount, own_mounts
            )
        except CertificatesUnreadableError as error:
            raise UnreachableError(
                str(error), "use a token in VAULT_TOKEN that may list them"
            ) from None
        if not found:
            seen = f"Vault has no valid certificate left below root {generation}"
            yield Finding("leftover-certificates", "Vault", State.OK, seen)
            return
        shown = ", ".join(f"{each.serial} of {each.mount_path}" for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield Finding(
            "leftover-certificates",
            "Vault",
            State.WARNING,
            f"Vault has {len(found)} valid certificates below root {generation}, which "
            f"`pulumi up` takes for live ones: {shown}{more}",
            f"once no istiod has them, revoke them (`vault write {found[0].mount_path}/revoke "
            f"serial_number={found[0].serial}`), or set rootRetires to "
            f"{fingerprint(generation.certificate)}",
        )
