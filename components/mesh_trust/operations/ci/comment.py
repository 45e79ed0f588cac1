"""One comment on a pull or merge request, which later previews write anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .forge import asked, needed

MARKER = "<!-- mesh-trust preview -->"
"""How the comment is known; nobody sees it."""
MOST_CHARACTERS = 65_000
"""GitHub takes 65536, GitLab a million."""
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
        repository = f"{api}/repos/{needed(environment, 'GITHUB_REPOSITORY')}"
        return cls(
            f"{repository}/issues/{number}/comments",
            f"{repository}/issues/comments",
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {needed(environment, 'GITHUB_TOKEN')}",
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
        api = needed(environment, "CI_API_V4_URL")
        headers = {"PRIVATE-TOKEN": needed(environment, "GITLAB_TOKEN")}
        project = f"{api}/projects/{needed(environment, 'CI_PROJECT_ID')}"
        notes = f"{project}/merge_requests/{number}/notes"
        author = str(asked("GET", f"{api}/user", headers)["username"])
        return cls(notes, notes, headers, "PUT", "username", author)

    def write(self, previews: Sequence[str]) -> str:
        """Writes the comment for these previews, and tells what came of it.

        Where there are none, there is only something to write if there was a comment before.

        Raises:
            OperationError: the server refuses, or cannot be reached.
        """
        own, _ = self._own()
        body = {"body": comment_body(previews)}
        if own is not None:
            asked(self.replacing, f"{self.comment}/{own}", self.headers, body)
            return "The comment is written anew."
        if not previews:
            return "No environment is changed: there is nothing to comment on."
        asked("POST", self.comments, self.headers, body)
        return "The comment is written."

    def own_text(self) -> str | None:
        """The comment that is there; None where there is none.

        Raises:
            OperationError: the server refuses, or cannot be reached.
        """
        own, text = self._own()
        return None if own is None else text

    def _own(self) -> tuple[int | None, str]:
        page = 1
        while listed := asked("GET", f"{self.comments}?per_page={_PAGE}&page={page}", self.headers):
            for each in listed:
                author = each.get("user") or each.get("author") or {}
                is_ours = author.get(self.author_field) == self.author
                text = str(each.get("body"))
                if is_ours and text.startswith(MARKER):
                    return int(each["id"]), text
            page += 1
        return None, ""


def comment_body(previews: Sequence[str]) -> str:
    """The comment for these previews, each Markdown; those that are too long lose their ends."""
    share = (MOST_CHARACTERS - len(MARKER)) // max(len(previews), 1)
    parts = [each if len(each) <= share else _cut(each, share) for each in previews]
    return "\n".join([MARKER, *(parts or ["No environment is changed."])])


def _cut(text: str, most: int) -> str:
    note = "\n\n… and more, in the job's own output.\n"
    return text[: most - len(note) - 1] + note
