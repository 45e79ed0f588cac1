"""Has the engine make a preview."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from mesh_trust.readiness import on_one_line

from ..errors import OperationError
from ..stack import engine_in
from .document import Document, read_document
from .summary import Violation

_LEVELS = ("mandatory", "advisory")


@dataclass(frozen=True)
class Wanted:
    """How the preview is to be made."""

    folder: Path
    stack: str | None = None
    config_file: Path | None = None
    refresh: bool = False
    policy_packs: Sequence[Path] = ()
    policy_pack_configs: Sequence[Path] = ()
    save_plan: Path | None = None

    def arguments(self) -> list[str]:
        """The engine's arguments for it."""
        # What stays as it is is asked for as well: it tells whose child a resource is.
        arguments = ["preview", "--json", "--show-sames", "--non-interactive"]
        if self.stack is not None:
            arguments += ["--stack", self.stack]
        if self.config_file is not None:
            arguments += ["--config-file", str(self.config_file)]
        if self.refresh:
            arguments.append("--refresh")
        for pack in self.policy_packs:
            arguments += ["--policy-pack", str(pack)]
        for config in self.policy_pack_configs:
            arguments += ["--policy-pack-config", str(config)]
        if self.save_plan is not None:
            arguments += ["--save-plan", str(self.save_plan)]
        return arguments


@dataclass(frozen=True)
class Previewed:
    """What came of it."""

    document: Document
    violations: tuple[Violation, ...]
    has_failed: bool


def preview_by_engine(wanted: Wanted) -> Previewed:
    """Runs the engine; says meanwhile that it does.

    Raises:
        OperationError: the engine cannot be run, or has made no preview.
    """
    command = engine_in(wanted.folder)
    with tempfile.TemporaryDirectory(prefix="mesh-trust-preview-") as folder:
        events = Path(folder) / "events"
        arguments = wanted.arguments()
        environment = dict(os.environ)
        if wanted.policy_packs:
            # The engine leaves the rules out of its JSON; its log of events has them, which it
            # writes for who asks for such options (the SDK's automation does the same).
            arguments += ["--event-log", str(events)]
            environment["PULUMI_DEBUG_COMMANDS"] = "true"
        with Console(stderr=True).status("Previewing, which takes as long as an update's ..."):
            done = subprocess.run(
                [command, *arguments],
                cwd=wanted.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        violations = _violations(events) if events.exists() else ()
    if not done.stdout.strip():
        raise OperationError(
            "pulumi has made no preview: " + on_one_line(done.stderr.replace("error: ", ""), 300)
        )
    return Previewed(read_document(done.stdout, "pulumi preview"), violations, done.returncode != 0)


def _violations(events: Path) -> tuple[Violation, ...]:
    found: dict[Violation, None] = {}
    for line in events.read_text().splitlines():
        told = json.loads(line).get("policyEvent")
        if told is not None and told.get("enforcementLevel") in _LEVELS:
            violation = Violation(
                told["policyName"],
                told["enforcementLevel"],
                told["message"].strip(),
                told.get("resourceUrn") or None,
            )
            found[violation] = None
    return tuple(
        sorted(found, key=lambda each: (_LEVELS.index(each.level), each.rule, each.urn or ""))
    )
