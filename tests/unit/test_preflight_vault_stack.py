"""What `preflight` looks at in a stack that installs Vault, and in one of the trust."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mesh_trust.operations.preflight.checks import preflight_checks
from mesh_trust.operations.preflight.clusters import subject_of
from mesh_trust.operations.stack import PlannedStack, Stack
from mesh_trust.settings import MANAGEMENT, Settings

from .test_settings import environment, load
from .test_vault_stacks import HA, installing

__all__ = ["environment"]

OF_THE_TRUST = {"root", "management-cluster", "clusters-apart"}


def looked_at(settings: Settings, outputs: Mapping[str, Any] | None = None) -> dict[str, set[str]]:
    """Names of the checks by subject."""
    stack = Stack("prod", settings, outputs or {})
    checks = preflight_checks(PlannedStack(stack, (), frozenset()))
    return {subject: {each.name for each in found} for subject, found in checks.items()}


def test_a_stack_that_installs_vault_is_not_asked_about_a_trust(environment: Path) -> None:
    assert environment.exists()
    found = looked_at(installing(HA))

    assert found["stack"] == {"configuration"}
    assert found["Vault"] == {"vault-pod"}
    # No cluster but the one that Vault goes to.
    assert set(found) == {"stack", "Vault", subject_of(MANAGEMENT)}


def test_a_stack_of_the_trust_is(environment: Path) -> None:
    assert environment.exists()
    found = looked_at(load(vaultAddress="https://vault.example.com:8200"))

    assert found["stack"] == {"configuration", *OF_THE_TRUST}
    assert "vault-pod" not in found["Vault"]
    assert {"vault-reachable", "vault-token", "vault-paths"} <= found["Vault"]
