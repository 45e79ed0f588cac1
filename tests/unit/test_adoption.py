import json
import re
import shlex
from dataclasses import replace
from typing import Any

from mesh_trust.adoption import Existing, import_file, refusal_of_all, refusal_of_one

VAULT = "urn:pulumi:prod::mesh::pulumi:providers:vault::vault"
EAST = "urn:pulumi:prod::mesh::pulumi:providers:kubernetes::east"
TRUST = ("mesh-trust:index:ClusterTrust", "east")
AUTH = ("mesh-trust:index:ClusterAuthMount", "east-auth")
ROOT = ("mesh-trust:index:RootPki", "root-pki")
AUTH_MOUNT = ("vault:index/authBackend:AuthBackend", "east-auth-mount")

MOUNTED = Existing(
    "auth mount",
    "kube-east-mesh-auth",
    (TRUST, AUTH, AUTH_MOUNT),
    f"urn:pulumi:prod::mesh::{TRUST[0]}${AUTH[0]}::east-auth",
    VAULT,
)
PKI = Existing("mount", "pki", (ROOT, ("vault:index/mount:Mount", "pki-mount")), None, VAULT)
ISSUER = Existing(
    "default issuer",
    "pki/config/issuers",
    (ROOT, ("vault:pkiSecret/issuers:Issuers", "default-issuer")),
    None,
    VAULT,
    seen=False,
    of_mount="pki",
)
POLICY = Existing(
    "RootTrustPolicy",
    "gloo-mesh/east",
    (TRUST, ("kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy", "east-policy")),
    None,
    EAST,
    seen=False,
)


def parsed(existing: list[Existing]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    content = json.loads(import_file(existing))
    return content["nameTable"], content["resources"]


def imported(message: str) -> list[list[str]]:
    """Names of the resources that each import of a message takes over."""
    commands = re.findall(r"^echo .*?/dev/stdin$", message, re.DOTALL | re.MULTILINE)
    files = [shlex.split(command)[1] for command in commands]
    return [
        [each["name"] for each in json.loads(file)["resources"] if "id" in each] for file in files
    ]


def test_what_is_taken_over_has_the_components_around_it() -> None:
    names, resources = parsed([MOUNTED])

    assert names == {"provider vault": VAULT}
    assert resources == [
        {"type": TRUST[0], "name": "east", "component": True},
        {"type": AUTH[0], "name": "east-auth", "parent": "east", "component": True},
        {
            "type": AUTH_MOUNT[0],
            "name": "east-auth-mount",
            "parent": "east-auth",
            "id": "kube-east-mesh-auth",
            "provider": "provider vault",
        },
    ]


def test_one_name_for_several_resources() -> None:
    """A name is unique among the children of a component, and of a type, only."""
    twin = replace(MOUNTED, path=(("mesh-trust:index:Other", "east"), AUTH, AUTH_MOUNT))

    _, resources = parsed([MOUNTED, twin])

    assert len(resources) == 6
    assert len({each["name"] for each in resources}) == 6
    assert sorted(each["logicalName"] for each in resources) == [
        *["east"] * 2,
        *["east-auth"] * 2,
        *["east-auth-mount"] * 2,
    ]
    by_name = {each["name"]: each for each in resources}
    for each in resources:
        if "parent" in each:
            assert each["parent"] in by_name


def test_a_default_provider_is_left_to_the_engine() -> None:
    names, resources = parsed([replace(PKI, provider_urn=None)])
    assert names == {}
    assert "provider" not in resources[-1]
    message = str(refusal_of_all([replace(PKI, provider_urn=None)], "prod"))
    assert "pulumi up --stack" not in message
    assert "--provider" not in str(refusal_of_one(replace(PKI, provider_urn=None), "prod"))


def test_a_part_of_a_mount_is_foreign_with_it_alone() -> None:
    assert imported(str(refusal_of_all([PKI, ISSUER], "prod"))) == [["pki-mount", "default-issuer"]]
    assert imported(str(refusal_of_all([MOUNTED, ISSUER], "prod"))) == [["east-auth-mount"]]


def test_the_guides_policies_are_told_of_for_the_clusters_that_are_affected() -> None:
    message = str(refusal_of_all([MOUNTED, POLICY], "prod"))
    assert imported(message) == [["east-auth-mount"], ["east-policy"]]
    assert f"--target {EAST} --target {VAULT}" in message

    assert imported(str(refusal_of_all([PKI, POLICY], "prod"))) == [["pki-mount"]]


def test_what_is_there_is_named_and_nothing_else() -> None:
    message = str(refusal_of_all([PKI, ISSUER, POLICY, MOUNTED], "prod"))
    listed = [line for line in message.splitlines() if line.startswith("  ") and "{" not in line]
    assert listed == ["  auth mount kube-east-mesh-auth", "  mount pki"]


def test_one_thing_during_an_update() -> None:
    message = str(refusal_of_one(MOUNTED, "prod"))

    command = next(line for line in message.splitlines() if line.startswith("pulumi import"))
    assert shlex.split(command) == [
        *("pulumi", "import", "--stack", "prod"),
        *("--yes", "--protect=false", "--generate-code=false"),
        *("--provider", f"vault={VAULT}"),
        *("--parent", f"parent east-auth={MOUNTED.parent_urn}"),
        *(*AUTH_MOUNT, "kube-east-mesh-auth"),
    ]


def test_a_shell_reads_every_name_as_it_is() -> None:
    stack = "it's $HOME"
    odd = replace(MOUNTED, id="a'b $(c)", path=(TRUST, AUTH, (AUTH_MOUNT[0], "x'y;z")))

    assert imported(str(refusal_of_all([odd], stack))) == [["x'y;z"]]
    command = str(refusal_of_one(odd, stack)).splitlines()[1]
    assert shlex.split(command)[3] == stack
    assert shlex.split(command)[-2:] == ["x'y;z", "a'b $(c)"]
