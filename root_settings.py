"""What the stack's configuration says of the root."""

from dataclasses import dataclass, field

import pulumi
from cryptography import x509
from pulumi.runtime.config import is_config_secret

from components import InvalidInputError, RootCertificateArgs
from components.lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime
from components.root_checks import require_root, require_root_key
from components.root_profile import RootProfile
from components.validation import require_fingerprint, require_one_of, require_vault_path
from components.vault_root import vault_profile
from configuration import boolean, whole_number

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
    certificate_args: RootCertificateArgs
    """Sources `generated` and `vault`: what the certificate is to say."""
    certificate: str | None
    """Sources `imported` and `external`: the certificate, PEM; found usable."""
    private_key: str | None = field(repr=False)
    """Source `imported`: its private key, PEM; found to be its own."""
    signing_mount: str | None
    """Source `external`: path of the mount that signs."""
    accept_missing_key_usage: bool
    """Whether the certificate may be without a key usage."""
    replaces: str | None
    """SHA-256 fingerprint of a root that this one may take the place of."""


def load_root(
    config: pulumi.Config, intermediate_lifetime_days: int, *, vault_is_installed: bool
) -> Root:
    """Reads what `config` says of the root.

    `vault_is_installed` says whether the program installs Vault itself.

    Raises:
        InvalidInputError: a value is missing, not usable or without effect, or the root does not
            outlive the intermediates.
    """
    source = require_one_of("rootSource", config.get("rootSource") or "generated", _SOURCES)
    certificate_args = _certificate_args(config)
    _check_keys_of_source(config, source, certificate_args)
    if source == "external" and vault_is_installed:
        raise InvalidInputError(
            "rootSource", source, "use another one: nobody has set up a mount in a Vault yet to be"
        )
    accept = boolean(config, "rootAcceptMissingKeyUsage")
    certificate = private_key = signing_mount = None
    if source in ("generated", "vault"):
        _require_outlived(intermediate_lifetime_days, certificate_args["lifetime_days"])
    else:
        certificate = config.require("rootCertificate")
        root = require_root("rootCertificate", certificate, accept_missing_key_usage=accept)
        if source == "imported":
            private_key = _private_key(config, root)
            seconds = intermediate_lifetime_days * SECONDS_PER_DAY
            require_lifetime(
                "intermediateLifetimeDays",
                intermediate_lifetime_days,
                MountLifetimes(seconds, seconds),
                root.not_valid_after_utc,
            )
        else:
            signing_mount = require_vault_path(
                "rootSigningMount", config.require("rootSigningMount")
            )
    replaces = config.get("rootReplaces") or None
    return Root(
        source,
        certificate_args,
        certificate,
        private_key,
        signing_mount,
        accept,
        None if replaces is None else require_fingerprint("rootReplaces", replaces),
    )


def _key(field: str) -> str:
    return "root" + "".join(part.capitalize() for part in field.split("_"))


def _certificate_args(config: pulumi.Config) -> RootCertificateArgs:
    return RootCertificateArgs(
        common_name=config.get(_key("common_name")) or _DEFAULTS["common_name"],
        organization=config.get(_key("organization")) or None,
        organizational_unit=config.get(_key("organizational_unit")) or None,
        country=config.get(_key("country")) or None,
        province=config.get(_key("province")) or None,
        locality=config.get(_key("locality")) or None,
        key_algorithm=config.get(_key("key_algorithm")) or _DEFAULTS["key_algorithm"],
        lifetime_days=whole_number(config, _key("lifetime_days"), _DEFAULTS["lifetime_days"]),
        path_length=whole_number(config, _key("path_length"), _DEFAULTS["path_length"], unit="CAs"),
    )


def _check_keys_of_source(
    config: pulumi.Config, source: str, certificate_args: RootCertificateArgs
) -> None:
    for key in _SOURCES[source]:
        if not config.get(key):
            raise InvalidInputError(key, None, f"set it: rootSource {source} needs it")
    for key in ("rootCertificate", "rootPrivateKey", "rootSigningMount"):
        if key not in _SOURCES[source] and config.get(key):
            raise InvalidInputError(key, "…", f"leave it out with rootSource {source}")
    if source in ("generated", "vault"):
        _check_certificate_args(source, certificate_args)
    else:
        for name, value in certificate_args.items():
            if value != _DEFAULTS.get(name):
                raise InvalidInputError(
                    _key(name), value, "leave it out: rootCertificate says what the root is"
                )
        return
    if boolean(config, "rootAcceptMissingKeyUsage"):
        raise InvalidInputError(
            "rootAcceptMissingKeyUsage", True, f"leave it out with rootSource {source}"
        )


def _check_certificate_args(source: str, certificate_args: RootCertificateArgs) -> None:
    try:
        if source == "vault":
            vault_profile(certificate_args)
        else:
            RootProfile.of(certificate_args)
    except InvalidInputError as error:
        raise InvalidInputError(_key(error.field), error.value, error.fix) from None


def _require_outlived(intermediate_lifetime_days: int, root_lifetime_days: int) -> None:
    if intermediate_lifetime_days >= root_lifetime_days:
        raise InvalidInputError(
            "intermediateLifetimeDays",
            intermediate_lifetime_days,
            f"use less than rootLifetimeDays ({root_lifetime_days}): "
            "an intermediate must not outlive its root",
        )


def _private_key(config: pulumi.Config, certificate: x509.Certificate) -> str:
    if not is_config_secret(config.full_key("rootPrivateKey")):
        raise InvalidInputError(
            "rootPrivateKey",
            "…",
            "it stands in clear in the stack's configuration: take it out there, and set it with "
            "`pulumi config set --secret rootPrivateKey`",
        )
    private_key = config.require("rootPrivateKey")
    require_root_key("rootPrivateKey", private_key, certificate)
    return private_key
