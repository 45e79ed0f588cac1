"""The istiod agents of one cluster: one beside each of its istiods."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, cast

import pulumi
import pulumi_kubernetes as kubernetes

from .istiod_agent import IstiodAgent
from .istiod_agent_args import IstiodAgentArgs, IstiodAgentOptions
from .structures import fields_of
from .validation import InvalidInputError


class IstiodAgentChoices(IstiodAgentOptions):
    """How the agents get beside a cluster's istiods.

    `resource` goes with one revision only, as each makes a manifest of its own.
    """

    provider: NotRequired[kubernetes.Provider]
    """Of the cluster that `resource` is applied in; the workload cluster's when absent."""


def check_istiod_agent_choices(choices: object, revisions: Sequence[str]) -> dict[str, Any]:
    """Returns what `choices` give for an istiod of each of `revisions`.

    Raises:
        InvalidInputError: a field is not usable, or does not go with the others.
    """
    given = fields_of("istiod_agent", choices, IstiodAgentChoices)
    if "resource" in given and len(revisions) > 1:
        raise InvalidInputError(
            "istiod_agent.resource", "…", "leave it out with several revisions: use an IstiodAgent"
        )
    return given


def istiod_agents(
    name: str,
    choices: Mapping[str, Any],
    revisions: Sequence[str],
    namespace: str,
    trust: pulumi.Output[Mapping[str, str]],
    parent: pulumi.Resource,
) -> pulumi.Output[dict[str, str]]:
    """Registers the agents; gives the manifests that are made of a `resource`, by revision."""
    args = {field: value for field, value in choices.items() if field != "provider"}
    provider = choices.get("provider")
    agents = {
        revision: IstiodAgent(
            f"{name}-{revision}",
            cast(
                IstiodAgentArgs,
                {
                    **args,
                    "istio_revision": revision,
                    "istio_namespace": namespace,
                    "trust": trust,
                },
            ),
            opts=pulumi.ResourceOptions(
                parent=parent, providers=None if provider is None else [provider]
            ),
        )
        for revision in revisions
    }
    manifests: pulumi.Output[dict[str, Any]] = pulumi.Output.all(
        **{revision: agent.manifest for revision, agent in agents.items()}
    )
    return manifests.apply(
        lambda known: {revision: text for revision, text in known.items() if text is not None}
    )
