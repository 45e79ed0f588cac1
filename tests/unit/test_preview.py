"""What is made of the engine's JSON; it is a real one of a lab (previews/README.md)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mesh_trust.operations.errors import OperationError
from mesh_trust.operations.preview.document import read_document
from mesh_trust.operations.preview.markdown import as_markdown
from mesh_trust.operations.preview.masking import masked_text
from mesh_trust.operations.preview.summary import Summary, Violation, counts
from mesh_trust.operations.preview.table import as_document
from mesh_trust.operations.preview.trust_touched import Touched

TOLD = (Path(__file__).parent / "previews" / "east_changes_west_goes.json").read_text()
URN = "urn:pulumi:dev::mesh-trust::"
ROLE = f"{URN}vault:kubernetes/authBackendRole:AuthBackendRole::role"
CANARY = "canary-3f9c2b"


def digest(**changes: Any) -> str:
    return json.dumps({**json.loads(TOLD), **changes})


def one_step(operation: str = "update", urn: str = ROLE, **fields: Any) -> str:
    """A preview with a single step."""
    state = {"custom": True, "inputs": {}}
    old = {} if operation == "create" else {"oldState": {**state, **fields.pop("old", {})}}
    new = {} if operation == "delete" else {"newState": {**state, **fields.pop("new", {})}}
    return json.dumps({"steps": [{"op": operation, "urn": urn, **old, **new, **fields}]})


def summed(text: str = TOLD, **options: Any) -> Summary:
    return Summary.of(read_document(text, "test"), **options)


def changing(before: Any, after: Any, path: str = "tokenTtl", urn: str = ROLE) -> str:
    """A preview in which one property of a resource changes."""
    top = path.partition(".")[0]
    return one_step(
        urn=urn,
        old={"inputs": {top: before}},
        new={"inputs": {top: after}},
        detailedDiff={path: {"kind": "update", "inputDiff": False}},
    )


def test_each_change_is_its_cluster_s() -> None:
    summary = summed()

    assert summary.stack == "dev"
    assert summary.owners == ["cluster east", "cluster west", "Vault"]
    assert counts(summary.of_owner("cluster east")) == {"update": 2}
    assert counts(summary.of_owner("cluster west")) == {"delete": 13}
    assert [each.name for each in summary.of_owner("Vault")] == ["administrator-policy"]
    # Its provider, and its components.
    assert summary.provider_changes == 7


def test_clusters_are_told_apart_by_parents_where_their_names_begin_alike() -> None:
    longer = TOLD.replace("::west", "::east-2").replace('"west"', '"east-2"')
    assert summed(longer).owners == ["cluster east", "cluster east-2", "Vault"]


def test_without_what_stays_the_name_tells_whose_it_is() -> None:
    told = json.loads(TOLD)
    steps = [each for each in told["steps"] if each["op"] == "update"]
    summary = summed(digest(steps=steps))
    assert summary.owners == ["cluster east", "Vault"]


@pytest.mark.parametrize(
    ("types", "owner"),
    [
        ("mesh-trust:index:RootCa$tls:index/privateKey:PrivateKey::root-key", "root"),
        ("mesh-trust:index:RootPki$vault:index/mount:Mount::root-pki-mount", "root"),
        ("mesh-trust:index:ClusterCa$vault:index/mount:Mount::east-ca-mount", "cluster east"),
        ("mesh-trust:index:VaultInstall$kubernetes:helm.sh/v3:Release::vault", "Vault"),
        ("kubernetes:core/v1:ConfigMap::east-of-others", "stack"),
    ],
)
def test_owner_of_what_is_in_no_cluster_s_trust(types: str, owner: str) -> None:
    told = json.loads(one_step("create", URN + types))
    told["config"] = {"mesh-trust:clusters": '[{"name": "east"}]'}
    assert summed(json.dumps(told)).owners == [owner]


def test_what_touches_the_trust_is_told_apart() -> None:
    touching = summed().touching
    assert set(touching) == {Touched.POLICY, Touched.ROLE}
    assert {each.name for each in touching[Touched.POLICY]} == {
        "administrator-policy",
        "east-intermediate-policy",
        "west-intermediate-policy",
        "west-trust-policy",
    }
    assert "west-istiod-default-patch" not in {
        each.name for those in touching.values() for each in those
    }


@pytest.mark.parametrize(
    ("urn", "touches"),
    [
        ("mesh-trust:index:RootPki$vault:index/mount:Mount::x", Touched.ROOT),
        ("vault:pkiSecret/secretBackendConfigIssuers:SecretBackendConfigIssuers::x", Touched.ROOT),
        ("vault:index/policy:Policy::x", Touched.POLICY),
        ("vault:jwt/authBackendRole:AuthBackendRole::x", Touched.ROLE),
        ("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole::x", Touched.ROLE),
        ("kubernetes:core/v1:ConfigMap::x", None),
    ],
)
def test_touched_by_type(urn: str, touches: Touched | None) -> None:
    [change] = summed(one_step(urn=URN + urn)).changes
    assert change.touches is touches
    assert summed(one_step("same", URN + urn)).touching == {}


def test_values_before_and_after() -> None:
    role = next(each for each in summed().changes if each.name == "east-auth-role")
    assert [(each.path, each.before, each.after) for each in role.differences] == [
        ("tokenMaxTtl", "3600", "600"),
        ("tokenTtl", "3600", "600"),
    ]


def test_what_the_server_has_is_told_where_only_that_differs() -> None:
    told = one_step(
        old={"inputs": {"tokenTtl": 3600}, "outputs": {"tokenTtl": 500}},
        new={"inputs": {"tokenTtl": 3600}},
        diffReasons=["tokenTtl"],
    )
    [change] = summed(told).changes
    [difference] = change.differences
    assert (difference.before, difference.after) == ("500", "3600")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.config.autoRestartPods", ("false", "true")),
        ('spec["a.b"]', ("x", "y")),
        ("spec.list[1]", ("2", "3")),
        ("spec.list[2]", (None, "4")),
    ],
)
def test_paths_of_properties(path: str, expected: tuple[str | None, str | None]) -> None:
    before = {"config": {"autoRestartPods": False}, "a.b": "x", "list": [1, 2]}
    after = {"config": {"autoRestartPods": True}, "a.b": "y", "list": [1, 3, 4]}
    told = one_step(
        old={"inputs": {"spec": before}},
        new={"inputs": {"spec": after}},
        detailedDiff={path: {"kind": "update", "inputDiff": False}},
    )
    [difference] = summed(told).changes[0].differences
    assert (difference.before, difference.after) == expected


def test_a_replacement_names_what_forces_it() -> None:
    told = one_step(
        "replace",
        old={"inputs": {"path": "pki"}, "protect": True},
        new={"inputs": {"path": "pki-2"}},
        detailedDiff={"path": {"kind": "update-replace", "inputDiff": False}},
        replaceReasons=["path"],
    )
    [change] = summed(told).changes
    assert change.is_protected
    assert change.differences[0].forces_replacement
    text = as_markdown(summed(told))
    assert "**replace** AuthBackendRole `role`, protected" in text
    assert "forces the replacement" in text


def test_the_halves_of_a_replacement_and_a_refresh_are_one_change() -> None:
    steps = [
        *json.loads(one_step("refresh"))["steps"],
        *json.loads(one_step("create-replacement"))["steps"],
        *json.loads(one_step("replace"))["steps"],
        *json.loads(one_step("delete-replaced"))["steps"],
    ]
    summary = summed(json.dumps({"steps": steps}))
    assert counts(summary.changes) == {"replace": 1}
    assert summed(json.dumps({"steps": steps[:1]})).is_empty


def test_nothing_to_change_is_a_line() -> None:
    told = json.loads(TOLD)
    steps = [each for each in told["steps"] if each["op"] == "same"]
    summary = summed(digest(steps=steps))
    assert summary.is_empty
    assert as_markdown(summary) == "### `dev`: no changes\n"
    assert not summed().is_empty


def test_a_failed_preview_gives_its_diagnostics() -> None:
    message = "error: rootReplaces: 'yes' is not valid; use the 64 hexadecimal digits"
    summary = summed(
        json.dumps({"steps": [], "diagnostics": [{"severity": "error", "message": f"{message}\n"}]})
    )
    assert summary.has_failed
    assert not summary.is_empty
    text = as_markdown(summary)
    assert "failed" in text
    assert f"\n{message}\n" in text
    warned = summed(digest(diagnostics=[{"severity": "warning", "message": "Vault is old"}]))
    assert not warned.has_failed
    assert "warning: Vault is old" in as_markdown(warned)


def test_markdown_tells_heavy_things_before_the_table() -> None:
    text = as_markdown(summed())
    assert text.startswith("### `dev`: 3 to update, 13 to delete\n")
    loud, _, rest = text.partition("| | create |")
    assert "**Touches policies**: 2 to update, 2 to delete" in loud
    assert "**delete** Mount `west-intermediate-mount` (cluster west)" in loud
    assert "| cluster west |  |  |  | **13** |" in rest
    assert '+path "pki_int_east/*" {' in rest


def test_new_things_take_a_line_for_each_owner() -> None:
    told = json.loads(TOLD)
    steps = [
        {**each, "op": "create", "newState": each["oldState"]}
        for each in told["steps"]
        if each["op"] == "delete"
    ]
    text = as_markdown(summed(digest(steps=steps)))
    loud, _, _ = text.partition("| | create |")
    assert loud.count("create for cluster west") == 2


def test_markdown_keeps_within_its_limit_and_keeps_what_matters() -> None:
    long = [
        json.loads(
            changing(
                "x x x x x x x x\n" * 300,
                "y\n" * 300,
                "policy",
                f"{URN}vault:index/policy:Policy::{n}",
            )
        )
        for n in range(60)
    ]
    told = json.dumps({"steps": [step for each in long for step in each["steps"]]})
    assert len(as_markdown(summed(told), 10**9)) > 60_000
    short = as_markdown(summed(told))
    assert len(short) <= 60_000
    assert short.startswith("### `dev`: 60 to update")
    assert len(as_markdown(summed(told), 2000)) <= 2000
    assert "and more" in as_markdown(summed(told), 2000)


def test_values_cannot_end_what_they_stand_in() -> None:
    text = as_markdown(summed(changing("a|b`c\\n", "x</details>")))
    row = next(line for line in text.splitlines() if line.startswith("| `tokenTtl`"))
    assert row.replace("\\|", "").count("|") == 4
    assert row.count("`") == 6
    fenced = as_markdown(summed(changing("a\n```\n# no heading", "b\nc", "policy")))
    assert "````diff" in fenced


def test_rules_that_are_broken_are_told_with_their_fix() -> None:
    violation = Violation("token-lifetimes", "mandatory", "too long; lower it", f"{URN}x:y:Z::role")
    summary = summed(violations=[violation], has_failed=True)
    assert "mandatory, `token-lifetimes`, `role`: too long; lower it" in as_markdown(summary)
    [told] = json.loads(as_document(summary))["violations"]
    assert told["rule"] == "token-lifetimes"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a single JSON document"),
        ('{"steps": []}\n{"steps": []}', "not a single JSON document"),
        ("[]", "of no preview"),
        ('{"findings": []}', "of no preview"),
        ('{"steps": [{"op": "update"}]}', "of no preview"),
        ('{"steps": [{"op": "update", "urn": "x"}]}', "of no preview"),
        ('{"diagnostics": [{}]}', "of no preview"),
    ],
)
def test_what_is_no_preview_is_refused(text: str, said: str) -> None:
    with pytest.raises(OperationError, match=said) as refused:
        read_document(text, "x.json")
    assert str(refused.value.message).startswith("x.json: ")


def _key(label: str) -> str:
    return f"-----BEGIN {label}-----\n{CANARY}\n-----END {label}-----\n"


@pytest.mark.parametrize("kind", ["s", "b", "r"])
def test_tokens_of_a_former_vault_are_masked(kind: str) -> None:
    assert masked_text(f"no: {kind}.Xh3bkL0mQ4fT7vNzP1rUy9Wd!") == "no: [secret]!"


def test_a_certificate_is_shown() -> None:
    shown = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE----- of pods.example.com"
    assert masked_text(shown) == shown


SECRETS: list[Callable[[], str]] = [
    lambda: changing(CANARY, f"{CANARY}2", "privateKeyPem"),
    lambda: changing(CANARY, f"{CANARY}2", "password"),
    lambda: changing(CANARY, f"{CANARY}2", "token"),
    lambda: changing(CANARY, f"{CANARY}2", "tokenReviewerJwt"),
    lambda: changing(f'{{"password": "{CANARY}"}}', "{}", "dataJson"),
    lambda: changing({"a": CANARY}, {"a": "b"}, "data.a", f"{URN}kubernetes:core/v1:Secret::s"),
    lambda: changing(
        {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "x": CANARY},
        "y",
        "description",
    ),
    lambda: changing(_key("PRIVATE KEY"), "y", "description"),
    lambda: changing(f"before {_key('RSA PRIVATE KEY')} behind", "y", "description"),
    lambda: changing(f"hvs.{CANARY}AAAAAAAAAAAAAAAA", "y", "description"),
    lambda: changing(f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.{CANARY}", "y", "description"),
    lambda: json.dumps(
        {
            "steps": [],
            "diagnostics": [{"severity": "error", "message": f"no: hvs.{CANARY}AAAAAAAAAAAAA"}],
        }
    ),
]


@pytest.mark.parametrize("told", SECRETS)
def test_secrets_are_never_shown(told: Callable[[], str]) -> None:
    text = told()
    assert CANARY in text
    summary = summed(text)
    for shown in (as_markdown(summary), as_document(summary)):
        assert CANARY not in shown
        assert "[secret]" in shown


@pytest.mark.parametrize(
    ("path", "urn"),
    [
        ("tokenTtl", ROLE),
        ("tokenPolicies", ROLE),
        ("description", ROLE),
        ("metadata", f"{URN}kubernetes:core/v1:Secret::s"),
        ("data.a", f"{URN}kubernetes:core/v1:ConfigMap::c"),
        ("spec", f"{URN}kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy::p"),
    ],
)
def test_what_is_no_secret_is_shown(path: str, urn: str) -> None:
    value = {"a": CANARY} if "." in path else CANARY
    assert CANARY in as_markdown(summed(changing(value, {}, path, urn)))
    certificate = _key("CERTIFICATE")
    assert CANARY in as_markdown(summed(changing(certificate, "y", "kubernetesCaCert")))


def test_what_only_the_update_knows_is_said_so() -> None:
    told = changing("a", "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "default")
    assert "`[known after the update]`" in as_markdown(summed(told))
