"""What a token for Vault is."""

import json
from typing import Any

import pulumi

from .provider_errors import said_by_provider
from .validation import InvalidInputError
from .vault_lookup import GET_SECRET
from .warning import warn

_LOOKUP = "auth/token/lookup-self"
_FORBIDDEN = ("no secret found", "permission denied")
_ADVICE = "use a token with no more than the policy in the README"


def require_no_root_token(provider: pulumi.ProviderResource) -> None:
    """Looks up the token that `provider` works with, before anything else goes on.

    Of a provider that a preview cannot configure yet, or whose Vault it does not get to, nothing is
    asked: the update looks again.

    Raises:
        InvalidInputError: it is a root token, or may not be looked up.
        pulumi.RunError: Vault does not answer.
    """
    try:
        found = _found(provider)
    except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
        said = said_by_provider(error)
        if any(words in said for words in _FORBIDDEN):
            # The provider does not work with such a token either.
            raise InvalidInputError(
                "VAULT_TOKEN", "…", f"{_ADVICE}, and that may read {_LOOKUP} ({said})"
            ) from None
        if pulumi.runtime.is_dry_run():
            warn(f"Vault's token cannot be looked up ({said}); this preview goes on")
            return
        raise pulumi.RunError(
            f"Vault's token cannot be looked up ({said}); see that all of Vault's servers answer, "
            "and run this again"
        ) from None
    if "root" in found.get("policies", ()):
        raise InvalidInputError(
            "VAULT_TOKEN", "…", f"{_ADVICE}: root tokens are for development only"
        )


def _found(provider: pulumi.ProviderResource) -> dict[str, Any]:
    # Through the provider, as only it knows what it takes its token from. What it works with is a
    # child of that token, and has its policies.
    answer = pulumi.runtime.invoke(
        GET_SECRET, {"path": _LOOKUP}, pulumi.InvokeOptions(provider=provider)
    ).value
    found: dict[str, Any] = json.loads((answer or {}).get("dataJson") or "{}")
    return found
