"""The token of an account that reviews tokens for Vault: where it comes from, whose it is."""

import base64
from collections.abc import Mapping
from typing import Any

import pulumi

from .validation import InvalidInputError, require_dns_label, require_one_of

ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
TOKEN_SOURCES = ("created", "automatic")


def require_token_source(
    mode: str, source: str | None, secret_name: str | None
) -> tuple[str, str | None]:
    """Returns where the reviewer's token comes from, and the name of its Secret if it is there.

    Raises:
        InvalidInputError: one of them is not usable, does not go with the other, or the mode needs
            none.
    """
    for field, value in (("reviewer_token", source), ("reviewer_token_secret", secret_name)):
        if value is not None and mode != "token":
            raise InvalidInputError(field, value, f"leave it out in reviewer_mode {mode}")
    if secret_name is not None:
        require_dns_label("reviewer_token_secret", secret_name)
        if source is not None:
            raise InvalidInputError(
                "reviewer_token", source, "leave it out: reviewer_token_secret names the token"
            )
    checked = "created" if source is None else source
    return require_one_of("reviewer_token", checked, TOKEN_SOURCES), secret_name


def automatic_secret(secrets: Any, account: str) -> str:
    """The token Secret that a cluster has made for the service account `account` by itself.

    `secrets` is the account's field of that name.

    Raises:
        pulumi.RunError: there is none.
    """
    if not secrets:
        raise pulumi.RunError(
            f"the cluster has made no token Secret for service account {account}, as Kubernetes "
            "1.24 and newer make none by themselves: leave out reviewer_token, or set it to created"
        )
    return str(secrets[0]["name"])


def token_in(data: Mapping[str, str] | None, secret: str) -> str:
    """The token in the `data` of the Secret `secret`.

    Raises:
        pulumi.RunError: there is none.
    """
    if not data or "token" not in data:
        raise pulumi.RunError(
            f"Secret {secret} has no token: the cluster's token controller has to fill it"
        )
    return base64.b64decode(data["token"]).decode()


def token_of(data: Mapping[str, str] | None, metadata: Any, secret: str, account: str) -> str:
    """The token in a Secret that was read, not made, which has to be one of `account`.

    Raises:
        pulumi.RunError: it is not, or has no token.
    """
    # A resource that is read, not made, gives its nested outputs as plain dictionaries.
    found = (metadata.get("annotations") or {}).get(ACCOUNT_ANNOTATION)
    if found != account:
        raise pulumi.RunError(
            f"Secret {secret} is the token of {found or 'no service account'}, and "
            f"reviewer_name is {account}: name the account and its own Secret"
        )
    return token_in(data, secret)
