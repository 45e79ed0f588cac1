"""One comment on a pull or merge request, which later previews write anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from mesh_trust.readiness import on_one_line

from ..errors import OperationError

MARKER = "<!-- mesh-trust preview -->"
"""How the comment is known; nobody sees it."""
MOST_CHARACTERS = 65_000
"""GitHub takes 65536, GitLab a million."""
_TIMEOUT_SECONDS = 30
_PAGE = 100


@dataclass(frozen=True)
class Discussion:
    """Where comments are: a pull request on GitHub, or a merge request on GitLab."""

    comments: str
    """URL of its comments."""
    comment: str
    """URL below which one is written anew by its number."""
    headers: Mapping[str, str]
    replacing: str
    """The method by which one is written anew."""
    author_field: str
    """Where a comment's author has the name."""
    author: str
    """Who writes ours: only those are written anew, as anybody may write our marker."""

    @classmethod
    def on_github(cls, environment: Mapping[str, str], number: int, author: str) -> "Discussion":
        """The pull request `number`, by the variables that GitHub Actions set and `GITHUB_TOKEN`.

        Raises:
            OperationError: a variable is missing.
        """
        api = environment.get("GITHUB_API_URL", "https://api.github.com")
        repository = f"{api}/repos/{_needed(environment, 'GITHUB_REPOSITORY')}"
        return cls(
            f"{repository}/issues/{number}/comments",
            f"{repository}/issues/comments",
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {_needed(environment, 'GITHUB_TOKEN')}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            "PATCH",
            "login",
            author,
        )

    @classmethod
    def on_gitlab(cls, environment: Mapping[str, str], number: int) -> "Discussion":
        """The merge request `number`, by the variables of GitLab's CI and `GITLAB_TOKEN`.

        Raises:
            OperationError: a variable is missing, or GitLab does not know the token.
        """
        api = _needed(environment, "CI_API_V4_URL")
        headers = {"PRIVATE-TOKEN": _needed(environment, "GITLAB_TOKEN")}
        project = f"{api}/projects/{_needed(environment, 'CI_PROJECT_ID')}"
        notes = f"{project}/merge_requests/{number}/notes"
        author = str(_asked("GET", f"{api}/user", headers)["username"])
        return cls(notes, notes, headers, "PUT", "username", author)

    def write(self, previews: Sequence[str]) -> str:
        """Writes the comment for these previews, and tells what came of it.

        Where there are none, there is only something to write if there was a comment before.

        Raises:
            OperationError: the server refuses, or cannot be reached.
        """
        own = self._own()
        body = {"body": comment_body(previews)}
        if own is not None:
            _asked(self.replacing, f"{self.comment}/{own}", self.headers, body)
            return "The comment is written anew."
        if not previews:
            return "No environment is changed: there is nothing to comment on."
        _asked("POST", self.comments, self.headers, body)
        return "The comment is written."

    def _own(self) -> int | None:
        page = 1
        while listed := _asked(
            "GET", f"{self.comments}?per_page={_PAGE}&page={page}", self.headers
        ):
            for each in listed:
                author = each.get("user") or each.get("author") or {}
                is_ours = author.get(self.author_field) == self.author
                if is_ours and str(each.get("body")).startswith(MARKER):
                    return int(each["id"])
            page += 1
        return None


def comment_body(previews: Sequence[str]) -> str:
    """The comment for these previews, each Markdown; those that are too long lose their ends."""
    share = (MOST_CHARACTERS - len(MARKER)) // max(len(previews), 1)
    parts = [each if len(each) <= share else _cut(each, share) for each in previews]
    return "\n".join([MARKER, *(parts or ["No environment is changed."])])


def _cut(text: str, most: int) -> str:
    note = "\n\n… and more, in the job's own output.\n"
    return text[: most - len(note) - 1] + note


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if not value:
        raise OperationError(f"{name} is not set: the pipeline has to give it to this step")
    return value


def _asked(
    method: str, url: str, headers: Mapping[str, str], sent: Mapping[str, str] | None = None
) -> Any:
    try:
        answer = requests.request(
            method, url, headers=dict(headers), json=sent, timeout=_TIMEOUT_SECONDS
        )
    except requests.RequestException as error:
        raise OperationError(f"{method} {url}: {on_one_line(str(error), 200)}") from None
    if not answer.ok:
        raise OperationError(
            f"{method} {url} is refused with {answer.status_code} "
            f"({on_one_line(answer.text, 200)}); the token has to be allowed to write comments"
        )
    return answer.json()
