"""What may be chosen of a workload cluster's RootTrustPolicy, beside the ways to Vault."""

from collections.abc import Mapping
from typing import Any, NotRequired

import pulumi_kubernetes as kubernetes

from .gloo_certificates import (
    certificate_options,
    passive_certificate_authorities,
)
from .root_trust_policy_spec import TrustPolicyOptions
from .root_trust_policy_status import check_await_status
from .structures import fields_of
from .validation import InvalidInputError, require_dns_label, require_one_of


class TrustPolicyChoices(TrustPolicyOptions):
    """Where a cluster's RootTrustPolicy is, and what it says of certificates.

    `ttl_days` of `intermediate_certificates` is the cluster's `intermediate_lifetime_days`, and not
    given here.
    """

    provider: NotRequired[kubernetes.Provider]
    """Of the management cluster, to put the policy there; in the workload cluster, as in the
    guide, when absent."""


def check_trust_policy_choices(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what `choices` give.

    Raises:
        InvalidInputError: a field is not usable.
    """
    given = fields_of("trust_policy", choices, TrustPolicyChoices)
    if "namespace" in given:
        require_dns_label("trust_policy.namespace", given["namespace"])
    options = given.get("intermediate_certificates", {})
    certificate_options("trust_policy.intermediate_certificates", options)
    if "ttl_days" in options:
        raise InvalidInputError(
            "trust_policy.intermediate_certificates.ttl_days",
            options["ttl_days"],
            "set intermediate_lifetime_days, which the root's mount goes by as well",
        )
    if "passive_certificate_authorities" in given:
        passive_certificate_authorities(
            "trust_policy.passive_certificate_authorities", given["passive_certificate_authorities"]
        )
    require_one_of(
        "trust_policy.auto_restart_pods", given.get("auto_restart_pods", False), (True, False)
    )
    if "await_status" in given:
        check_await_status(given["await_status"])
    return given
