"""What a pipeline asks: environments by git's own word, and one comment by a server's."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mesh_trust.operations.ci.comment import MARKER, MOST_CHARACTERS, comment_body
from mesh_trust.operations.command import main
from tests.background import in_background

OURS = "github-actions[bot]"


def run(*arguments: str, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), env=environment)


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with three environments, in a repository, on a branch of its own."""
    folder = tmp_path / "project"
    for name in ("docs", "components"):
        (folder / name).mkdir(parents=True)
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.eu.yaml", "Pulumi.us-1.yaml"):
        (folder / name).write_text("a: 1\n")
    for name in ("__main__.py", "README.md", "docs/x.yaml", "components/c.py"):
        (folder / name).write_text("x\n")
    git(folder, "init", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    git(folder, "checkout", "-b", "change")
    return folder


def changed(project: Path, *names: str) -> None:
    for name in names:
        (project / name).write_text("changed\n")
    git(project, "add", ".")
    git(project, "commit", "-m", "change")


def environments(project: Path, *arguments: str) -> Any:
    done = run("--cwd", str(project), "ci", "environments", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Pulumi.eu.yaml"], ["eu"]),
        (["Pulumi.eu.yaml", "Pulumi.us-1.yaml"], ["eu", "us-1"]),
        (["__main__.py"], ["dev", "eu", "us-1"]),
        (["components/c.py"], ["dev", "eu", "us-1"]),
        (["Pulumi.yaml"], ["dev", "eu", "us-1"]),
        (["vault-ca.pem"], ["dev", "eu", "us-1"]),
        (["README.md", "docs/x.yaml"], []),
        (["Pulumi.new.yaml"], ["new"]),
    ],
)
def test_environments_that_a_change_is_about(
    project: Path, names: list[str], expected: list[str]
) -> None:
    changed(project, *names)
    assert environments(project, "--changed-since", "main") == expected


def test_all_environments_but_one(project: Path) -> None:
    assert environments(project) == ["dev", "eu", "us-1"]
    assert environments(project, "--without", "dev") == ["eu", "us-1"]
    done = run("--cwd", str(project), "ci", "environments", "--without", "prod")
    assert (done.exit_code, "there is no Pulumi.prod.yaml" in done.output) == (2, True)


OF_VAULT = "config:\n  mesh-trust:vaultInstall: {mode: ha}\n"


@pytest.mark.parametrize(
    ("configuration", "first"),
    [
        (OF_VAULT, ["us-1"]),
        (OF_VAULT.replace("ha", "standalone"), ["us-1"]),
        (OF_VAULT.replace("ha", "dev"), []),
        (OF_VAULT.replace("{mode: ha}", "true"), []),
        # Nobody else reads another's keys, nor one without a namespace.
        (OF_VAULT.replace("mesh-trust", "other-name"), []),
        (OF_VAULT.replace("mesh-trust:", ""), []),
        ("config:\n  mesh-trust:vaultStack: us-1\n", []),
        ("config: null\n", []),
        ("", []),
    ],
)
def test_a_vault_comes_before_what_stands_in_it(
    project: Path, configuration: str, first: list[str]
) -> None:
    (project / "Pulumi.us-1.yaml").write_text(configuration)
    git(project, "commit", "--all", "--message", "x")
    rest = [each for each in ("dev", "eu", "us-1") if each not in first]
    assert environments(project, "--of-vault") == first
    assert environments(project, "--not-of-vault") == rest
    assert environments(project) == [*first, *rest]
    changed(project, "__main__.py")
    since = ("--changed-since", "HEAD~1")
    assert environments(project, *since, "--without", "dev") == [*first, *rest[1:]]


def test_a_configuration_that_is_none(project: Path) -> None:
    (project / "Pulumi.eu.yaml").write_text("config: [")
    done = run("--cwd", str(project), "ci", "environments")
    assert (done.exit_code, "Pulumi.eu.yaml is not YAML" in done.output) == (2, True)


def test_what_main_has_changed_meanwhile_is_not_the_branch_s(project: Path) -> None:
    changed(project, "Pulumi.eu.yaml")
    git(project, "checkout", "main")
    changed(project, "__main__.py")
    git(project, "checkout", "change")
    assert environments(project, "--changed-since", "main") == ["eu"]


def test_a_project_in_a_folder_of_the_repository(project: Path) -> None:
    git(project, "mv", "-k", "docs", "other")
    inner = project / "inner"
    inner.mkdir()
    git(project, "mv", "Pulumi.yaml", "Pulumi.eu.yaml", "inner")
    git(project, "commit", "-m", "moved")
    git(project, "branch", "--force", "main", "HEAD")
    changed(project, "inner/Pulumi.eu.yaml")
    assert environments(inner, "--changed-since", "main") == ["eu"]
    changed(project, "__main__.py")
    assert environments(inner, "--changed-since", "HEAD~1") == []


def test_an_environment_that_goes_is_named(project: Path) -> None:
    git(project, "rm", "Pulumi.eu.yaml")
    git(project, "commit", "-m", "gone")
    done = run("--cwd", str(project), "ci", "environments", "--changed-since", "main")
    assert json.loads(done.stdout) == []
    assert "Pulumi.eu.yaml is gone" in done.stderr


@pytest.mark.parametrize("reference", ["nosuch", "--output=x"])
def test_a_reference_that_is_none(project: Path, reference: str) -> None:
    done = run("--cwd", str(project), "ci", "environments", f"--changed-since={reference}")
    assert done.exit_code == 2
    assert f"--changed-since: {reference!r} cannot be compared with" in done.output
    assert not (project / "x").exists()


def test_no_project(tmp_path: Path) -> None:
    done = run("--cwd", str(tmp_path), "ci", "environments")
    assert (done.exit_code, "has no Pulumi.yaml" in done.output) == (2, True)


@dataclass
class Forge:
    """A server that keeps comments as GitHub and GitLab do, as far as they are documented."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    merged: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Requests by the end of the path that lists those of a commit."""
    token: str = "t0ken"
    address: str = ""

    def add(self, author: str, body: str) -> None:
        name = {"login": author, "username": author}
        own = {"id": len(self.comments) + 1, "body": body, "user": name, "author": name}
        self.comments.append(own)

    def github(self) -> dict[str, str]:
        return {
            "GITHUB_API_URL": self.address,
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_TOKEN": self.token,
        }

    def gitlab(self) -> dict[str, str]:
        return {"CI_API_V4_URL": self.address, "CI_PROJECT_ID": "7", "GITLAB_TOKEN": self.token}


@pytest.fixture
def forge() -> Iterator[Forge]:
    forge = Forge()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            for end, merged in forge.merged.items():
                if path.endswith(end):
                    self.answer(merged)
                    return
            page = int(query.rpartition("=")[2] or 1)
            listed = forge.comments[(page - 1) * 100 : page * 100]
            self.answer({"username": OURS} if path == "/user" else listed)

        def do_POST(self) -> None:
            forge.add(OURS, self.body())
            self.answer(forge.comments[-1], 201)

        def do_PATCH(self) -> None:
            number = int(self.path.rpartition("/")[2])
            forge.comments[number - 1]["body"] = self.body()
            self.answer(forge.comments[number - 1])

        do_PUT = do_PATCH  # noqa: N815 - the name is the server's

        def body(self) -> str:
            length = int(self.headers["Content-Length"])
            return str(json.loads(self.rfile.read(length))["body"])

        def answer(self, document: Any, status: int = 200) -> None:
            forge.requests.append((self.command, self.path.partition("?")[0]))
            allowed = (f"Bearer {forge.token}", None), (None, forge.token)
            if (self.headers["Authorization"], self.headers["PRIVATE-TOKEN"]) not in allowed:
                status, document = 403, {"message": "Forbidden"}
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.address = f"http://127.0.0.1:{server.server_port}"
    with in_background(server):
        yield forge


@pytest.fixture
def preview(tmp_path: Path) -> Path:
    path = tmp_path / "preview-eu.md"
    path.write_text("### `eu`: no changes\n")
    return path


@pytest.mark.parametrize(
    ("option", "comments", "replacing"),
    [
        ("--github", "/repos/o/r/issues/5/comments", ("PATCH", "/repos/o/r/issues/comments/103")),
        (
            "--gitlab",
            "/projects/7/merge_requests/5/notes",
            ("PUT", "/projects/7/merge_requests/5/notes/103"),
        ),
    ],
)
def test_one_comment_is_kept_up_to_date(
    forge: Forge, preview: Path, option: str, comments: str, replacing: tuple[str, str]
) -> None:
    environment = forge.github() if option == "--github" else forge.gitlab()
    # Ours is on the second page, and somebody else has written our marker.
    forge.add("mallory", f"{MARKER}\nall is well")
    for _ in range(101):
        forge.add(OURS, "something else")
    first = run("ci", "comment", option, "5", str(preview), environment=environment)
    assert (first.exit_code, first.output) == (0, "The comment is written.\n")
    assert ("POST", comments) in forge.requests
    assert forge.comments[-1]["body"] == f"{MARKER}\n### `eu`: no changes\n"

    preview.write_text("### `eu`: 1 to update\n")
    second = run("ci", "comment", option, "5", str(preview), environment=environment)
    assert (second.exit_code, second.output) == (0, "The comment is written anew.\n")
    assert replacing in forge.requests
    assert len(forge.comments) == 103
    assert "1 to update" in forge.comments[-1]["body"]
    assert forge.comments[0]["body"].endswith("all is well")

    # No environment is changed any more, which the comment that is there has to say.
    third = run("ci", "comment", option, "5", environment=environment)
    assert third.exit_code == 0
    assert "No environment is changed." in forge.comments[-1]["body"]


@pytest.mark.parametrize(
    ("option", "listed", "number", "name"),
    [
        ("--github", "/repos/o/r/commits/c0ffee/pulls", "number", "#5"),
        ("--gitlab", "/projects/7/repository/commits/c0ffee/merge_requests", "iid", "!5"),
    ],
)
def test_a_plan_is_compared_with_what_the_request_has_shown(
    forge: Forge, preview: Path, option: str, listed: str, number: str, name: str
) -> None:
    environment = forge.github() if option == "--github" else forge.gitlab()
    forge.merged[listed] = [
        {number: 4, "merged_at": None},
        {number: 5, "merged_at": "2026-01-01T00:00:00Z"},
    ]
    preview.write_text("### `eu`: 1 to update\n\n| a | b |\n")
    other = preview.with_name("preview-us.md")
    other.write_text("### `us`: 2 to delete\n")
    run("ci", "comment", option, "5", str(preview), str(other), environment=environment)
    # As forges may keep it.
    forge.comments[0]["body"] = forge.comments[0]["body"].replace("\n", "\r\n")

    def told() -> str:
        done = run("ci", "compare", option, "c0ffee", str(preview), environment=environment)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert told() == f"_This is what the comment on {name} has shown._\n"
    preview.write_text("### `eu`: 1 to update\n\n| a | c |\n")
    assert told().startswith(f"> [!WARNING]\n> **The comment on {name} has not shown this.**")
    # What somebody else has written is no comment of ours.
    forge.add("mallory", f"{MARKER}\n{preview.read_text()}")
    assert "has not shown this" in told()
    forge.merged[listed] = []
    assert "**No request has shown this.**" in told()
    assert "#" not in told().partition("WARNING")[2]


def test_nothing_is_said_of_nothing(forge: Forge) -> None:
    done = run("ci", "comment", "--github", "5", environment=forge.github())
    assert done.exit_code == 0
    assert forge.comments == []


def test_a_token_that_may_not_is_told_and_not_shown(forge: Forge, preview: Path) -> None:
    environment = {**forge.github(), "GITHUB_TOKEN": "canary-token"}
    done = run("ci", "comment", "--github", "5", str(preview), environment=environment)
    assert done.exit_code == 2
    assert "is refused with 403" in done.output
    assert "canary-token" not in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name the pull request with --github"),
        (("--github", "1", "--gitlab", "1"), "name the pull request with --github"),
        (("--github", "1"), "GITHUB_REPOSITORY is not set"),
        (("--gitlab", "1"), "CI_API_V4_URL is not set"),
    ],
)
def test_comment_without_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    for name in ("GITHUB_REPOSITORY", "CI_API_V4_URL"):
        monkeypatch.delenv(name, raising=False)
    done = run("ci", "comment", *arguments)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_a_preview_that_could_not_be_made_is_told(forge: Forge, preview: Path) -> None:
    other = preview.with_name("preview-us-1.md")
    other.touch()
    files = (str(preview), str(other))
    done = run("ci", "comment", "--github", "5", *files, environment=forge.github())
    assert done.exit_code == 0
    assert forge.comments[0]["body"] == (
        f"{MARKER}\n### `eu`: no changes\n\n"
        "### `us-1`: the preview **could not be made**\n\nIts job says why.\n"
    )


def test_compare_without_what_it_needs(preview: Path) -> None:
    for options in ((), ("--github", "a", "--gitlab", "b")):
        done = run("ci", "compare", *options, str(preview))
        assert (done.exit_code, "name the commit with --github" in done.output) == (2, True)


def test_long_previews_share_the_room_there_is() -> None:
    body = comment_body(["### `a`\n" + "x" * 100_000, "### `b`\n" + "y" * 100_000, "### `c`\nz"])
    assert len(body) <= MOST_CHARACTERS + 3
    assert all(f"### `{each}`" in body for each in "abc")
    assert body.count("and more, in the job's own output") == 2


def test_preview_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    told = Path(__file__).parent / "previews" / "east_changes_west_goes.json"
    command = ["--stack", "prod", "preview", "--markdown"]
    by_file = run(*command, "--from", str(told))
    by_input = CliRunner().invoke(main, [*command, "--from", "-"], input=told.read_text())
    assert (by_file.exit_code, by_file.stdout) == (by_input.exit_code, by_input.stdout)
    assert by_file.stdout.startswith("### `prod`: 3 to update, 13 to delete\n")
    assert run(*command, "--from", str(told), "--expect-no-changes").exit_code == 1
    for wrong in (["--json"], ["--from", str(told), "--refresh"]):
        refused = run(*command, *wrong)
        assert (refused.exit_code, "Error: --" in refused.stderr) == (2, True)
    empty = tmp_path / "empty.json"
    empty.touch()
    done = run(*command, "--from", str(empty))
    assert (done.exit_code, "not a single JSON document" in done.stderr) == (2, True)
