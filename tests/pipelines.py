"""The pipelines to copy, and the project's own, as tests read them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.directory import CHECKOUT

GITHUB = sorted(
    [*(CHECKOUT / "ci" / "github").glob("*.yml"), *(CHECKOUT / ".github/workflows").glob("*.yml")]
)
GITLAB = sorted((CHECKOUT / "ci" / "gitlab").glob("*.yml"))
ENGINE = "3.259.0"
"""The engine that the lab builds, and that all of this was tried with."""


def loaded(path: Path) -> dict[Any, Any]:
    """A pipeline."""
    document = yaml.safe_load(path.read_text())
    assert isinstance(document, dict)
    return document


def steps(workflow: Mapping[Any, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Its steps on GitHub, each with its job's name."""
    for name, job in workflow["jobs"].items():
        for step in job.get("steps", ()):
            yield name, step


def commands() -> list[str]:
    """Every line that a pipeline runs."""
    found = [
        line for path in GITHUB for _, step in steps(loaded(path)) if (line := step.get("run"))
    ]
    for path in GITLAB:
        for job in loaded(path).values():
            if isinstance(job, dict):
                found += [*job.get("script", ()), *job.get("before_script", ())]
    return found


def gitlab() -> dict[Any, Any]:
    """The one on GitLab."""
    [path] = GITLAB
    return loaded(path)
