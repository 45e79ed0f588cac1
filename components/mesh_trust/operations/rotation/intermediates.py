"""Rolls istiods, and applications after them, one at a time, and sees what comes of each."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mesh_trust.agent_containers import AGENT
from mesh_trust.readiness import Obstacle, Ready

from ..errors import OperationError, RotationStoppedError
from ..generations import Generation, signing_of
from ..unreachable import UnreachableError
from . import marks
from .budgets import budget_obstacle, budgets_of
from .marks import Mark, Progress
from .rollout import rollout_obstacle
from .screen import Screen
from .survey import Planned, Survey, chains_of, described
from .workload import Workload

GO_ON = "run the same command again: it goes on from here"
_ANEW = f"{GO_ON}, or add --new, by which all is rolled anew"

_ATTEMPTS = 10
"""How often a change is tried while others change the same Deployment."""
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Rotation:
    """One rotation of intermediates."""

    name: str
    """When it began."""
    generations: tuple[Generation, ...]
    timeout_seconds: int
    """How long one Deployment may take, in seconds."""
    screen: Screen

    def left(self, planned: Planned) -> bool:
        """Whether it has something to do for `planned`."""
        return planned.mark.in_rotation(self.name) is not Progress.DONE

    def run(self, surveys: Sequence[Survey]) -> None:
        """Does all that is left, cluster by cluster.

        Raises:
            RotationStoppedError: something does not come to be as it has to.
            OperationError: the first change is refused already.
        """
        # All of them before the first is rolled: what is not done can be told from what was added.
        is_begun = False
        for seen in surveys:
            for planned in filter(self.left, seen.planned):
                try:
                    self._begin(planned.workload)
                except RotationStoppedError as error:
                    if is_begun:
                        raise
                    raise OperationError(error.message) from None
                is_begun = True
        for seen in surveys:
            for planned in filter(self.left, seen.planned):
                started = time.monotonic()
                result = self._rotate(planned.workload)
                seconds = time.monotonic() - started
                self.screen.say(
                    f"cluster {seen.cluster}: {planned.workload} is done after {seconds:.0f} s"
                    f"{result}"
                )

    def _rotate(self, workload: Workload) -> str:
        deadline = time.monotonic() + self.timeout_seconds
        mark = self._rolled(workload, deadline)
        look = self._look_for_new_ca(workload, mark) if workload.is_istiod else _look(workload)
        left = deadline - time.monotonic()
        result = self.screen.wait(self._named(workload), look, left, _ANEW).result
        self._change(workload, marks.as_done(self.name), Progress.ROLLED)
        return f": {result}" if result else ""

    def _begin(self, workload: Workload) -> None:
        self._change(workload, marks.as_pending(self.name), None)

    def _rolled(self, workload: Workload, deadline: float) -> Mark:
        """Rolls it where this rotation has not yet; gives what is noted then."""
        for _ in range(_ATTEMPTS):
            with _reaching():
                deployment = workload.read()
            mark = Mark.of(deployment)
            require_own(workload, mark, self.name)
            if mark.in_rotation(self.name) in (Progress.ROLLED, Progress.DONE):
                return mark
            look = _look(workload) if workload.is_istiod else _look_for_room(workload)
            self.screen.wait(self._named(workload), look, deadline - time.monotonic(), GO_ON)
            with _reaching():
                deployment = workload.read()
                before: list[str] = []
                if workload.is_istiod:
                    chains = chains_of(workload, deployment, self.generations)
                    before = [each.key_id for each in chains]
                changed = workload.change(deployment, marks.as_rolled(self.name, before))
            if changed is not None:
                self.screen.say(f"cluster {workload.cluster}: {workload} is rolled")
                return Mark.of(changed)
            time.sleep(_PAUSE_SECONDS)
        raise _changed_by_others(workload)

    def _change(
        self, workload: Workload, change: dict[str, Any], expected: Progress | None
    ) -> None:
        """Makes a change of what is noted, unless it is noted already that it has come further."""
        for _ in range(_ATTEMPTS):
            with _reaching():
                deployment = workload.read()
                mark = Mark.of(deployment)
                if expected is not None or (mark.is_open and (mark.rotation or "") > self.name):
                    require_own(workload, mark, self.name)
                if mark.in_rotation(self.name) is not expected:
                    return
                if workload.change(deployment, change) is not None:
                    return
            time.sleep(_PAUSE_SECONDS)
        raise _changed_by_others(workload)

    def _look_for_new_ca(self, workload: Workload, mark: Mark) -> Callable[[], Ready | Obstacle]:
        signing = signing_of(self.generations)

        def look() -> Ready | Obstacle:
            try:
                deployment = workload.read()
                obstacle = rollout_obstacle(workload, deployment)
                if obstacle is not None:
                    return obstacle
                chains = chains_of(workload, deployment, self.generations)
            except UnreachableError as error:
                return Obstacle("unseen", str(error), error.fix)
            if not chains:
                return _no_new_ca(workload, f"{workload} has no pod")
            for chain in chains:
                if chain.key_id in mark.before:
                    return _no_new_ca(workload, f"pod {chain.pod} has the CA of before still")
                if chain.root != signing.certificate:
                    said = f"pod {chain.pod} has {described(chain, self.generations)}"
                    return _no_new_ca(workload, said)
            return Ready("; ".join(described(each, self.generations) for each in chains))

        return look

    def _named(self, workload: Workload) -> str:
        return f"cluster {workload.cluster}, {workload}"


def require_own(workload: Workload, mark: Mark, rotation: str) -> None:
    """Checks that no other rotation than `rotation` has taken `workload` over.

    Raises:
        RotationStoppedError: one has.
    """
    if mark.rotation not in (None, rotation):
        raise RotationStoppedError(
            f"cluster {workload.cluster}: {workload} is part of rotation {mark.rotation} now, "
            f"which was begun elsewhere beside this one, {rotation}: see that only one is under "
            f"way, and {GO_ON}"
        )


def _changed_by_others(workload: Workload) -> RotationStoppedError:
    return RotationStoppedError(
        f"cluster {workload.cluster}: {workload} is changed by others all the time; see who does "
        f"(`{workload.kubectl} get deployment {workload.name} --show-managed-fields -o yaml`), and "
        f"{GO_ON}"
    )


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except UnreachableError as error:
        raise RotationStoppedError(f"{error}; {error.fix}, and {GO_ON}") from None


def _no_new_ca(workload: Workload, said: str) -> Obstacle:
    logs = f"{workload.kubectl} logs deployment/{workload.name} -c {AGENT}"
    return Obstacle("no new CA", said, f"see what the agent says: `{logs}`")


def _look(workload: Workload) -> Callable[[], Ready | Obstacle]:
    def look() -> Ready | Obstacle:
        try:
            return rollout_obstacle(workload, workload.read()) or Ready("")
        except UnreachableError as error:
            return Obstacle("unseen", str(error), error.fix)

    return look


def _look_for_room(workload: Workload) -> Callable[[], Ready | Obstacle]:
    def look() -> Ready | Obstacle:
        try:
            deployment = workload.read()
            return (
                budget_obstacle(workload, deployment, budgets_of(workload, deployment))
                or rollout_obstacle(workload, deployment)
                or Ready("")
            )
        except UnreachableError as error:
            return Obstacle("unseen", str(error), error.fix)

    return look
