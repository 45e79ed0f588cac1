"""What the stack's configuration says of the root."""

from dataclasses import dataclass
from typing import cast

import pulumi
from cryptography import x509

from mesh_trust import InvalidInputError, RootCertificateArgs
from mesh_trust.root_checks import require_root, require_root_key
from mesh_trust.root_pki_args import FIRST
from mesh_trust.root_profile import RootProfile
from mesh_trust.validation import require_fingerprint, require_one_of, require_vault_path
from mesh_trust.vault_root import vault_profile

from .problems import HIDDEN, Problems
from .root_generations import MADE_HERE, SIGNING, Generation, lists_first, load_generations
from .values import boolean, is_secret, whole_number

# The sources, and the keys that each needs.
_SOURCES = {
    "generated": (),
    "imported": ("rootCertificate", "rootPrivateKey"),
    "vault": (),
    "external": ("rootCertificate", "rootSigningMount"),
}

_DEFAULTS: RootCertificateArgs = {
    "common_name": "mesh-trust root",
    "key_algorithm": "RSA-4096",
    "lifetime_days": 3650,
    "path_length": 1,
}


@dataclass(frozen=True)
class Root:
    """The root CA: where it comes from, and what is known of it."""

    source: str
    """`generated`, `imported`, `vault` or `external`."""
    generations: tuple[Generation, ...]
    """One or more, all of which are trusted."""
    signing_name: str
    """Name of the generation that signs."""
    signing_mount: str | None = None
    """Source `external`: path of the mount that signs."""
    accept_missing_key_usage: bool = False
    """Whether the certificate may be without a key usage."""
    replaces: str | None = None
    """SHA-256 fingerprint of a root that this one may take the place of."""
    retires: str | None = None
    """SHA-256 fingerprint of a generation that may go though something may still chain to it."""

    @property
    def signing(self) -> Generation:
        """The generation that signs."""
        return next(each for each in self.generations if each.name == self.signing_name)

    @property
    def certificate_args(self) -> RootCertificateArgs:
        """Sources `generated` and `vault`: what the certificate that signs is to say."""
        return self.signing.certificate_args

    @property
    def certificate(self) -> str | None:
        """Sources `imported` and `external`: the certificate that signs, PEM; found usable."""
        return self.signing.certificate

    @property
    def private_key(self) -> str | None:
        """Source `imported`: its private key, PEM; found to be its own."""
        return self.signing.private_key


def load_root(config: pulumi.Config, problems: Problems, *, vault_is_installed: bool) -> Root:
    """Reads what `config` says of the root.

    `vault_is_installed` says whether the program installs Vault itself. Notes values that are
    missing, not usable or without effect.
    """
    source = problems.value(
        None, require_one_of, "rootSource", config.get("rootSource") or "generated", _SOURCES
    )
    certificate_args = _certificate_args(config, problems)
    accept = problems.value(False, boolean, config, "rootAcceptMissingKeyUsage")
    certificate = private_key = signing_mount = None
    if source == "external" and vault_is_installed:
        problems.note(
            InvalidInputError(
                "rootSource",
                source,
                "use another one: nobody has set up a mount in a Vault yet to be",
            )
        )
        source = None
    has_first = lists_first(config)
    if source is not None:
        _check_keys_of_source(config, source, problems, accepts=accept, has_first=has_first)
    if source in MADE_HERE:
        _check_certificate_args(source, certificate_args, problems)
    elif source is not None:
        _note_useless(certificate_args, problems)
        certificate = config.get("rootCertificate")
        root = None
        if certificate and has_first:
            root = problems.value(
                None,
                require_root,
                "rootCertificate",
                certificate,
                accept_missing_key_usage=accept,
            )
        if source == "imported" and root is not None:
            private_key = problems.value(None, _private_key, config, root)
        if source == "external" and config.get("rootSigningMount"):
            signing_mount = problems.value(
                None, require_vault_path, "rootSigningMount", config.get("rootSigningMount")
            )
    replaces = config.get("rootReplaces") or None
    if replaces is not None:
        replaces = problems.value(None, require_fingerprint, "rootReplaces", replaces)
    retires = config.get("rootRetires") or None
    if retires is not None:
        retires = problems.value(None, require_fingerprint, "rootRetires", retires)
    first = Generation(FIRST, certificate_args, certificate, private_key)
    generations: tuple[Generation, ...] = (first,)
    signing = FIRST
    if source is not None:
        generations, signing = load_generations(config, source, first, problems, accepts=accept)
    return Root(
        source or "generated", generations, signing, signing_mount, accept, replaces, retires
    )


def _key(field: str) -> str:
    return "root" + "".join(part.capitalize() for part in field.split("_"))


def _certificate_args(config: pulumi.Config, problems: Problems) -> RootCertificateArgs:
    def number(field: str, default: int, unit: str) -> int:
        return problems.value(default, whole_number, config, _key(field), default, unit)

    return RootCertificateArgs(
        common_name=config.get(_key("common_name")) or _DEFAULTS["common_name"],
        organization=config.get(_key("organization")) or None,
        organizational_unit=config.get(_key("organizational_unit")) or None,
        country=config.get(_key("country")) or None,
        province=config.get(_key("province")) or None,
        locality=config.get(_key("locality")) or None,
        key_algorithm=config.get(_key("key_algorithm")) or _DEFAULTS["key_algorithm"],
        lifetime_days=number("lifetime_days", _DEFAULTS["lifetime_days"], "days"),
        path_length=number("path_length", _DEFAULTS["path_length"], "CAs"),
    )


def _check_keys_of_source(
    config: pulumi.Config, source: str, problems: Problems, *, accepts: bool, has_first: bool
) -> None:
    if source == "imported" and not has_first:
        for key in _SOURCES[source]:
            if config.get(key):
                fix = f"leave it out: rootGenerations has no generation {FIRST}"
                problems.note(InvalidInputError(key, HIDDEN, fix))
    # What signs no more needs no key, which may be why it signs no more.
    signs = (config.get(SIGNING) or FIRST) == FIRST
    needed = [key for key in _SOURCES[source] if signs or key != "rootPrivateKey"]
    for key in needed if has_first else ():
        if not config.get(key):
            fix = f"set it: rootSource {source} needs it"
            problems.note(InvalidInputError(key, None, fix))
    for key in ("rootCertificate", "rootPrivateKey", "rootSigningMount"):
        if key not in _SOURCES[source] and config.get(key):
            problems.note(InvalidInputError(key, HIDDEN, f"leave it out with rootSource {source}"))
    if accepts and "rootCertificate" not in _SOURCES[source]:
        fix = f"leave it out with rootSource {source}"
        problems.note(InvalidInputError("rootAcceptMissingKeyUsage", True, fix))


def _note_useless(certificate_args: RootCertificateArgs, problems: Problems) -> None:
    for name, value in certificate_args.items():
        if value != _DEFAULTS.get(name):
            fix = "leave it out: rootCertificate says what the root is"
            problems.note(InvalidInputError(_key(name), value, fix))


def _check_certificate_args(
    source: str, certificate_args: RootCertificateArgs, problems: Problems
) -> None:
    check = vault_profile if source == "vault" else RootProfile.of
    # Each field by itself, so that what is wrong with one does not hide the next.
    for name, value in certificate_args.items():
        try:
            check(cast(RootCertificateArgs, {**_DEFAULTS, name: value}))
        except InvalidInputError as error:
            problems.note(InvalidInputError(_key(error.field), error.value, error.fix))


def _private_key(config: pulumi.Config, certificate: x509.Certificate) -> str | None:
    private_key = config.get("rootPrivateKey")
    if not private_key:
        # Noted already, among the keys that the source needs, where it needs this one.
        return None
    if not is_secret(config, "rootPrivateKey"):
        raise InvalidInputError(
            "rootPrivateKey",
            HIDDEN,
            "it stands in clear in the stack's configuration: take it out there, and set it with "
            "`pulumi config set --secret rootPrivateKey`",
        )
    require_root_key("rootPrivateKey", private_key, certificate)
    return private_key
