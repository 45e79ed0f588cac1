"""What the stack's configuration says of the clusters' RootTrustPolicies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi

from mesh_trust import CertificateOptions, InvalidInputError
from mesh_trust.gloo_certificates import certificate_options
from mesh_trust.names import GLOO_NAMESPACE
from mesh_trust.validation import require_one_of, require_whole_number

from .connections import MANAGEMENT, PLACEMENTS, note_untold_management
from .problems import Problems
from .values import known_fields, require_boolean, require_label, structure

KEY = "rootTrustPolicy"

# The fields of the configuration that are Gloo's own, and those of CertificateOptions.
_CERTIFICATES = {
    "orgName": "org_name",
    "rsaKeySizeBytes": "rsa_key_size_bytes",
    "secretRotationGracePeriodRatio": "secret_rotation_grace_period_ratio",
}
FIELDS = ("placement", "namespace", "awaitSeconds", "autoRestartPods", *_CERTIFICATES)


@dataclass(frozen=True)
class TrustPolicy:
    """What holds for the RootTrustPolicy of every cluster."""

    placement: str = PLACEMENTS[0]
    """In which cluster it is: `workload` or `management`."""
    namespace: str = GLOO_NAMESPACE
    await_seconds: int | None = None
    """How long to wait until Gloo has accepted it; None: not at all."""
    auto_restart_pods: bool = False
    certificates: CertificateOptions | None = None
    """How intermediates are made, beyond their lifetime."""


def load_trust_policy(config: pulumi.Config, problems: Problems) -> TrustPolicy:
    """Reads it from `config`; notes what is wrong."""
    entry = structure(config, KEY)
    if entry is None or entry == {}:
        return TrustPolicy()
    fields = known_fields(KEY, entry, FIELDS, problems)
    placement = problems.value(
        PLACEMENTS[0],
        require_one_of,
        f"{KEY}.placement",
        fields.get("placement", PLACEMENTS[0]),
        PLACEMENTS,
    )
    if placement == MANAGEMENT:
        note_untold_management(config, "the policies go to", problems)
    return TrustPolicy(
        placement,
        problems.value(
            GLOO_NAMESPACE,
            require_label,
            f"{KEY}.namespace",
            fields.get("namespace", GLOO_NAMESPACE),
        ),
        problems.value(None, _await_seconds, fields),
        problems.value(
            False,
            require_boolean,
            f"{KEY}.autoRestartPods",
            fields.get("autoRestartPods", False),
        ),
        _certificates(fields, problems),
    )


def _await_seconds(fields: Mapping[str, Any]) -> int | None:
    if "awaitSeconds" not in fields:
        return None
    return require_whole_number(
        f"{KEY}.awaitSeconds", fields["awaitSeconds"], minimum=1, unit="seconds"
    )


def _certificates(fields: Mapping[str, Any], problems: Problems) -> CertificateOptions | None:
    options: dict[str, Any] = {}
    for field, option in _CERTIFICATES.items():
        if field not in fields:
            continue
        try:
            certificate_options(KEY, {option: fields[field]})
        except InvalidInputError as error:
            problems.note(InvalidInputError(f"{KEY}.{field}", error.value, error.fix))
        else:
            options[option] = fields[field]
    return cast(CertificateOptions, options) if options else None
