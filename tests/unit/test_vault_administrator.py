"""The administrator, as resources."""

import json
import re
from typing import Any

import pulumi
import pytest

from mesh_trust import AdministeredCluster, InvalidInputError, VaultAdministrator
from mesh_trust.administrator_policy import AdministeredNames, administrator_policy

from .conftest import Recorder, run, secret

EAST: AdministeredCluster = {
    "intermediate_mount_path": "pki_int_east",
    "auth_mount_path": "kube-east-mesh-auth",
    "role_name": "role",
    "policy_name": "policy",
}


def register(recorder: Recorder, **changes: Any) -> Any:
    recorder.computed["random:index/randomPassword:RandomPassword"] = {"result": "the password"}

    def program() -> pulumi.Output[Any]:
        args: Any = {"signing_mount_paths": ["pki"], "clusters": [EAST], **changes}
        user = VaultAdministrator("a", args)
        return pulumi.Output.unsecret(
            pulumi.Output.all(user.username, user.password, user.policy_name, user.mount_path)
        )

    return run(program)


def test_what_is_made(recorder: Recorder) -> None:
    assert register(recorder) == ["admin", "the password", "admins", "userpass"]

    password = recorder.of_type("random:index/randomPassword:RandomPassword")["a-password"]
    assert (password["length"], password["keepers"]) == (32, {"generation": "1"})
    mount = recorder.of_type("vault:index/authBackend:AuthBackend")["a-mount"]
    assert (mount["path"], mount["type"]) == ("userpass", "userpass")
    user = recorder.of_type("vault:generic/endpoint:Endpoint")["a-user"]
    assert (user["path"], user["ignoreAbsentFields"]) == ("auth/userpass/users/admin", True)
    data = {
        "password": "the password",
        "token_policies": ["admins"],
        "token_ttl": 3600,
        "token_max_ttl": 3600,
    }
    assert user["dataJson"] == secret(json.dumps(data))


def test_names_and_lifetime_are_arguments(recorder: Recorder) -> None:
    found = register(
        recorder,
        username="keeper",
        policy_name="mesh-one/admins",
        mount_path="mesh-one/userpass",
        token_ttl_seconds=600,
        password_generation=2,
    )

    assert found == ["keeper", "the password", "mesh-one/admins", "mesh-one/userpass"]
    user = recorder.of_type("vault:generic/endpoint:Endpoint")["a-user"]
    assert user["path"] == "auth/mesh-one/userpass/users/keeper"
    assert '"token_ttl": 600' in user["dataJson"]["value"]
    password = recorder.of_type("random:index/randomPassword:RandomPassword")["a-password"]
    assert password["keepers"] == {"generation": "2"}


def test_the_policy_names_what_there_is_and_nothing_else(recorder: Recorder) -> None:
    register(recorder)

    text = recorder.of_type("vault:index/policy:Policy")["a-policy"]["policy"]
    paths = re.findall(r'^path "([^"]+)"', text, re.MULTILINE)
    assert "auth/kube-east-mesh-auth/role/role" in paths
    assert "pki_int_east/key/+" in paths
    assert len(paths) == len(set(paths))
    assert not any("*" in path for path in paths)
    # A segment that may be any is the last one, below a mount of this setup.
    for path in paths:
        assert "+" not in path or re.fullmatch(r"(pki|pki_int_east)/[a-z]+/\+", path), path


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("intermediate_mount_path", AdministeredNames("*", "auth", "role", "policy")),
        ("auth_mount_path", AdministeredNames("pki_int", "+", "role", "policy")),
        ("role_name", AdministeredNames("pki_int", "auth", "*", "policy")),
        ("policy_name", AdministeredNames("pki_int", "auth", "role", '"] }')),
    ],
)
def test_no_name_can_widen_the_policy(field: str, names: AdministeredNames) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        administrator_policy("admins", ["pki"], [names])


def test_no_mount_can_widen_the_policy() -> None:
    with pytest.raises(InvalidInputError, match=r"^signing_mount_paths: "):
        administrator_policy("admins", ["pki/+"], [])
    with pytest.raises(InvalidInputError, match=r"^policy_name: "):
        administrator_policy("*", ["pki"], [])
