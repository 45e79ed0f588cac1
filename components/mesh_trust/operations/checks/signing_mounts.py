"""The mounts that sign: whether they are there, allow the lifetimes, and sign with the root."""

from collections.abc import Iterator
from typing import Any

from mesh_trust import InvalidInputError
from mesh_trust.issuing_chain import require_chain
from mesh_trust.lifetimes import MountLifetimes
from mesh_trust.root_checks import fingerprint, named
from mesh_trust.signing_mount import SigningMount

from ..certificates import Thresholds, loaded
from ..comparison import PUT_BACK
from ..expected import Expected, SigningPlace
from ..finding import Finding, State
from ..vault_view import VaultView
from .vault_server import VAULT

_SIGNS = "issuing-certificates"


def signing_mount(view: VaultView, place: SigningPlace) -> Iterator[Finding]:
    """Whether the mount is there, of the right kind, with the lifetimes that it was given."""
    check, mount = "signing-mount", view.mounts.get(place.path)
    if mount is None or mount["type"] != "pki":
        kind = "is not there" if mount is None else f"is of type {mount['type']}, not pki"
        yield Finding(check, VAULT, State.FAILED, f"mount {place.path} {kind}", PUT_BACK)
        return
    found = _lifetimes(mount)
    if place.lifetimes is not None and found != place.lifetimes:
        wanted = place.lifetimes
        seen = (
            f"sys/mounts/{place.path}/tune: what is signed gets {found.default_seconds} s by "
            f"default and {found.maximum_seconds} s at most, not {wanted.default_seconds} s and "
            f"{wanted.maximum_seconds} s"
        )
        yield Finding(check, VAULT, State.FAILED, seen, PUT_BACK)
        return
    seen = f"mount {place.path} signs for {found.default_seconds // 86_400} days"
    yield Finding(check, VAULT, State.OK, seen)


def signing_issuer(
    view: VaultView, place: SigningPlace, expected: Expected, thresholds: Thresholds
) -> Iterator[Finding]:
    """Whether the mount signs with the stack's root, or with a CA below it that has time left."""
    check, path = "signing-issuer", f"{place.path}/issuer/default"
    issuer = view.read(path) if place.path in view.mounts else None
    if issuer is None:
        seen = f"mount {place.path} has no default issuer, and signs nothing"
        fix = "import the root again: `pulumi refresh`, then `pulumi up`; see docs/root-ca.md"
        yield Finding(check, VAULT, State.FAILED, seen, fix)
        return
    certificate = loaded(issuer["certificate"])
    faults = list(_faults(view, place, issuer, expected))
    if faults:
        yield Finding(check, VAULT, State.FAILED, f"{path}: {'; '.join(faults)}", PUT_BACK)
        return
    what = f"{path} is {named(certificate)}, and"
    if certificate == expected.root:
        seen = f"{path} is the stack's root, SHA-256 {fingerprint(certificate)}"
        yield Finding(check, VAULT, State.OK, seen)
        return
    fix = "have it made anew: see docs/cluster-ca.md"
    yield thresholds.judge(check, VAULT, what, certificate, fix)


def other_issuers(view: VaultView, place: SigningPlace, expected: Expected) -> Iterator[Finding]:
    """Whether the mount can sign with a CA that is none of the stack's, if it is asked to."""
    check, found = "other-issuers", []
    if place.path not in view.mounts:
        # Said by the checks before.
        return
    default = (view.read(f"{place.path}/config/issuers") or {}).get("default")
    for issuer_id in view.list(f"{place.path}/issuers"):
        issuer = view.read(f"{place.path}/issuer/{issuer_id}") or {}
        certificate = loaded(issuer["certificate"])
        can_sign = bool(issuer.get("key_id")) and _SIGNS in str(issuer.get("usage", _SIGNS))
        is_ours = issuer_id == default or fingerprint(certificate) in expected.trusted
        if can_sign and not is_ours:
            found.append(f"{place.path}/issuer/{issuer_id} is {named(certificate)}")
    if found:
        seen = f"who may choose an issuer can have others sign: {'; '.join(found)}"
        fix = f"if nobody needs it, keep it from signing: `vault write {place.path}/issuer/ID "
        yield Finding(check, VAULT, State.WARNING, seen, f"{fix}usage=read-only`")
        return
    seen = f"no other issuer of mount {place.path} can sign"
    yield Finding(check, VAULT, State.OK, seen)


def _faults(
    view: VaultView, place: SigningPlace, issuer: dict[str, Any], expected: Expected
) -> Iterator[str]:
    certificate = loaded(issuer["certificate"])
    if place.is_root and certificate != expected.root:
        yield f"it is {named(certificate)}, not the stack's root {named(expected.root)}"
    elif not place.is_root and place.lifetimes is None:
        yield from _external_faults(view, place, issuer, expected)
    elif not place.is_root:
        try:
            require_chain(
                "default issuer",
                place.path,
                expected.root_pem,
                issuer["certificate"],
                issuer.get("ca_chain") or (),
            )
        except InvalidInputError as error:
            yield error.fix
    if not issuer.get("key_id"):
        yield "its key is not there, so that it signs nothing"
    if issuer.get("revoked"):
        yield "it is revoked"
    if _SIGNS not in str(issuer.get("usage", _SIGNS)):
        yield f"its usage is {issuer['usage']}, and does not let it sign"
    if place.lifetimes is not None:
        chosen = view.read(f"{place.path}/config/issuers") or {}
        if chosen.get("default_follows_latest_issuer"):
            yield "default_follows_latest_issuer is set, so that the next import takes its place"


def _external_faults(
    view: VaultView, place: SigningPlace, issuer: dict[str, Any], expected: Expected
) -> Iterator[str]:
    mount = SigningMount(
        place.path,
        issuer["issuer_id"],
        issuer["certificate"],
        tuple(issuer.get("ca_chain") or ()),
        bool(issuer.get("key_id")),
        _lifetimes(view.mounts[place.path]),
    )
    days, key = expected.settings.root_signs_for_days, expected.settings.root_signs_for_key
    try:
        mount.require_fit("rootSigningMount", expected.root_pem, key, days)
    except InvalidInputError as error:
        yield error.fix


def _lifetimes(mount: dict[str, Any]) -> MountLifetimes:
    config = mount["config"]
    # 0 stands for the server's own, which is 32 days where nobody changed it.
    return MountLifetimes(*(int(config[f"{each}_lease_ttl"]) for each in ("default", "max")))
