"""What the stack's configuration says of the generations of the root, of which one signs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pulumi
from cryptography import x509

from mesh_trust import InvalidInputError, RootCertificateArgs
from mesh_trust.root_checks import require_different_cas, require_root, require_root_key
from mesh_trust.root_pki_args import FIRST
from mesh_trust.root_profile import RootProfile
from mesh_trust.validation import require_whole_number
from mesh_trust.vault_root import vault_profile

from .problems import HIDDEN, Problems
from .values import LONGEST_DAYS, is_secret, known_fields, require_filled, require_label, structure

KEY = "rootGenerations"
SIGNING = "rootSigning"

MADE_HERE = ("generated", "vault")
"""The sources whose roots are made by the program, or for it."""

_MADE = {
    "commonName": "common_name",
    "organization": "organization",
    "organizationalUnit": "organizational_unit",
    "country": "country",
    "province": "province",
    "locality": "locality",
    "keyAlgorithm": "key_algorithm",
    "lifetimeDays": "lifetime_days",
    "pathLength": "path_length",
}
"""Fields of a root that is made, with their names among RootCertificateArgs."""
_BROUGHT = ("certificate", "privateKey")
FIELDS = ("name", *_MADE, *_BROUGHT)


@dataclass(frozen=True)
class Generation:
    """One generation of the root."""

    name: str
    """An RFC 1123 label; `first` is that of an environment without generations."""
    certificate_args: RootCertificateArgs
    """Of a root that is made: what the certificate is to say."""
    certificate: str | None
    """Of one that is brought along: the certificate, PEM; found usable."""
    private_key: str | None = field(repr=False)
    """Its private key, PEM; found to be its own. None: it is not known, and does not sign."""


def load_generations(
    config: pulumi.Config, source: str, first: Generation, problems: Problems, *, accepts: bool
) -> tuple[tuple[Generation, ...], str]:
    """The generations and the name of the one that signs.

    `first` is what the keys of the root itself say, and `accepts` whether a certificate may be
    without a key usage. Notes what is wrong; what is given then is not to be worked with.
    """
    part = problems.part()
    generations = _generations(config, source, first, part, accepts=accepts)
    signing = _signing(config, [each.name for each in generations], part)
    if source == "imported" and part.none:
        _note_what_cannot_be(generations, signing, part)
    return generations, signing


def lists_first(config: pulumi.Config) -> bool:
    """Whether there is the generation `first`, which the keys of the root itself describe."""
    entries = structure(config, KEY)
    if not isinstance(entries, list) or not entries:
        return True
    return any(isinstance(each, Mapping) and each.get("name") == FIRST for each in entries)


def _generations(
    config: pulumi.Config, source: str, first: Generation, problems: Problems, *, accepts: bool
) -> tuple[Generation, ...]:
    entries = structure(config, KEY)
    if entries is None or entries == []:
        return (first,)
    if source == "external":
        fix = "leave it out with rootSource external: who keeps that root replaces it"
        problems.note(InvalidInputError(KEY, HIDDEN, fix))
        return (first,)
    if not isinstance(entries, list):
        problems.note(InvalidInputError(KEY, HIDDEN, f"list the generations, {FIRST} among them"))
        return (first,)
    secret = is_secret(config, KEY)
    generations: dict[str, Generation] = {}
    for index, entry in enumerate(entries):
        place = f"{KEY}[{index}]"
        given = known_fields(place, entry, FIELDS, problems)
        if not isinstance(entry, Mapping):
            continue
        name = problems.value(None, _name, f"{place}.name", given.get("name"))
        if name is None:
            continue
        if name in generations:
            fix = "use another one: each generation has its own"
            problems.note(InvalidInputError(f"{place}.name", name, fix))
        elif name == FIRST:
            _note_useless(
                place, given, [*_MADE, *_BROUGHT], "the keys root… say what it is", problems
            )
            generations[name] = first
        elif source in MADE_HERE:
            _note_useless(place, given, _BROUGHT, f"the source is {source}", problems)
            made = replace(first, name=name, certificate_args=_args(name, first, given))
            _check_args(source, place, made, given, problems)
            generations[name] = made
        else:
            _note_useless(place, given, _MADE, "its certificate says what it is", problems)
            generations[name] = _brought(
                place, name, given, problems, accepts=accepts, secret=secret
            )
    return tuple(generations.values()) or (first,)


def _name(field: str, value: object) -> str:
    # YAML makes a number of a year.
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return require_label(field, str(value) if is_number else value)


def _note_useless(
    place: str, given: Mapping[str, Any], fields: Any, why: str, problems: Problems
) -> None:
    for name in fields:
        if name in given:
            problems.note(InvalidInputError(f"{place}.{name}", HIDDEN, f"leave it out: {why}"))


def _args(name: str, first: Generation, given: Mapping[str, Any]) -> RootCertificateArgs:
    """What the keys of the root say, with the generation's own fields laid over it.

    Roots of one name would be hard to tell apart.
    """
    common = first.certificate_args
    own = {argument: given[field] for field, argument in _MADE.items() if field in given}
    named = {"common_name": f"{common.get('common_name')} {name}"}
    return cast(RootCertificateArgs, {**common, **named, **own})


def _check_args(
    source: str, place: str, made: Generation, given: Mapping[str, Any], problems: Problems
) -> None:
    check = vault_profile if source == "vault" else RootProfile.of
    configured = {argument: field for field, argument in _MADE.items()}
    # Each field by itself, so that what is wrong with one does not hide the next. What the
    # generation has from the keys of the root is said of these.
    own = {_MADE[field] for field in given if field in _MADE} | {"common_name"}
    for argument in own:
        value = made.certificate_args[argument]  # type: ignore[literal-required]
        try:
            args = {"common_name": "root", argument: value}
            check(cast(RootCertificateArgs, args))
            if argument == "lifetime_days":
                require_whole_number(argument, value, minimum=1, maximum=LONGEST_DAYS, unit="days")
        except InvalidInputError as error:
            field = f"{place}.{configured[error.field]}"
            problems.note(InvalidInputError(field, error.value, error.fix))


def _brought(
    place: str,
    name: str,
    given: Mapping[str, Any],
    problems: Problems,
    *,
    accepts: bool,
    secret: bool,
) -> Generation:
    generation = Generation(name, {}, None, None)
    field = f"{place}.certificate"
    pem = problems.value(None, require_filled, field, given.get("certificate"))
    root = None
    if pem is not None:
        root = problems.value(None, require_root, field, pem, accept_missing_key_usage=accepts)
    if root is None:
        return generation
    generation = replace(generation, certificate=pem)
    if "privateKey" in given:
        key = problems.value(None, _key, f"{place}.privateKey", given["privateKey"], root, secret)
        generation = replace(generation, private_key=key)
    return generation


def _key(field: str, value: object, certificate: x509.Certificate, secret: bool) -> str:
    if not secret:
        raise InvalidInputError(
            field,
            HIDDEN,
            "it stands in clear in the stack's configuration: take it out there, and set it with "
            f"`pulumi config set --secret --path '{field}'`",
        )
    if not isinstance(value, str):
        raise InvalidInputError(field, HIDDEN, "use one private key in PEM and nothing else")
    require_root_key(field, value, certificate)
    return value


def _signing(config: pulumi.Config, names: list[str], problems: Problems) -> str:
    signing = config.get(SIGNING) or None
    if signing is None and len(names) == 1:
        return names[0]
    if signing not in names:
        fix = f"name the generation that signs: {' or '.join(names)}"
        problems.note(InvalidInputError(SIGNING, signing, fix))
        return names[0]
    return signing


def _note_what_cannot_be(
    generations: tuple[Generation, ...], signing: str, problems: Problems
) -> None:
    """Notes a signing generation without its key, and two of one key and name."""
    for place, each in enumerate(generations):
        if (
            each.name == signing
            and each.certificate
            and not each.private_key
            and each.name != FIRST
        ):
            field = f"{KEY}[{place}].privateKey"
            problems.note(InvalidInputError(field, None, "give it: this generation is to sign"))
    with problems.noted():
        require_different_cas(
            {
                "rootCertificate" if each.name == FIRST else f"{KEY}[{place}].certificate": pem
                for place, each in enumerate(generations)
                if (pem := each.certificate)
            }
        )
