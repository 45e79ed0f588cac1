"""What is asked for of Helm's own objects, and of what its chart hands on."""

from mesh_trust.operations.preflight.rights_needed import Right, needed_grants, needed_rights
from mesh_trust.settings import MANAGEMENT, Settings

from .test_installation_settings import INSTALL, loaded
from .test_permission_settings import RELEASE
from .test_settings import environment, load

__all__ = ["environment"]


def may_update_secrets(settings: Settings, place: str, namespace: str) -> bool:
    return Right("update", "", "secrets", namespace) in needed_rights(settings, place)


def test_helm_writes_its_releases_anew() -> None:
    released = load(agentPermissions=RELEASE)
    assert may_update_secrets(released, "east", "gloo-mesh")
    # The control: where the program itself makes the permissions, nothing is.
    assert not may_update_secrets(load(), "east", "gloo-mesh")
    assert may_update_secrets(loaded(INSTALL), MANAGEMENT, "vault")


def test_the_chart_of_vault_hands_on_the_review_of_tokens() -> None:
    (grant,) = needed_grants(loaded(INSTALL), MANAGEMENT)
    assert grant.instead.name == "system:auth-delegator"
    assert list(needed_grants(load(), MANAGEMENT)) == []
