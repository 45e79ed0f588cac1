"""Which step of the root's rotation comes next."""

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
            change = f"add a name to rootGenerations, and keep rootSigning at {self.signing.name}"
        elif self.step is Step.SWITCH:
            change = f"set rootSigning to {self.generation.name}"
        else:
            change = f"take {self.generation.name} out of rootGenerations"
        return f"{change}; look at `pulumi preview`, then run `pulumi up`"


def next_step(generations: tuple[Generation, ...]) -> NextStep:
    """What comes next where a stack has these `generations`: all are to go but the newest.

    Which that is, their certificates say: a root that is to follow is made after the others.
    """
    signing = signing_of(generations)
    if len(generations) == 1:
        return NextStep(Step.ADD, None, signing)
    oldest, *_, newest = sorted(generations, key=lambda each: each.certificate.not_valid_before_utc)
    if newest.signing:
        return NextStep(Step.RETIRE, oldest, signing)
    return NextStep(Step.SWITCH, newest, signing)
