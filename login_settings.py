"""What the stack's configuration says of how a cluster's agent logs in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components import ClusterLogin, InvalidInputError, issuer_keys
from components.agent_rbac import REVIEWER_MODES
from components.validation import (
    require_audience,
    require_certificates,
    require_dns_label,
    require_https_url,
    require_one_of,
)

_REVIEWER = ("reviewerName", "reviewerTokenSecret")
_KEY_SOURCES = ("issuerKeysFile", "jwksUrl", "oidcDiscoveryUrl")
_ISSUER = (*_KEY_SOURCES, "issuerCaFile", "issuer")
LOGIN_FIELDS = ("reviewerMode", "audience", *_REVIEWER, *_ISSUER)
"""Fields of a cluster that say how its agent logs in."""


def cluster_login(entry: Mapping[str, Any], field: str, defaults: ClusterLogin) -> ClusterLogin:
    """How the agent of the cluster in `entry` logs in; messages name its fields below `field`.

    Raises:
        InvalidInputError: a field is not usable, or does not belong to the reviewer mode.
    """
    for key in LOGIN_FIELDS:
        if key in entry and (not isinstance(entry[key], str) or not entry[key]):
            raise InvalidInputError(f"{field}.{key}", entry[key], "give it a text")
    login = defaults.copy()
    if "reviewerMode" in entry:
        login["reviewer_mode"] = require_one_of(
            f"{field}.reviewerMode", entry["reviewerMode"], REVIEWER_MODES
        )
    mode = login.get("reviewer_mode", "token")
    foreign = (*_REVIEWER,) if mode == "jwt" else _ISSUER
    for key in (*foreign, *(("reviewerTokenSecret",) if mode == "client" else ())):
        if key in entry:
            raise InvalidInputError(
                f"{field}.{key}", entry[key], f"leave it out in reviewerMode {mode}"
            )
    if "audience" in entry:
        login["audience"] = require_audience(f"{field}.audience", entry["audience"])
    if "reviewerName" in entry:
        login["reviewer_name"] = require_dns_label(f"{field}.reviewerName", entry["reviewerName"])
    if "reviewerTokenSecret" in entry:
        login["reviewer_token_secret"] = require_dns_label(
            f"{field}.reviewerTokenSecret", entry["reviewerTokenSecret"]
        )
    if mode == "jwt":
        _add_issuer(login, entry, field)
    return login


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
        path = Path(entry[source]).expanduser()
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
        login["issuer_ca_certificate"] = _certificates(
            f"{field}.issuerCaFile", Path(entry["issuerCaFile"]).expanduser()
        )
    if "issuer" in entry:
        login["issuer"] = require_audience(f"{field}.issuer", entry["issuer"])


def _certificates(field: str, path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInputError(
            field, str(path), f"name a readable file ({error.strerror})"
        ) from None
    return require_certificates(field, str(path), content, "name a PEM file of certificates")
