"""Finds the issuer of a Vault PKI mount that holds a given certificate."""

from collections.abc import Sequence
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from .provider_errors import said_by_provider
from .warning import warn

_ISSUERS = "vault:pkiSecret/getBackendIssuers:getBackendIssuers"
_ISSUER = "vault:pkiSecret/getBackendIssuer:getBackendIssuer"


class IssuerNotFoundError(pulumi.RunError, LookupError):
    """A mount does not hold the issuer that it should; the message is a single line."""


class IssuersUnreadableError(pulumi.RunError):
    """Vault does not tell what issuers a mount has; the message is a single line."""


def issuer_id_of(
    certificate_pem: pulumi.Input[str],
    mount_path: pulumi.Input[str],
    opts: pulumi.InvokeOptions,
) -> pulumi.Output[str]:
    """The id of the issuer in `mount_path` whose certificate is `certificate_pem`.

    An import does not say which issuer it made, a name would never compare equal to the id that
    Vault stores, and a mount may hold several issuers: the fingerprint is what tells them apart.
    In a preview it is unknown as long as Vault cannot be asked, which is a warning.

    Raises (when the output resolves):
        IssuerNotFoundError: no issuer of the mount has that certificate.
        IssuersUnreadableError: they cannot be asked for, in an update.
    """

    async def found(certificate: str, mount: str) -> Any:
        try:
            issuers = await _issuers(mount, opts)
        except IssuersUnreadableError as error:
            if not pulumi.runtime.is_dry_run():
                raise
            warn(f"{error}; this preview goes on without it")
            return pulumi.UNKNOWN
        if issuers is None:
            return pulumi.UNKNOWN
        return select_issuer(certificate, mount, issuers)

    return pulumi.Output.all(certificate_pem, mount_path).apply(
        lambda known: found(known[0], known[1])
    )


async def _issuers(mount_path: str, opts: pulumi.InvokeOptions) -> list[tuple[str, str]] | None:
    """Pairs of id and PEM certificate; None where it is not known yet which Vault is meant."""
    listed = await _asked(_ISSUERS, {"backend": mount_path}, mount_path, opts)
    # In a preview the engine answers for a provider that some output is yet to configure, and with
    # nothing at all. The provider itself repeats what it was asked.
    if not listed:
        return None
    # An empty mount has no list of issuers, not an empty one.
    issuers = []
    for issuer_id in listed.get("keys") or []:
        arguments = {"backend": mount_path, "issuerRef": issuer_id}
        issuer = await _asked(_ISSUER, arguments, mount_path, opts)
        issuers.append((issuer_id, issuer["certificate"]))
    return issuers


async def _asked(
    function: str, arguments: dict[str, str], mount_path: str, opts: pulumi.InvokeOptions
) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await pulumi.runtime.invoke_async(function, arguments, opts)
    except pulumi.RunError:
        # The engine itself is at its end.
        raise
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        raise IssuersUnreadableError(
            f"the issuers of mount {mount_path!r} cannot be read ({said_by_provider(error)})"
        ) from None
    return answer


def select_issuer(certificate_pem: str, mount_path: str, issuers: Sequence[tuple[str, str]]) -> str:
    """The id among `issuers`, pairs of id and PEM certificate, that belongs to `certificate_pem`.

    Raises:
        IssuerNotFoundError: none does.
    """
    wanted = _fingerprint(certificate_pem)
    for issuer_id, issuer_pem in issuers:
        if _fingerprint(issuer_pem) == wanted:
            return issuer_id
    if not issuers:
        raise IssuerNotFoundError(
            f"mount {mount_path!r} has no issuers any more: `pulumi refresh` sees it where Vault "
            "has lost what was in it, and `pulumi up` then sets it up again; if only they were "
            "deleted, import the root with `pulumi up --target-replace` and the URN of the import"
        )
    raise IssuerNotFoundError(
        f"mount {mount_path!r} has no issuer with the root certificate of fingerprint "
        f"{wanted.hex(':')} (SHA-256); see what it has with `vault list {mount_path}/issuers`, "
        "and import the root again with `pulumi up --target-replace` and the URN of the import"
    )


def _fingerprint(certificate_pem: str) -> bytes:
    return x509.load_pem_x509_certificate(certificate_pem.encode()).fingerprint(SHA256())
