"""Whether istiod's agents get into Vault, and get their intermediates there."""

from collections.abc import Iterator

from ..cluster_client import ClusterClient
from ..exchange import Exchange, RefusedError, with_remains
from ..expected import Expected, ExpectedTrust
from ..finding import Finding, State
from ..unreachable import UnreachableError

_UP = "put role and mount back: `pulumi refresh`, then `pulumi up`"
# What Vault says of every failure of a review, without its reason.
_BARE = "permission denied"


def login(expected: Expected, trust: ExpectedTrust, client: ClusterClient) -> Iterator[Finding]:
    """Whether each istiod's account can log in; nothing else shows whether Vault can review tokens.

    Vault does not tell whether it has the reviewer's JWT, and what that is worth only the cluster
    knows. An account that no role names tells nothing either: it is refused before the review.
    """
    path = f"auth/{trust.cluster.names.auth_mount}/login"
    for account in trust.accounts:
        who = f"{trust.cluster.istio.namespace}/{account}"
        exchange = Exchange(expected, trust, client, account)
        try:
            held = exchange.log_in()
        except RefusedError as error:
            yield _refused(trust, who, str(error))
            continue
        left = exchange.log_out(held)
        seen = f"service account {who} can log in at {path}"
        if left:
            yield Finding("login", trust.subject, State.WARNING, with_remains(seen, left), _RIGHTS)
            continue
        yield Finding("login", trust.subject, State.OK, f"{seen}; the login is revoked")


def handshake(expected: Expected, trust: ExpectedTrust, client: ClusterClient) -> Iterator[Finding]:
    """The agent's whole exchange: a login, a request, a signature, a chain up to the root."""
    check, account = "handshake", trust.accounts[0]
    who = f"{trust.cluster.istio.namespace}/{account}"
    exchange = Exchange(expected, trust, client, account)
    left_of_login: list[str] = []
    try:
        held = exchange.log_in()
        try:
            left = exchange.make_and_sign(held)
        finally:
            left_of_login = exchange.log_out(held)
    except RefusedError as error:
        fix = "see what the other checks have found of this cluster and its mounts"
        seen = with_remains(f"as {who}: {error}", left_of_login)
        yield Finding(check, trust.subject, State.FAILED, seen, fix)
        return
    except UnreachableError as error:
        raise UnreachableError(with_remains(str(error), left_of_login), error.fix) from None
    seen = f"service account {who} gets an intermediate whose chain ends in the stack's root"
    if left := [*left, *left_of_login]:
        yield Finding(check, trust.subject, State.WARNING, with_remains(seen, left), _RIGHTS)
        return
    seen = f"{seen}; login and certificate are revoked, its key is deleted"
    yield Finding(check, trust.subject, State.OK, seen)


_RIGHTS = "use a token that may take it back: see docs/verify.md"


def _refused(trust: ExpectedTrust, who: str, said: str) -> Finding:
    seen, fix = f"service account {who} cannot log in: {said}", _UP
    if _BARE in said and trust.mode == "token":
        seen += (
            "; Vault has no reviewer's JWT for this cluster, or one that is worth nothing, or does "
            "not get to its API server"
        )
        # The program does not see that it is gone. A new Secret would not do: its token would be
        # the same, to the letter, and no reason to write it again.
        mount = trust.cluster.names.auth_mount
        own_secret = trust.cluster.login.get("reviewer_token_secret")
        token = "" if own_secret is None else f" and that the token in Secret {own_secret} is good,"
        fix = (
            f"see first that Vault gets to {trust.args['kubernetes_host']},{token} as nothing else "
            "helps where not; then have the mount made anew, with the JWT in it, which ends its "
            f"logins: `vault auth disable {mount}`, then `pulumi up --refresh`"
        )
    elif _BARE in said and trust.mode == "client":
        seen += "; the account may not review tokens, or Vault does not get to the API server"
    return Finding("login", trust.subject, State.FAILED, seen, fix)
