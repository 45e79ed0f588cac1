"""Commands of the pages that are run by other tests, or can be run by none."""

from .told import NotRun, RunBy

_INIT = "tests/operations/vault/test_init.py"
_BACKUP = "tests/operations/vault/test_backup.py"
_NODES = "tests/nodes/test_rotate.py::test_killed_and_gone_on_with_until_all_is_new"
_PIPELINES = "tests/operations/test_preview.py::test_steps_of_the_pipelines"
_TRUST = "tests/nodes/test_vault_servers.py"
_MAKE = "tests/docs/test_make.py::test_what_the_readme_begins_with"

ELSEWHERE: dict[tuple[str, str], RunBy | NotRun] = {
    **{
        ("README.md", f"make {target}"): RunBy(_MAKE, (target,))
        for target in ("up", "status", "preview", "verify", "tools", "down", "clean-lab")
    },
    ("README.md", "make bench"): RunBy(
        "tests/bench/test_run.py::test_one_cluster_is_measured", ("bench",)
    ),
    ("README.md", "make test"): NotRun("it is what runs these tests; CI runs it"),
    ("README.md", "make soak"): NotRun("it is what runs these tests"),
    (
        "README.md",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
    ): NotRun("a minute's work for a package index; `make` installs the same, by the same pip"),
    ("README.md", "export VAULT_TOKEN=…"): RunBy(
        "tests/docs/test_on_a_lab.py::test_the_commands_of_the_pages", ("VAULT_TOKEN",)
    ),
    (
        "agent-permissions.md",
        "helm upgrade -n gloo-mesh gloo-agent gloo-platform/gloo-platform --version 2.5.13"
        " --reset-then-reuse-values \\\n--set glooAgent.istiodSidecar.createRoleBinding=false",
    ): RunBy(
        "tests/agents/test_agent_release.py::test_a_release_is_taken_over_and_goes_on",
        ("--reset-then-reuse-values", "createRoleBinding", "upgrade"),
    ),
    (
        "agent-permissions.md",
        "pulumi import kubernetes:helm.sh/v3:Release <name>-release gloo-mesh/gloo-agent"
        " --parent … --provider …",
    ): RunBy(
        "tests/agents/test_agent_release.py::test_without_a_kubeconfig_helm_itself_refuses",
        ("import", "kubernetes:helm.sh/v3:Release", "gloo-mesh/gloo-agent"),
    ),
    (
        "existing-setup.md",
        "pulumi import --stack $stack --yes --protect=false --generate-code=false \\\n"
        '--parent "trust=urn:pulumi:$stack::mesh-trust::mesh-trust:index:ClusterTrust'
        '\\$mesh-trust:index:RootTrustPolicy::$cluster-trust" \\\n'
        '--provider "cluster=urn:pulumi:$stack::mesh-trust::pulumi:providers:kubernetes::$cluster"'
        " \\\n"
        "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy $cluster-trust-policy gloo-mesh/$cluster",
    ): RunBy(
        "tests/program/test_move.py::test_clusters_move_to_a_new_vault_one_after_the_other",
        ("pulumi import",),
    ),
    (
        "other-languages.md",
        "pulumi package add <git repository of this project>/package@v0.1.0",
    ): NotRun("the repository is nowhere that the engine could clone it from; a path is tested"),
    ("policy-pack.md", "make preview"): RunBy(_MAKE, ("preview",)),
    (
        "policy-pack.md",
        ".venv/bin/pip install --no-deps -r policy/requirements.txt",
    ): NotRun("needs a package index; the Makefile has the same line"),
    (
        "preview-in-ci.md",
        "mesh-trust ci environments --changed-since origin/main --without dev",
    ): RunBy(
        "tests/unit/test_ci.py::test_all_environments_but_one",
        ("environments", "--without"),
    ),
    ("preview-in-ci.md", "make ci-preview STACK=prod"): RunBy(_PIPELINES, ("preview",)),
    ("preview-in-ci.md", "make ci-preview STACK=prod PLAN=prod.plan"): RunBy(
        _PIPELINES, ("plan", "PLAN")
    ),
    ("preview-in-ci.md", "make ci-up STACK=prod PLAN=prod.plan"): RunBy(_PIPELINES, ("PLAN",)),
    ("preview-in-ci.md", "make ci-drift STACK=prod"): RunBy(_PIPELINES, ("drift",)),
    ("preview-in-ci.md", "mesh-trust ci comment --github 17 preview-prod.md"): RunBy(
        "tests/unit/test_ci.py::test_one_comment_is_kept_up_to_date", ("comment", "--github")
    ),
    ("preview-in-ci.md", "mesh-trust ci compare --github 8d5f2c1 plan-prod.md"): RunBy(
        "tests/unit/test_ci.py::test_a_plan_is_compared_with_what_the_request_has_shown",
        ("compare", "--github"),
    ),
    (
        "preview-in-ci.md",
        "vault write auth/jwt-github/config"
        " oidc_discovery_url=https://token.actions.githubusercontent.com \\\n"
        "bound_issuer=https://token.actions.githubusercontent.com",
    ): NotRun("Vault asks GitHub at once, which cannot be reached from the tests"),
    (
        "root-rotation.md",
        "mesh-trust rotate plan --json |\n"
        "jq -r '.leftovers[] | \"\\(.mount)/revoke serial_number=\\(.serial)\"' |\n"
        "xargs -r -L 1 vault write",
    ): RunBy(
        "tests/nodes/test_root_rotation.py::test_the_root_is_rotated_and_no_handshake_fails",
        ("plan", "leftovers", "serial"),
    ),
    ("rotate-intermediates.md", "mesh-trust rotate intermediates"): RunBy(
        _NODES, ("rotate", "intermediates")
    ),
    (
        "rotate-intermediates.md",
        "mesh-trust rotate intermediates --restart-apps --namespace shop --namespace books",
    ): RunBy(_NODES, ("--restart-apps", "--namespace")),
    (
        "rotate-intermediates.md",
        "mesh-trust rotate intermediates --restart-apps --selector team=shop",
    ): RunBy(
        "tests/operations/test_rotate.py::test_what_is_asked_for_wrongly_is_refused_in_a_line",
        ("--selector",),
    ),
    ("vault-backup.md", "export VAULT_TOKEN=…"): RunBy(
        f"{_BACKUP}::test_a_vault_is_set_back", ("token",)
    ),
    (
        "vault-backup.md",
        "mesh-trust vault snapshot --context mgmt --ca-file ca.crt"
        " --snapshot-file vault-2026-11-28.snap",
    ): RunBy(f"{_BACKUP}::test_a_vault_is_set_back", ("snapshot", "--snapshot-file")),
    (
        "vault-backup.md",
        "mesh-trust vault restore --context mgmt --ca-file ca.crt"
        " --snapshot-file vault-2026-11-28.snap",
    ): RunBy(f"{_BACKUP}::test_a_vault_is_set_back", ("restore", "--snapshot-file")),
    (
        "vault-backup.md",
        "mesh-trust vault restore --context mgmt --ca-file ca.crt \\\n"
        "--snapshot-file vault-2026-11-28.snap --keys-file vault-keys.age"
        " --age-identity identity.txt",
    ): RunBy(
        f"{_BACKUP}::test_all_servers_are_lost", ("restore", "--snapshot-file", "--keys-file")
    ),
    (
        "vault-init.md",
        "mesh-trust vault init --ca-file ca.crt \\\n"
        "--address https://vault-0.example.com:8200 --address https://vault-1.example.com:8200"
        " --address https://vault-2.example.com:8200 \\\n"
        "--age-recipient age1… --keys-file vault-keys.age --token-file stack-token",
    ): RunBy(f"{_INIT}::test_keys_for_age_recipients", ("--age-recipient", "--keys-file")),
    (
        "vault-init.md",
        "mesh-trust vault init --context mgmt --ca-file ca.crt --age-recipient age1…"
        " --keys-file vault-keys.age --token-file stack-token",
    ): RunBy("tests/operations/vault/test_pods.py::test_a_pod_is_set_up", ("init", "--context")),
    (
        "vault-init.md",
        "jq -r '.keys[0]' vault-keys.json | base64 -d | gpg -d | mesh-trust vault unseal"
        " --ca-file ca.crt --address https://vault-0.example.com:8200",
    ): RunBy(f"{_INIT}::test_keys_for_pgp_keys", ("unseal", "keys")),
    (
        "vault-init.md",
        "mesh-trust vault rotate-admin-token --ca-file ca.crt"
        " --address https://vault-0.example.com:8200 --token-file stack-token",
    ): RunBy(
        "tests/operations/vault/test_tokens.py::test_a_token_is_renewed",
        ("rotate-admin-token", "--token-file"),
    ),
    ("vault-policies.md", "vault login -method=userpass username=admin"): RunBy(
        "tests/program/test_administrator.py::test_the_login", ("userpass", "login")
    ),
    ("vault-servers.md", "pulumi stack init prod-vault --secrets-provider passphrase"): RunBy(
        f"{_TRUST}::test_three_servers_come_up_and_what_people_have_to_do_is_told",
        ("stack", "init"),
    ),
    ("vault-servers.md", "pulumi up --stack prod-vault"): RunBy(
        f"{_TRUST}::test_three_servers_come_up_and_what_people_have_to_do_is_told", ("up",)
    ),
    (
        "vault-servers.md",
        "mesh-trust --stack prod-vault vault init --age-recipient age1…"
        " --keys-file vault-keys.age --token-file stack-token",
    ): RunBy(
        f"{_TRUST}::test_three_servers_come_up_and_what_people_have_to_do_is_told",
        ("--stack", "vault init"),
    ),
    ("vault-servers.md", 'export VAULT_TOKEN="$(cat stack-token)"'): RunBy(
        f"{_TRUST}::test_once_initialised_nothing_is_to_be_done_and_the_trust_can_be_set_up",
        ("TOKEN",),
    ),
    (
        "reuse.md",
        'pip install "mesh-trust @ git+https://<this repository>@v0.1.0"',
    ): RunBy("tests/package/test_wheel.py::test_pip_takes_the_repository", ("install", "git+")),
    ("verify.md", "mesh-trust verify [--handshake] [--json]"): RunBy(
        "tests/operations/test_verify.py::test_a_handshake_is_made_and_cleaned_up_after",
        ("verify", "--handshake", "--json"),
    ),
    ("leaving.md", "pulumi stack rm prod"): RunBy(
        "tests/docs/test_on_a_lab.py::test_the_commands_of_the_pages", ("stack", "rm", "prod")
    ),
}
