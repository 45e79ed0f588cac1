"""Which step of the root's rotation comes next."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..generations import Generation, signing_of


class Step(StrEnum):
    """One change of configuration, each with an update of its own."""

    ADD = "add"
    """A further root is trusted, and does not sign."""
    SWITCH = "switch"
    """The newest root signs."""
    RETIRE = "retire"
    """A root that no longer signs is no longer trusted."""


@dataclass(frozen=True)
class NextStep:
    """What comes next."""

    step: Step
    generation: Generation | None
    """The one to switch to, or to retire; None: the one to be added has no name yet."""
    signing: Generation
    """The one that signs now."""

    def __str__(self) -> str:
        if self.generation is None:
            return f"{self.step} a generation beside {self.signing.name}"
        if self.step is Step.SWITCH:
            return f"switch from {self.signing.name} to {self.generation.name}"
        return f"retire {self.generation.name}, as {self.signing.name} signs"

    @property
    def how(self) -> str:
        """How it is done, a sentence on a single line."""
        if self.generation is None:
            change = (
                f"list {self.signing.name} and a further name in rootGenerations, with "
                f"{self.signing.name} as rootSigning"
            )
        elif self.step is Step.SWITCH:
            change = f"set rootSigning to {self.generation.name}"
        else:
            change = f"take {self.generation.name} out of rootGenerations"
        return f"{change}; look at `pulumi preview`, then run `pulumi up`"


def next_step(generations: Sequence[Generation], order: Sequence[str]) -> NextStep:
    """What comes next where a stack has these `generations`: all are to go but the newest.

    Which that is, the configuration says by its `order`, names of generations from the oldest on: a
    root that was brought along may be older than the one before it. Where it names others than the
    stack has, as there is an update to come, their certificates say it.
    """
    signing = signing_of(generations)
    if len(generations) == 1:
        return NextStep(Step.ADD, None, signing)
    if {each.name for each in generations} == set(order):
        in_order = sorted(generations, key=lambda each: order.index(each.name))
    else:
        in_order = sorted(generations, key=lambda each: each.certificate.not_valid_before_utc)
    oldest, *_, newest = in_order
    if newest.signing:
        return NextStep(Step.RETIRE, oldest, signing)
    return NextStep(Step.SWITCH, newest, signing)
