"""Which lifetimes have to be shorter than which."""

from datetime import UTC, datetime

from cryptography import x509

from mesh_trust import InvalidInputError
from mesh_trust.cluster_ca_checks import ROOT_PATH_LENGTH
from mesh_trust.lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime

from .access import Access
from .problems import Problems
from .root import Root

_INTERMEDIATE, _CLUSTER_CA = "intermediateLifetimeDays", "clusterCaLifetimeDays"
_OF_ROOT = {"rootSource", "rootLifetimeDays", "rootPathLength", "rootCertificate", "rootSigning"}
_OF_GENERATIONS = "rootGenerations"


def note_wrong_order(
    intermediate_lifetime_days: int, access: Access, root: Root, problems: Problems
) -> None:
    """Notes CAs that would outlive the one above them, or have no room below it.

    A value that only stands in for a refused one is not compared.
    """
    refused = problems.fields()
    has_root = not refused & _OF_ROOT and not any(
        field.startswith(_OF_GENERATIONS) for field in refused
    )
    if has_root and _INTERMEDIATE not in refused:
        with problems.noted():
            _require_outlived(intermediate_lifetime_days, root)
    if access.signing_ca != "cluster" or "signingCa" in refused or _CLUSTER_CA in refused:
        return
    if (
        _INTERMEDIATE not in refused
        and access.cluster_ca_lifetime_days <= intermediate_lifetime_days
    ):
        fix = (
            f"use more than intermediateLifetimeDays ({intermediate_lifetime_days}): "
            "an intermediate must not outlive the CA above it"
        )
        problems.note(InvalidInputError(_CLUSTER_CA, access.cluster_ca_lifetime_days, fix))
    if has_root:
        with problems.noted():
            _require_room_below_root(access, root)


def _require_room_below_root(access: Access, root: Root) -> None:
    """Checks that the root leaves room for CAs of the clusters' own.

    Raises:
        InvalidInputError: it does not.
    """
    path_length, lifetime_days = _room_below(root)
    if path_length is not None and path_length < ROOT_PATH_LENGTH:
        raise InvalidInputError(
            "signingCa",
            access.signing_ca,
            f"use a root of path length {ROOT_PATH_LENGTH} (rootPathLength where it is generated), "
            "as the cluster's CA and istiod's stand below it; it is fixed once the root exists",
        )
    if access.cluster_ca_lifetime_days >= lifetime_days:
        raise InvalidInputError(
            _CLUSTER_CA,
            access.cluster_ca_lifetime_days,
            f"use less than the root's {lifetime_days} days: a CA must not outlive its root",
        )


def _room_below(root: Root) -> tuple[int | None, int]:
    """Path length of the root, None for any, and the days that it has left."""
    if root.certificate is None:
        return root.certificate_args["path_length"], root.certificate_args["lifetime_days"]
    certificate = x509.load_pem_x509_certificate(root.certificate.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    return constraints.path_length, (certificate.not_valid_after_utc - datetime.now(UTC)).days


def _require_outlived(intermediate_lifetime_days: int, root: Root) -> None:
    if root.certificate is not None:
        if root.source == "imported":
            seconds = intermediate_lifetime_days * SECONDS_PER_DAY
            certificate = x509.load_pem_x509_certificate(root.certificate.encode())
            require_lifetime(
                _INTERMEDIATE,
                intermediate_lifetime_days,
                MountLifetimes(seconds, seconds),
                certificate.not_valid_after_utc,
            )
        # How long an external root's mount signs for is asked of Vault.
        return
    if intermediate_lifetime_days >= root.certificate_args["lifetime_days"]:
        raise InvalidInputError(
            _INTERMEDIATE,
            intermediate_lifetime_days,
            f"use less than rootLifetimeDays ({root.certificate_args['lifetime_days']}): "
            "an intermediate must not outlive its root",
        )
