"""What the disruption budgets of a Deployment's pods leave to its rollout.

Kubernetes counts a rollout against no budget, only evictions: a Deployment that is rolled takes as
many of its pods away as its own strategy says. So it is begun only where that fits.
"""

from collections.abc import Mapping
from typing import Any

from mesh_trust.readiness import Obstacle

from .rollout import replicas
from .workload import Workload


def budgets_of(workload: Workload, deployment: Any) -> list[Any]:
    """The PodDisruptionBudgets that count the pods of `deployment`.

    Raises:
        UnreachableError: they cannot be read.
    """
    with workload.client.reading("PodDisruptionBudgets"):
        found = workload.client.policy.list_namespaced_pod_disruption_budget(workload.namespace)
    labels = deployment.spec.template.metadata.labels or {}
    return [each for each in found.items if _selects(each.spec.selector, labels)]


def taken_at_once(deployment: Any) -> int:
    """How many of its pods a rollout may take away before there are others in their place."""
    wanted, strategy = replicas(deployment), deployment.spec.strategy
    if strategy.type == "Recreate":
        return wanted
    rolling = strategy.rolling_update
    surge = _share(rolling.max_surge, wanted, up=True)
    unavailable = _share(rolling.max_unavailable, wanted, up=False)
    # As the controller does it, which else could do nothing.
    return min(max(unavailable, int(surge == 0)), wanted)


def impossible(workload: Workload, deployment: Any, budget: Any) -> str | None:
    """Why `budget` never leaves room for the rollout, None where it does when all pods are well.

    None as well while its cluster has not looked at it: what it leaves is not known then.
    """
    if _is_unseen(budget):
        return None
    taken = taken_at_once(deployment)
    most = budget.status.expected_pods - budget.status.desired_healthy
    if taken <= max(most, 0):
        return None
    return (
        f"{workload}: its rollout may take {taken} pods away at once, and the PodDisruptionBudget "
        f"{_named(budget)} never leaves more than {max(most, 0)}; set maxUnavailable of the "
        "Deployment's strategy to that or to 0, or leave it out (--namespace, --selector)"
    )


def budget_obstacle(workload: Workload, deployment: Any, budgets: list[Any]) -> Obstacle | None:
    """Which of `budgets` leaves no room for the rollout at the moment, None where all do."""
    taken = taken_at_once(deployment)
    for budget in budgets:
        status = budget.status
        advice = (
            "see which of its pods are not well: "
            f"`{workload.kubectl} describe poddisruptionbudget {budget.metadata.name}`"
        )
        if _is_unseen(budget):
            reason = f"PodDisruptionBudget {_named(budget)} is not looked at yet by its cluster"
            return Obstacle("budget unseen", reason, advice)
        # A rollout that takes nothing away needs no room, but pods that are well.
        is_short = status.current_healthy < status.desired_healthy
        if is_short or status.disruptions_allowed < taken:
            return Obstacle(
                "budget",
                f"PodDisruptionBudget {_named(budget)} allows {status.disruptions_allowed} "
                f"disruptions, and the rollout of {workload} needs {taken} "
                f"({status.current_healthy} pods are healthy, {status.desired_healthy} have to be)",
                advice,
            )
    return None


def _is_unseen(budget: Any) -> bool:
    return bool((budget.status.observed_generation or 0) < budget.metadata.generation)


def _named(budget: Any) -> str:
    return f"{budget.metadata.namespace}/{budget.metadata.name}"


def _share(amount: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage of `of`, which the API server has checked."""
    if isinstance(amount, int):
        return amount
    text = str(amount)
    if not text.endswith("%"):
        return int(text)
    hundredths = int(text.removesuffix("%")) * of
    return -(-hundredths // 100) if up else hundredths // 100


def _selects(selector: Any, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return False
    wanted = selector.match_labels or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(each, labels) for each in selector.match_expressions or ())


def _meets(requirement: Any, labels: Mapping[str, str]) -> bool:
    key, values = requirement.key, requirement.values or ()
    if requirement.operator == "In":
        return labels.get(key) in values
    if requirement.operator == "NotIn":
        return labels.get(key) not in values
    wants_it: bool = requirement.operator == "Exists"
    return (key in labels) == wants_it
