"""The sub-command `vault init`."""

import re
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from mesh_trust import InvalidInputError
from mesh_trust.files import content_of

from ..cli import Project
from ..errors import OperationError
from .age import recipient
from .command import EXISTING_FILE, FILE, vault, with_identity, with_servers
from .initialise import Protection
from .key_shares import SHARES, shares_and_threshold, with_shares
from .named import Named
from .pgp import pgp_key
from .setting_up import Files, SettingUp
from .stack_policy import DEFAULT_NAME, stack_policy
from .stack_token import TokenKind

_PERIOD = "768h"
"""What Vault lets a token live for by itself."""
_DURATION = re.compile(r"[1-9][0-9]*[smhd]")

_EXIT_CODES = """\b
Exit codes: 0 all is done, or was; 1 people have to give keys first, as is
said; 2 something is in the way.
"""


@vault.command(epilog=_EXIT_CODES)
@with_servers
@click.option(
    "--keys-file",
    type=FILE,
    required=True,
    help="Where keys and root token go; made with mode 0600, never overwritten.",
)
@with_shares("Keys to make.", show_default=f"{SHARES}, or as many as there are --pgp-key")
@click.option(
    "--pgp-key",
    "pgp_keys",
    type=EXISTING_FILE,
    multiple=True,
    help="Have Vault encrypt a key to this public key; repeat it for each key.",
)
@click.option(
    "--root-token-pgp-key",
    type=EXISTING_FILE,
    help="Have Vault encrypt the root token to this one.  [default: the first --pgp-key]",
)
@click.option(
    "--age-recipient",
    "age_recipients",
    multiple=True,
    help="Encrypt the file of keys to this recipient, age1… or a public key of SSH; can be "
    "repeated.",
)
@with_identity
@click.option(
    "--token-file",
    type=FILE,
    required=True,
    help="Where the stack's token goes; made with mode 0600, never overwritten.",
)
@click.option(
    "--token-period",
    metavar="DURATION",
    show_default=_PERIOD,
    help="How long that token lives after it was made or renewed.",
)
@click.option(
    "--token-ttl",
    metavar="DURATION",
    help="How long it lives, in place of a period.",
)
@click.option(
    "--name",
    default=DEFAULT_NAME,
    show_default=True,
    help="Name of its policy, and of the role that its successors are made with.",
)
@click.option(
    "--policy-file",
    "policy_files",
    type=EXISTING_FILE,
    multiple=True,
    help="Rules that the stack needs beside the README's; can be repeated.",
)
@click.option(
    "--only-policy-files",
    is_flag=True,
    help="Leave the README's rules out: --policy-file has all, as `vault policy` prints them.",
)
@click.option("--keep-root-token", is_flag=True, help="Do not revoke the root token at the end.")
@click.pass_obj
def init(
    project: Project,
    named: Named,
    keys_file: Path,
    shares: int | None,
    threshold: int | None,
    pgp_keys: tuple[Path, ...],
    root_token_pgp_key: Path | None,
    age_recipients: tuple[str, ...],
    age_identity: Path | None,
    token_file: Path,
    token_period: str | None,
    token_ttl: str | None,
    name: str,
    policy_files: tuple[Path, ...],
    only_policy_files: bool,
    keep_root_token: bool,
) -> None:
    """Make a Vault ready for the stack.

    Initialises it, keeps its keys, unseals its servers and has them join, makes a
    token for `pulumi up` that is not the root token, and revokes the root token.
    What is done already is left alone; run it again after whatever has stopped it.
    """
    protection = _protection(shares, threshold, pgp_keys, root_token_pgp_key, age_recipients)
    rules = _rules(name, policy_files, only=only_policy_files)
    kind = _kind(name, token_period, token_ttl, rules)
    if keys_file.absolute() == token_file.absolute():
        raise OperationError(
            f"token-file: '{token_file}' is not valid; name another file than keys-file"
        )
    changes = []
    progress = Console(stderr=True)

    def done(line: str) -> None:
        changes.append(line)
        click.echo(line)

    with progress.status("Setting Vault up ..."):
        setting_up = SettingUp(
            named.members(project),
            Files(keys_file, token_file, age_identity),
            protection,
            kind,
            keep_root_token,
            done,
            click.echo,
        )
        is_whole = setting_up.run()
    if is_whole and not changes:
        click.echo("Nothing was to be done.")
    raise SystemExit(0 if is_whole else 1)


def _protection(
    shares: int | None,
    threshold: int | None,
    pgp_keys: Sequence[Path],
    root_token_pgp_key: Path | None,
    age_recipients: Sequence[str],
) -> Protection:
    shares, threshold = shares_and_threshold(shares, threshold, len(pgp_keys) or SHARES)
    if pgp_keys and len(pgp_keys) != shares:
        raise OperationError(
            f"pgp-key: {len(pgp_keys)} of them are not valid; give one for each of {shares} keys"
        )
    if root_token_pgp_key is not None and not pgp_keys:
        raise OperationError(
            f"root-token-pgp-key: '{root_token_pgp_key}' is not valid without --pgp-key: the keys "
            "would be in clear, and whoever has them can make a root token"
        )
    if pgp_keys and age_recipients:
        raise OperationError(
            "age-recipient: is not valid with --pgp-key, as nothing is in clear there; leave it out"
        )
    read = tuple(pgp_key("pgp-key", each) for each in pgp_keys)
    root_key = None
    if read:
        root_key = read[0]
        if root_token_pgp_key is not None:
            root_key = pgp_key("root-token-pgp-key", root_token_pgp_key)
    recipients = tuple(recipient(each) for each in age_recipients)
    return Protection(shares, threshold, read, root_key, recipients)


def _rules(name: str, policy_files: Sequence[Path], *, only: bool) -> str:
    if only and not policy_files:
        raise OperationError(
            "only-policy-files: is not valid without --policy-file; name the file with the rules"
        )
    try:
        further = [content_of("policy-file", each).decode() for each in policy_files]
        return stack_policy(name, further, only_further=only)
    except (InvalidInputError, UnicodeDecodeError) as error:
        raise OperationError(str(error)) from None


def _kind(name: str, period: str | None, ttl: str | None, rules: str) -> TokenKind:
    if period is not None and ttl is not None:
        raise OperationError(
            f"token-ttl: {ttl!r} is not valid with --token-period; give one of the two"
        )
    for option, value in (("token-period", period), ("token-ttl", ttl)):
        if value is not None and not _DURATION.fullmatch(value):
            raise OperationError(
                f"{option}: {value!r} is not valid; use a number and a unit, such as 768h"
            )
    return TokenKind(name, period or (None if ttl else _PERIOD), ttl, rules)
