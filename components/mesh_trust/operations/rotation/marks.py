"""What a rotation writes on the Deployments that are part of it, so that it can go on later.

Nothing is kept elsewhere: whoever runs the command next sees how far the last has come. Rolling a
Deployment and noting that it was rolled is one change, so there is nothing between the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

FIELD_MANAGER = "mesh-trust-rotate"

ROTATION = "mesh-trust.io/rotation"
"""When the rotation began, RFC 3339 in UTC: tells it from others."""
STATE = "mesh-trust.io/rotation-state"
BEFORE = "mesh-trust.io/rotation-before"
"""Keys of the CAs that the pods of istiod had before."""
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
"""kubectl's own, of `kubectl rollout restart`: an annotation of the pods, which rolls them."""


_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_FORGOTTEN = timedelta(days=1)


class Progress(StrEnum):
    """How far a Deployment has come in a rotation."""

    PENDING = "pending"
    ROLLED = "rolled"
    """Its pods are being replaced; whether all is well is yet to be seen."""
    DONE = "done"


@dataclass(frozen=True)
class Mark:
    """What is noted on a Deployment."""

    rotation: str | None = None
    progress: Progress | None = None
    before: tuple[str, ...] = ()

    @classmethod
    def of(cls, deployment: Any) -> "Mark":
        """What is noted on `deployment`; nothing, where somebody made something else of it."""
        noted = deployment.metadata.annotations or {}
        state = noted.get(STATE)
        if ROTATION not in noted or state not in list(Progress):
            return cls()
        before = tuple(each for each in noted.get(BEFORE, "").split(",") if each)
        return cls(noted[ROTATION], Progress(state), before)

    def in_rotation(self, rotation: str) -> Progress | None:
        """How far it has come in `rotation`; None: it is not part of it yet."""
        return self.progress if self.rotation == rotation else None

    @property
    def is_open(self) -> bool:
        """Whether its rotation is not complete."""
        return self.progress in (Progress.PENDING, Progress.ROLLED)


def open_rotation(marks: Iterable[Mark]) -> str | None:
    """The last rotation, if it is not complete; one before it is nobody's concern any more."""
    known = list(marks)
    newest = max((each.rotation or "" for each in known), default="")
    is_open = any(each.is_open and each.rotation == newest for each in known)
    return newest if is_open else None


def is_old(rotation: str, now: datetime | None = None) -> bool:
    """Whether `rotation` began so long ago that it may be forgotten, and what it did outdated."""
    try:
        began = datetime.strptime(rotation, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        # Somebody else's, whenever that was.
        return True
    return (now or datetime.now(UTC)) - began > _FORGOTTEN


def now() -> str:
    """This moment, as rotations and restarts are written down."""
    return datetime.now(UTC).strftime(_FORMAT)


def as_pending(rotation: str) -> dict[str, Any]:
    """The change that makes a Deployment part of `rotation`."""
    return _noted(rotation, Progress.PENDING, None)


def as_rolled(rotation: str, before: Iterable[str]) -> dict[str, Any]:
    """The change that rolls it."""
    change = _noted(rotation, Progress.ROLLED, ",".join(before) or None)
    change["spec"] = {"template": {"metadata": {"annotations": {RESTARTED_AT: now()}}}}
    return change


def as_done(rotation: str) -> dict[str, Any]:
    """The change that says that all is well with it."""
    return _noted(rotation, Progress.DONE, None)


def _noted(rotation: str, progress: Progress, before: str | None) -> dict[str, Any]:
    # JSON merge patches (RFC 7386): null takes away.
    noted = {ROTATION: rotation, STATE: progress.value, BEFORE: before}
    return {"metadata": {"annotations": noted}}
