"""The policy of one stack's token has that stack's names, and bounds what could give it more."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from mesh_trust import InvalidInputError
from mesh_trust.operations.preflight.vault_needs import vault_needs
from mesh_trust.operations.vault.exact_policy import exact_policy
from mesh_trust.settings import Settings

from .test_settings import environment, load
from .test_vault_needs import FEATURES

__all__ = ["environment"]

_RULE = re.compile(r'path "(?P<path>[^"]+)" \{ (?P<what>.*) \}')
# Where a request could give its sender more than the token has, unless it is bounded.
_BOUNDED = re.compile(
    r"sys/(mounts|auth|audit)/[^/]+|sys/policies/acl/.+|auth/[^/]+/(role|users)/[^/]+"
)
EAST: dict[str, Any] = {"clusters": [{"name": "east"}]}


def rules(settings: Settings) -> dict[str, str]:
    found = {}
    for line in exact_policy(settings, "stack").splitlines():
        rule = _RULE.fullmatch(line)
        assert rule is not None, line
        assert rule["path"] not in found
        found[rule["path"]] = rule["what"]
    return found


def with_audit_log(settings: Settings) -> Settings:
    return replace(settings, vault=replace(settings.vault, audit_file="/vault/audit.log"))


@pytest.mark.parametrize("feature", FEATURES)
def test_it_has_what_is_asked_for_and_nothing_without_a_bound(feature: str) -> None:
    settings = with_audit_log(load(**FEATURES[feature][0]))
    found = rules(settings)

    for need in vault_needs(settings):
        listed = json.dumps(list(need.capabilities))
        assert found.pop(need.path).startswith(f"capabilities = {listed}")
    assert list(found) == ["auth/token/create/stack"]
    bounded = {path for path, what in rules(settings).items() if "allowed_parameters" in what}
    assert bounded == {path for path in rules(settings) if _BOUNDED.fullmatch(path)}
    assert not any("*" in path for path in rules(settings))


def test_the_bounds() -> None:
    found = rules(with_audit_log(load(**EAST, administrator=True)))
    name = "gen-int-ca-istio-east-mesh"

    role = found[f"auth/kube-east-mesh-auth/role/{name}"]
    assert f'allowed_parameters = {{ token_policies = ["{name}", ["{name}"]], "*" = [] }}' in role
    assert "denied_parameters = { policies = [] }" in role
    assert (
        'allowed_parameters = { type = ["kubernetes"], "*" = [] }'
        in (found["sys/auth/kube-east-mesh-auth"])
    )
    assert 'allowed_parameters = { type = ["pki"], "*" = [] }' in found["sys/mounts/pki_int_east"]
    assert 'options = [{ file_path = "/vault/audit.log" }]' in found["sys/audit/mesh-trust"]
    assert 'token_policies = ["admins", ["admins"]]' in found["auth/userpass/users/admin"]
    # The text itself, in one line.
    assert (
        r'policy = ["path \"pki_int_east/intermediate/generate/exported\" {\n'
        in (found[f"sys/policies/acl/{name}"])
    )
    assert r'policy = ["path \"sys/mounts\" {\n' in found["sys/policies/acl/admins"]


@pytest.mark.parametrize("name", ["", "a*", '" { capabilities = ["sudo"] }'])
def test_a_name_cannot_widen_it(name: str) -> None:
    with pytest.raises(InvalidInputError):
        exact_policy(load(**EAST), name)
