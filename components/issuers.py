"""Finds the issuer of a Vault PKI mount that holds a given certificate."""

from collections.abc import Sequence

import pulumi
import pulumi_vault as vault
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

_ANY_TYPE = "vault:index/mount:Mount"
"""The SDK finds a provider by what it could be asked for."""


class IssuerNotFoundError(pulumi.RunError, LookupError):
    """A mount does not hold the issuer that it should; the message is a single line."""


def issuer_id_of(
    certificate_pem: pulumi.Input[str],
    mount_path: pulumi.Input[str],
    opts: pulumi.InvokeOptions,
) -> pulumi.Output[str]:
    """The id of the issuer in `mount_path` whose certificate is `certificate_pem`.

    An import does not say which issuer it made, a name would never compare equal to the id that
    Vault stores, and a mount may hold several issuers: the fingerprint is what tells them apart.

    Raises (when the output resolves):
        IssuerNotFoundError: no issuer of the mount has that certificate.
    """

    def certificate_of(issuer_id: str, mount: str) -> pulumi.Output[tuple[str, str]]:
        found = vault.pkisecret.get_backend_issuer_output(
            backend=mount, issuer_ref=issuer_id, opts=opts
        )
        return found.certificate.apply(lambda certificate: (issuer_id, certificate))

    def all_of(issuer_ids: Sequence[str], mount: str) -> pulumi.Output[list[tuple[str, str]]]:
        return pulumi.Output.all(*(certificate_of(issuer_id, mount) for issuer_id in issuer_ids))

    listed = vault.pkisecret.get_backend_issuers_output(
        backend=_known_with_provider(mount_path, opts), opts=opts
    )
    # An empty mount has no list of issuers, not an empty one.
    issuers: pulumi.Output[list[tuple[str, str]]] = pulumi.Output.all(
        listed.keys, mount_path
    ).apply(lambda found: all_of(found[0] or [], found[1]))
    return pulumi.Output.all(certificate_pem, mount_path, issuers).apply(
        lambda found: select_issuer(*found)
    )


def _known_with_provider(
    mount_path: pulumi.Input[str], opts: pulumi.InvokeOptions
) -> pulumi.Output[str]:
    """`mount_path`, unknown as long as it is not known which Vault is meant.

    A provider that is not configured yet gives no answer, which looks like that of an empty mount.
    """
    provider = opts.parent.get_provider(_ANY_TYPE) if opts.parent is not None else None
    address = provider.address if isinstance(provider, vault.Provider) else ""
    return pulumi.Output.all(mount_path, address).apply(lambda known: str(known[0]))


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
