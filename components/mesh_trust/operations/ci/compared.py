"""Whether a plan is what the comment on its request has shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .comment import Discussion
from .forge import asked


@dataclass(frozen=True)
class Request:
    """A pull or merge request that has been merged."""

    name: str
    """As people write it: `#17` or `!17`."""
    discussion: Discussion


def requests_on_github(environment: Mapping[str, str], commit: str, author: str) -> list[Request]:
    """The pull requests that have brought `commit`; variables as for `Discussion.on_github`.

    Raises:
        OperationError: a variable is missing, or GitHub refuses or cannot be reached.
    """
    anywhere = Discussion.on_github(environment, 0, author)
    repository = anywhere.comment.removesuffix("/issues/comments")
    listed = asked("GET", f"{repository}/commits/{commit}/pulls", anywhere.headers)
    return [
        Request(f"#{number}", Discussion.on_github(environment, number, author))
        for number in _numbers(listed, "number")
    ]


def requests_on_gitlab(environment: Mapping[str, str], commit: str) -> list[Request]:
    """The merge requests that have brought `commit`; variables as for `Discussion.on_gitlab`.

    Raises:
        OperationError: a variable is missing, or GitLab refuses or cannot be reached.
    """
    anywhere = Discussion.on_gitlab(environment, 0)
    project = anywhere.comments.removesuffix("/merge_requests/0/notes")
    url = f"{project}/repository/commits/{commit}/merge_requests"
    return [
        Request(f"!{number}", Discussion.on_gitlab(environment, number))
        for number in _numbers(asked("GET", url, anywhere.headers), "iid")
    ]


def compared(preview: str, requests: list[Request]) -> str:
    """What who has to agree to the plan is told besides, Markdown.

    `preview` is the plan's summary, Markdown as in the comments.

    Raises:
        OperationError: a comment cannot be read.
    """
    for each in requests:
        text = each.discussion.own_text() or ""
        if preview.strip() in text.replace("\r\n", "\n"):
            return f"_This is what the comment on {each.name} has shown._\n"
    where = " or ".join(each.name for each in requests)
    shown = f"The comment on {where} has not shown this" if where else "No request has shown this"
    return (
        f"> [!WARNING]\n> **{shown}.** Others may have been merged since, or servers have changed: "
        "read the whole plan before you agree.\n"
    )


def _numbers(listed: list[dict[str, Any]], field: str) -> list[int]:
    merged = (each for each in listed if each.get("merged_at"))
    return [int(each[field]) for each in merged]
