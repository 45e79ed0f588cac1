"""Roots and the mounts of CAs are protected: the engine refuses to delete or replace them."""

from collections.abc import Iterator, Sequence

from .resource import CA_COMPONENTS, Resource
from .rule import Rule, Settings

_MOUNT = "vault:index/mount:Mount"
_ROOT_TYPES = ("tls:index/privateKey:PrivateKey", "tls:index/selfSignedCert:SelfSignedCert")
_CA_TYPES = (
    "vault:pkiSecret/secretBackendConfigCa:",
    "vault:pkiSecret/secretBackendRootCert:",
    "vault:pkiSecret/secretBackendIntermediateSetSigned:",
)
_FIX = "set protect=True (outside development the components do by themselves)"


def protected(resources: Sequence[Resource], _: Settings) -> Iterator[tuple[Resource, str]]:
    """Those that hold a CA and are not protected."""
    of_cas = {
        backend
        for each in resources
        if each.type.startswith(_CA_TYPES) and (backend := each.text("backend")) is not None
    }
    for each in resources:
        if each.is_protected:
            continue
        if each.type in _ROOT_TYPES and each.is_within(*CA_COMPONENTS):
            kind = each.type.rpartition(":")[2]
            yield each, f"{kind} {each.name!r} of the root is not protected; {_FIX}"
        if each.type == _MOUNT and (each.is_within(*CA_COMPONENTS) or each.text("path") in of_cas):
            path = each.text("path")
            yield each, f"the mount {path!r}, which holds a CA, is not protected; {_FIX}"


RULES = (
    Rule(
        "ca-protected",
        "Roots, and the mounts that hold CAs, are protected from deletion.",
        of_stack=protected,
    ),
)
