"""What the stack's configuration says of how a cluster's agent logs in."""

from collections.abc import Mapping
from typing import Any

from mesh_trust import ClusterLogin, InvalidInputError, issuer_keys
from mesh_trust.agent_rbac import REVIEWER_MODES
from mesh_trust.certificate_values import certificates_in
from mesh_trust.files import path_of
from mesh_trust.reviewer_token import TOKEN_SOURCES
from mesh_trust.validation import (
    require_audience,
    require_dns_label,
    require_https_url,
    require_one_of,
)

from .problems import Problems
from .values import require_filled

_REVIEWER = ("reviewerName", "reviewerToken", "reviewerTokenSecret")
_KEY_SOURCES = ("issuerKeysFile", "jwksUrl", "oidcDiscoveryUrl")
_ISSUER = (*_KEY_SOURCES, "issuerCaFile", "issuer")
LOGIN_FIELDS = ("reviewerMode", "audience", *_REVIEWER, *_ISSUER)
"""Fields of a cluster that say how its agent logs in."""


def cluster_login(
    entry: Mapping[str, Any], field: str, defaults: ClusterLogin, problems: Problems
) -> ClusterLogin:
    """How the agent of the cluster in `entry` logs in; messages name its fields below `field`.

    Notes fields that are not usable, or that do not belong to the reviewer mode.
    """
    given = [key for key in LOGIN_FIELDS if key in entry]
    filled = [
        key
        for key in given
        if problems.value(None, require_filled, f"{field}.{key}", entry[key]) is not None
    ]
    if filled != given:
        return defaults
    login = defaults.copy()
    mode: str | None = login.get("reviewer_mode", "token")
    if "reviewerMode" in entry:
        mode = problems.value(
            None, require_one_of, f"{field}.reviewerMode", entry["reviewerMode"], REVIEWER_MODES
        )
        if mode is not None:
            login["reviewer_mode"] = mode
    if mode is not None:
        _note_foreign(entry, field, mode, problems)
    with problems.noted():
        if "audience" in entry:
            login["audience"] = require_audience(f"{field}.audience", entry["audience"])
    with problems.noted():
        if "reviewerName" in entry:
            login["reviewer_name"] = require_dns_label(
                f"{field}.reviewerName", entry["reviewerName"]
            )
    with problems.noted():
        if "reviewerToken" in entry:
            login["reviewer_token"] = require_one_of(
                f"{field}.reviewerToken", entry["reviewerToken"], TOKEN_SOURCES
            )
            if "reviewerTokenSecret" in entry:
                fix = "leave it out: reviewerTokenSecret names the token"
                raise InvalidInputError(f"{field}.reviewerToken", entry["reviewerToken"], fix)
    with problems.noted():
        if "reviewerTokenSecret" in entry:
            login["reviewer_token_secret"] = require_dns_label(
                f"{field}.reviewerTokenSecret", entry["reviewerTokenSecret"]
            )
    if mode == "jwt":
        with problems.noted():
            _add_issuer(login, entry, field)
    return login


def _note_foreign(entry: Mapping[str, Any], field: str, mode: str, problems: Problems) -> None:
    """Notes fields that belong to another reviewer mode."""
    foreign = (*_REVIEWER,) if mode == "jwt" else _ISSUER
    for key in (*foreign, *(("reviewerToken", "reviewerTokenSecret") if mode == "client" else ())):
        if key in entry:
            fix = f"leave it out in reviewerMode {mode}"
            problems.note(InvalidInputError(f"{field}.{key}", entry[key], fix))


def _add_issuer(login: ClusterLogin, entry: Mapping[str, Any], field: str) -> None:
    sources = [key for key in _KEY_SOURCES if key in entry]
    if len(sources) != 1:
        key = sources[1] if sources else "issuerKeysFile"
        raise InvalidInputError(
            f"{field}.{key}",
            entry.get(key),
            f"give exactly one of {', '.join(_KEY_SOURCES)}; the first is what "
            f"`kubectl get --raw /openid/v1/jwks` prints",
        )
    (source,) = sources
    if source == "issuerKeysFile":
        path = path_of(f"{field}.{source}", entry[source])
        login["issuer_keys"] = issuer_keys(path, f"{field}.{source}")
        if "issuerCaFile" in entry:
            raise InvalidInputError(
                f"{field}.issuerCaFile",
                entry["issuerCaFile"],
                "leave it out with issuerKeysFile: nobody is asked",
            )
    elif source == "jwksUrl":
        login["jwks_url"] = require_https_url(f"{field}.{source}", entry[source])
    else:
        login["oidc_discovery_url"] = require_https_url(f"{field}.{source}", entry[source])
    if "issuerCaFile" in entry:
        login["issuer_ca_certificate"] = certificates_in(
            f"{field}.issuerCaFile", path_of(f"{field}.issuerCaFile", entry["issuerCaFile"])
        )
    if "issuer" in entry:
        login["issuer"] = require_audience(f"{field}.issuer", entry["issuer"])
