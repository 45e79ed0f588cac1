"""`mesh-trust preview` and the policy pack with the real engine, and what pipelines run of them."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hvac.exceptions import Forbidden

from lab.directory import CHECKOUT
from lab.lab import Lab
from tests.background import in_background
from tests.program.inventory import vault_client
from tests.program.program import Program, clusters
from tests.program.token_policy import hcl_of, limited_token, rules
from tests.token_issuer import TokenIssuer

from .command import MeshTrust, Told
from .put_back import put_back

PAGE = "docs/preview-in-ci.md"
ROLE = "auth/kube-east-mesh-auth/role/gen-int-ca-istio-east-mesh"
RULES = (
    *("--policy-pack", str(CHECKOUT / "policy")),
    *("--policy-pack-config", str(CHECKOUT / "policy" / "dev.json")),
)
WRITES = (
    ROLE,
    "auth/kube-east-mesh-auth/config",
    "sys/policies/acl/gen-int-ca-istio-east-mesh",
    "sys/mounts/pki_new",
    "sys/auth/kube-new-mesh-auth",
    "pki/config/issuers",
    "pki/root/sign-intermediate",
    "pki_int_east/intermediate/generate/exported",
)
BAD = {"tokenTtlSeconds": 86400, "policy": "guide", "clusters": clusters("east")}


@pytest.fixture(autouse=True)
def as_committed(program: Program) -> Iterator[None]:
    yield
    program.configure_as_committed()


@pytest.fixture
def canaries(deployed: Program) -> list[str]:
    """Secrets of the stack, none of which anything may show."""
    found = [deployed.secret_outputs()["administrator"]["password"]]
    for each in deployed.state(show_secrets=True)["deployment"]["resources"]:
        outputs = each.get("outputs", {})
        for name in ("privateKeyPem", "tokenReviewerJwt", "result"):
            value = outputs.get(name)
            text = value.get("plaintext", "") if isinstance(value, dict) else value or ""
            # A key's second line: its first is that of any key.
            found += [json.loads(text)] if text.startswith('"') else [text] if text else []
    secrets = [max(each.splitlines(), key=len) for each in found]
    assert len(secrets) > 3
    assert min(map(len, secrets)) > 20
    return secrets


def shows_none(told: Told, canaries: list[str]) -> None:
    for each in canaries:
        assert each not in told.output + told.errors


@pytest.mark.usefixtures("deployed")
def test_nothing_to_change_and_rules_that_hold(mesh_trust: MeshTrust) -> None:
    told = mesh_trust.run("preview", "--markdown", "--refresh", "--expect-no-changes", *RULES)
    assert told.exit_code == 0, told.errors
    assert told.output.startswith("### `dev`: no changes\n")
    # Of a development stack's CAs, as policy/dev.json has it.
    assert "advisory, `ca-protected`, `root-pki-mount`" in told.output
    assert "mandatory" not in told.output


def test_a_change_that_breaks_rules(
    deployed: Program, mesh_trust: MeshTrust, canaries: list[str]
) -> None:
    deployed.configure(**BAD)

    told = mesh_trust.run("preview", "--json", *RULES)

    assert told.exit_code == 1, told.errors
    assert {
        (each["rule"], each["urn"].rpartition("::")[2])
        for each in told.document["violations"]
        if each["level"] == "mandatory"
    } == {
        ("token-lifetimes", "east-auth-role"),
        ("vault-policy-wildcards", "east-intermediate-policy"),
    }
    said = " ".join(each["message"] for each in told.document["violations"])
    assert "lower it (mesh-trust:tokenTtlSeconds), or raise maximumSeconds" in said
    shows_none(told, canaries)

    # Without the rules it is a change as any other.
    plain = mesh_trust.run("preview", "--markdown")
    assert plain.exit_code == 0, plain.errors
    heading, _, rest = plain.output.partition("\n")
    assert heading == "### `dev`: 3 to update, 13 to delete"
    assert "| `tokenTtl` | `3600` | `86400` |" in rest
    assert "**delete** AuthBackend `west-auth-mount` (cluster west)" in rest
    assert '+path "pki_int_east/*" {' in rest
    shows_none(plain, canaries)


@pytest.mark.soak
def test_bounds_of_rules_are_configured(
    deployed: Program, mesh_trust: MeshTrust, tmp_path: Path
) -> None:
    deployed.configure(tokenTtlSeconds=86400)
    config = json.loads((CHECKOUT / "policy" / "dev.json").read_text())
    looser = tmp_path / "looser.json"
    looser.write_text(json.dumps({**config, "token-lifetimes": {"maximumSeconds": 86400}}))
    told = mesh_trust.run("preview", "--json", *RULES[:3], str(looser))
    assert told.exit_code == 0, told.output + told.errors
    assert told.document["counts"] == {"update": 2}


@put_back
def token_ttl(lab: Lab, seconds: int) -> Iterator[None]:
    """The role of cluster east has another lifetime than the program has given it."""
    vault = vault_client(lab)
    before = vault.read(ROLE)["data"]
    vault.write_data(ROLE, data={**before, "token_ttl": seconds})
    yield
    vault.write_data(ROLE, data=before)


def test_drift_is_seen_with_a_token_that_can_only_look(
    deployed: Program, mesh_trust: MeshTrust, lab: Lab
) -> None:
    with token_ttl(lab, 500), limited_token(deployed, hcl_of(PAGE)):
        told = mesh_trust.run("preview", "--json", "--refresh", "--expect-no-changes")
        assert told.exit_code == 1, told.errors
        assert told.document["failed"] is False, told.document["diagnostics"]
        [change] = told.document["changes"]
        assert (change["name"], change["touches"]) == ("east-auth-role", "role")
        assert change["differences"] == [
            {"path": "tokenTtl", "before": "500", "after": "3600", "forcesReplacement": False}
        ]
        # Nor is there anything that it keeps `verify` from looking at.
        assert mesh_trust.run("verify", "--json").those("unknown") == set()
        vault = vault_client(lab)
        vault.token = deployed.vault_token
        for path in WRITES:
            with pytest.raises(Forbidden):
                vault.write_data(path, data={"type": "pki", "policy": "", "token_ttl": 1})


def test_a_preview_that_fails(deployed: Program, mesh_trust: MeshTrust) -> None:
    deployed.configure(rootReplaces="yes")
    told = mesh_trust.run("preview", "--markdown")
    assert told.exit_code == 1
    assert told.output.startswith("### `dev`: the preview **failed**\n")
    assert "error: rootReplaces: 'yes' is not valid; use the 64" in told.output
    missing = mesh_trust.run("--stack", "nosuch", "preview")
    assert missing.exit_code == 2
    assert "Error: pulumi has made no preview: no stack named 'nosuch' found" in missing.errors


def pipeline_steps(workflow: str, *names: str) -> list[str]:
    """What steps of a workflow of ours run, in order."""
    jobs = yaml.safe_load((CHECKOUT / "ci" / "github" / workflow).read_text())["jobs"]
    found = {
        step["name"]: step["run"]
        for job in jobs.values()
        for step in job["steps"]
        if "name" in step
    }
    return [found[each] for each in names]


def pipeline_environment(mesh_trust: MeshTrust, **more: str) -> dict[str, str]:
    """What a job's shell has: the lab's `pulumi` works with the committed configuration."""
    return {**mesh_trust.environment(), "ENVIRONMENT": "dev", **more}


def run_step(
    step: str, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """As a runner runs it."""
    return subprocess.run(
        ["bash", "-e", "-c", step],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """A checkout in which a job can leave files."""
    folder = tmp_path / "job"
    folder.mkdir()
    installed = folder / ".venv"
    installed.mkdir()
    # What is installed is not to be brought up to date here.
    for source, target in ((CHECKOUT, folder), (CHECKOUT / ".venv", installed)):
        for each in source.iterdir():
            if each.name not in (".venv", ".installed"):
                (target / each.name).symlink_to(each)
    (installed / ".installed").touch()
    return folder


@dataclass
class JobOnGitHub:
    """What a job on GitHub Actions is to Vault."""

    claims: dict[str, str]
    variables: Mapping[str, str]


@pytest.fixture
def on_github(lab: Lab) -> Iterator[JobOnGitHub]:
    """Roles as docs/preview-in-ci.md has them, and who gives a job its identity for them."""
    vault, issuer = vault_client(lab), TokenIssuer()
    job = JobOnGitHub({}, {})
    vault.sys.enable_auth_method("jwt", path="jwt-github")
    vault.auth.jwt.configure(jwt_validation_pubkeys=[issuer.public_key_pem], path="jwt-github")
    for name, policy, claims in (
        ("preview", hcl_of(PAGE), {"repository": "o/r"}),
        ("update", rules(), {"sub": "repo:o/r:environment:dev", "ref": "refs/heads/main"}),
    ):
        vault.sys.create_or_update_policy(f"pipeline-{name}", "\n".join(policy))
        vault.auth.jwt.create_role(
            name=f"mesh-trust-{name}-dev",
            role_type="jwt",
            allowed_redirect_uris=[],
            user_claim="sub",
            bound_audiences=["mesh-trust-dev"],
            bound_claims=claims,
            token_policies=[f"pipeline-{name}"],
            token_ttl=1200,
            path="jwt-github",
        )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            [audience] = parse_qs(urlsplit(self.path).query)["audience"]
            now = int(time.time())
            times = {"iat": now, "nbf": now - 60, "exp": now + 600}
            token = issuer.token({"aud": audience, **times, **job.claims})
            body = json.dumps({"value": token}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    job.variables = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"http://127.0.0.1:{server.server_port}/?api=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        "NO_PROXY": "127.0.0.1",
    }
    with in_background(server):
        yield job
    vault.sys.disable_auth_method("jwt-github")
    for name in ("preview", "update"):
        vault.sys.delete_policy(f"pipeline-{name}")


@pytest.mark.soak
@pytest.mark.timeout(1200)  # seven steps, each with an engine of its own
def test_steps_of_the_pipelines(
    deployed: Program,
    mesh_trust: MeshTrust,
    job: Path,
    lab: Lab,
    canaries: list[str],
    on_github: JobOnGitHub,
) -> None:
    summary, outputs = job / "summary.md", job / "outputs"
    files = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(outputs)}
    environment = pipeline_environment(mesh_trust, **files, **on_github.variables)
    # Nothing of these is there on a runner.
    environment["VAULT_TOKEN"] = ""
    of_a_branch = {"repository": "o/r", "sub": "repo:o/r:pull_request", "ref": "refs/pull/1/merge"}
    on_github.claims = of_a_branch
    [preview] = pipeline_steps("preview.yml", "Preview")
    done = run_step(preview, job, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (job / "preview-dev.md").read_text().startswith("### `dev`: no changes\n")

    drift, verify = pipeline_steps("drift.yml", "Drift", "Verify")
    plan, update = pipeline_steps("environment.yml", "Plan", "Update")
    assert run_step(drift, job, environment).returncode == 0
    # With no Gloo there is something to find; of Vault it sees all.
    seen = " ".join(run_step(verify, job, environment).stdout.split())
    assert "default, pipeline-preview" in seen
    assert " unknown " not in seen
    assert run_step(plan, job, environment).returncode == 0
    assert "changes=true" not in outputs.read_text()
    assert not (job / "dev.plan").exists()
    without = run_step("make ci-up STACK=dev PLAN=dev.plan", job, environment)
    assert (without.returncode, "PLAN names no file" in without.stderr) == (2, True)

    with token_ttl(lab, 500):
        assert run_step(drift, job, environment).returncode != 0
        assert "| `tokenTtl` | `500` | `3600` |" in summary.read_text()
        # Seen, it is what an update changes.
        deployed.run("refresh", "--yes", "--skip-preview")
        done = run_step(plan, job, environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "changes=true" in outputs.read_text().splitlines()
        planned = (job / "dev.plan").read_text()
        for each in canaries:
            assert each not in planned
        # A job that was agreed to, of another branch; one of the branch that was not.
        agreed = {"sub": "repo:o/r:environment:dev", "ref": "refs/heads/main"}
        for wrong in (
            {**of_a_branch, "sub": agreed["sub"]},
            {**of_a_branch, "ref": agreed["ref"]},
        ):
            on_github.claims = wrong
            refused = run_step(update, job, environment)
            assert refused.returncode != 0
            assert "role 'mesh-trust-update-dev' is refused" in refused.stderr
        assert vault_client(lab).read(ROLE)["data"]["token_ttl"] == 500
        on_github.claims = {**of_a_branch, **agreed}
        done = run_step(update, job, environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert vault_client(lab).read(ROLE)["data"]["token_ttl"] == 3600


@pytest.mark.soak
def test_an_update_does_not_go_beyond_its_plan(
    deployed: Program, mesh_trust: MeshTrust, tmp_path: Path, lab: Lab
) -> None:
    plan = tmp_path / "dev.plan"
    deployed.configure(tokenTtlSeconds=3000)
    assert mesh_trust.run("preview", "--save-plan", str(plan)).exit_code == 0
    # What was agreed to is one lifetime, and what is merged another.
    deployed.configure(tokenTtlSeconds=2000)
    os.environ["PULUMI_EXPERIMENTAL"] = "true"
    try:
        refused = deployed.attempt("up", "--yes", "--skip-preview", "--plan", str(plan))
        assert refused.exit_code != 0
        assert "violates plan" in refused.output
        assert vault_client(lab).read(ROLE)["data"]["token_ttl"] == 3600
    finally:
        del os.environ["PULUMI_EXPERIMENTAL"]


@pytest.fixture
def jwt_login(lab: Lab) -> Iterator[Mapping[str, Any]]:
    """A JWT auth mount as docs/preview-in-ci.md has it, and a token of a pipeline's for it."""
    vault, issuer = vault_client(lab), TokenIssuer()
    vault.sys.enable_auth_method("jwt", path="jwt-gitlab")
    vault.auth.jwt.configure(jwt_validation_pubkeys=[issuer.public_key_pem], path="jwt-gitlab")
    vault.auth.jwt.create_role(
        name="preview",
        role_type="jwt",
        allowed_redirect_uris=[],
        user_claim="sub",
        bound_audiences=["vault"],
        bound_claims={"ref_protected": "true"},
        token_policies=["default"],
        token_ttl=600,
        path="jwt-gitlab",
    )
    now = int(time.time())
    times = {"iat": now, "nbf": now - 60, "exp": now + 600}
    claims = {"sub": "job", "aud": "vault", "ref_protected": "true", **times}
    other = {**claims, "ref_protected": "false"}
    yield {"jwt": issuer.token(claims), "other": issuer.token(other)}
    vault.sys.disable_auth_method("jwt-gitlab")


def test_a_command_with_a_token_of_vault_s(
    lab: Lab, mesh_trust: MeshTrust, jwt_login: Mapping[str, Any]
) -> None:
    login = ("ci", "with-vault", "--mount", "jwt-gitlab", "--role", "preview", "--")
    given = {"VAULT_ID_TOKEN": jwt_login["jwt"], "VAULT_TOKEN": ""}
    told = mesh_trust.run(*login, "sh", "-c", 'echo "$VAULT_TOKEN"; exit 7', environment=given)
    assert told.exit_code == 7, told.errors
    token = told.output.strip()
    assert token.startswith("hvs.")
    # It is given back.
    vault = vault_client(lab)
    vault.token = token
    assert not vault.is_authenticated()

    given["VAULT_ID_TOKEN"] = jwt_login["other"]
    refused = mesh_trust.run(*login, "true", environment=given)
    assert refused.exit_code == 2
    assert "auth/jwt-gitlab, role 'preview' is refused" in refused.errors
    assert jwt_login["other"] not in refused.errors
    given["VAULT_ID_TOKEN"] = jwt_login["jwt"]
    absent = mesh_trust.run(*login, "nosuch-command", environment=given)
    assert (absent.exit_code, "there is no command" in absent.errors) == (2, True)
