"""Whether the stack's configuration can be used, and the root that it describes."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pulumi
from cryptography import x509

from mesh_trust import InvalidInputError
from mesh_trust.environment.present_roots import roots_in
from mesh_trust.environment.root_guard import RootGuard, RootReplacementError
from mesh_trust.lifetimes import SECONDS_PER_DAY, MountLifetimes, require_lifetime
from mesh_trust.root_checks import fingerprint
from mesh_trust.settings import Settings

from ..about import About
from ..finding import Finding

SUBJECT = "stack"

CONFIGURATION = About("configuration", SUBJECT)
CONTEXTS = About("contexts", SUBJECT)
ROOT = About("root", SUBJECT)
MANAGED = About("management-cluster", SUBJECT)

# Which check tells of a problem, by the field in front of it.
_OF_ROOT = re.compile(r"root(?!TrustPolicy)\w*|(intermediate|clusterCa)LifetimeDays")
_OF_CONTEXTS = re.compile(r".*(context|kubeconfig|certificate-authority| of user | in /).*")


def configuration_findings(problems: Sequence[str], settings: Settings) -> Iterator[Finding]:
    """A finding for each of `problems`, the lines of an InvalidConfigurationError."""
    by_check: dict[About, list[str]] = {CONFIGURATION: [], CONTEXTS: []}
    for line in problems:
        about = _check_of(line)
        if about is not ROOT:
            by_check[about].append(line)
    names = ", ".join(cluster.name for cluster in settings.clusters)
    what = f"clusters: {names}"
    if settings.vault.has_a_stack_of_its_own:
        what = f"it installs Vault in mode {settings.vault.install['mode']}, and nothing else"
    connections = [cluster.connection for cluster in settings.clusters]
    if settings.management is not None:
        connections.append(settings.management)
    contexts = sorted({each.context for each in connections})
    well = {
        CONFIGURATION: f"it can be used; {what}",
        CONTEXTS: f"they are there, and DNS names: {', '.join(contexts)}",
    }
    for about, lines in by_check.items():
        yield from map(about.refused, lines)
        if not lines:
            yield about.ok(well[about])


def root_findings(
    problems: Sequence[str], settings: Settings, outputs: Mapping[str, Any]
) -> Iterator[Finding]:
    """Whether the root can sign for as long as is asked, and whether it is the stack's own."""
    lines = [line for line in problems if _check_of(line) is ROOT]
    yield from map(ROOT.refused, lines)
    if lines:
        return
    generations = roots_in(outputs)
    present = next((each.certificate for each in generations.values() if each.signing), None)
    if present is not None:
        replaced = _replacement(settings, RootGuard(present, False, generations))
        if replaced is not None:
            yield replaced
            return
        try:
            _require_lasting(settings, present)
        except InvalidInputError as error:
            yield ROOT.refused(error)
            return
        yield ROOT.ok(f"the stack has it, and keeps it: {_named(present)}")
    elif settings.root.certificate is not None:
        brought = x509.load_pem_x509_certificate(settings.root.certificate.encode())
        own = " with its own key" if settings.root.source == "imported" else ""
        yield ROOT.ok(f"it can sign, {settings.root.source}{own}: {_named(brought)}")
    else:
        args = settings.root.certificate_args
        where = "in Vault" if settings.root.source == "vault" else "by `pulumi up`"
        yield ROOT.ok(
            f"it will be made {where}: {args['common_name']!r}, {args['key_algorithm']}, "
            f"{args['lifetime_days']} days"
        )


def management_findings(settings: Settings) -> Iterator[Finding]:
    """Whether the configuration tells the management cluster, so that it can be looked at."""
    if settings.management is None:
        yield MANAGED.warning(
            "it is not told, so that Gloo's management server, its KubernetesClusters and "
            "Workspaces are not looked at",
            "name its context in management.context",
        )
    else:
        yield MANAGED.ok(f"it is told: context {settings.management.context}")


def _check_of(line: str) -> About:
    field = line.partition(": ")[0].partition(" (cluster ")[0]
    if _OF_ROOT.match(field):
        return ROOT
    return CONTEXTS if _OF_CONTEXTS.match(field) else CONFIGURATION


def _replacement(settings: Settings, guard: RootGuard) -> Finding | None:
    """What is said where the configuration would replace the root that signs."""
    present = guard.present
    named = present is not None and settings.root.replaces == fingerprint(present)
    try:
        guard.check(settings.root)
    except RootReplacementError as error:
        seen, _, fix = str(error).rpartition("; ")
        if settings.development or named:
            return ROOT.warning(seen, fix)
        return ROOT.failed(seen, fix)
    except (InvalidInputError, pulumi.RunError) as error:
        return ROOT.refused(str(error))
    return None


def _require_lasting(settings: Settings, root: x509.Certificate) -> None:
    """Checks that `root` outlives what it is to sign.

    Raises:
        InvalidInputError: it does not.
    """
    if settings.root.source == "external":
        # How long others' mount signs for is asked of Vault.
        return
    days = settings.root_signs_for_days
    lifetimes = MountLifetimes(days * SECONDS_PER_DAY, days * SECONDS_PER_DAY)
    require_lifetime(settings.root_signs_for_key, days, lifetimes, root.not_valid_after_utc)


def _named(certificate: x509.Certificate) -> str:
    return (
        f"{certificate.subject.rfc4514_string()!r}, valid until "
        f"{certificate.not_valid_after_utc:%Y-%m-%d}, SHA-256 {fingerprint(certificate)}"
    )
