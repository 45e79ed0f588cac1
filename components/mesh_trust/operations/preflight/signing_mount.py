"""Whether the mount that signs for an external root is fit to."""

from collections.abc import Iterator
from typing import Any

from mesh_trust import InvalidInputError
from mesh_trust.lifetimes import MountLifetimes
from mesh_trust.settings import Settings
from mesh_trust.signing_mount import SigningMount

from ..about import About
from ..finding import Finding
from ..vault_client import asking
from .vault_health import SUBJECT

SIGNING = About("vault-signing-mount", SUBJECT)


def signing_mount_findings(client: Any, settings: Settings) -> Iterator[Finding]:
    """Looks at it as the program does; nothing where the root is not external."""
    path, certificate = settings.root.signing_mount, settings.root.certificate
    if path is None or certificate is None:
        return
    with asking(f"the default issuer and the lifetimes of {path}"):
        issuer = client.read(f"{path}/issuer/default")
        tuning = client.read(f"sys/mounts/{path}/tune")
    if issuer is None or tuning is None:
        yield SIGNING.failed(
            f"{path} has no default issuer", "name a PKI mount that has one in rootSigningMount"
        )
        return
    mount = SigningMount(
        path,
        issuer["data"]["issuer_id"],
        issuer["data"]["certificate"],
        tuple(issuer["data"].get("ca_chain") or ()),
        bool(issuer["data"].get("key_id")),
        MountLifetimes(
            int(tuning["data"]["default_lease_ttl"]), int(tuning["data"]["max_lease_ttl"])
        ),
    )
    days, key = settings.root_signs_for_days, settings.root_signs_for_key
    try:
        mount.require_fit("rootSigningMount", certificate, key, days)
    except InvalidInputError as error:
        yield SIGNING.refused(error)
        return
    yield SIGNING.ok(f"the default issuer of {path} can sign for the root")
