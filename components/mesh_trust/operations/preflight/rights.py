"""Whether the kubeconfig's user may do in a cluster what the program does there."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from mesh_trust.settings import Settings

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .rights_needed import Grant, Right, Rules, needed_grants, needed_rights

EVERYTHING = Right("*", "*", "*")
"""What an administrator of the cluster has."""

_AT_ONCE = 4


def rights_findings(
    subject: str, client: ClusterClient, settings: Settings, place: str
) -> Iterator[Finding]:
    """Asks the API server, with a SelfSubjectAccessReview for each right."""
    about = About("permissions", subject)
    needed = list(dict.fromkeys(needed_rights(settings, place)))
    with client.reading("what its user may do"):
        # Of who may do everything, nothing else has to be asked.
        found = [] if _is_allowed(client, EVERYTHING) else _found(about, client, settings, place)
    yield from found
    if not found:
        yield about.ok(f"its user may do all {len(needed)} things that the program does there")


def _found(about: About, client: ClusterClient, settings: Settings, place: str) -> list[Finding]:
    needed = list(dict.fromkeys(needed_rights(settings, place)))
    grants = list(needed_grants(settings, place))
    asked = dict.fromkeys(
        [*needed, *(right for each in grants for right in (each.instead, *_rights(each.rules)))]
    )
    allowed = _allowed(client, asked)
    lacking = [right for right in needed if not allowed[right]]
    return [
        *_lacking(about, client.context, lacking),
        *_ungranted(about, client, grants, allowed),
    ]


def _allowed(client: ClusterClient, rights: Iterable[Right]) -> Mapping[Right, bool]:
    listed = list(rights)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        answers = threads.map(partial(_is_allowed, client), listed)
        return dict(zip(listed, answers, strict=True))


def _is_allowed(client: ClusterClient, right: Right) -> bool:
    answer = client.authorization.create_self_subject_access_review(
        {"spec": {"resourceAttributes": _attributes(right)}}
    )
    return bool(answer.status.allowed)


def _attributes(right: Right) -> dict[str, Any]:
    resource, _, subresource = right.resource.partition("/")
    told = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace or "",
        "name": right.name or "",
    }
    return {field: value for field, value in told.items() if value}


def _lacking(about: About, context: str, lacking: Iterable[Right]) -> Iterator[Finding]:
    """A finding for each resource of which something is not allowed."""
    verbs: dict[tuple[str, str, str | None], list[str]] = {}
    for right in lacking:
        verbs.setdefault((right.group, right.resource, right.namespace), []).append(right.verb)
    for (group, resource, namespace), lacked in verbs.items():
        named = f"{resource}.{group}" if group else resource
        where = "in the whole cluster" if namespace is None else f"in namespace {namespace}"
        at = "" if namespace is None else f" -n {namespace}"
        yield about.failed(
            f"its user may not {', '.join(lacked)} {named} {where}",
            f"grant it; `kubectl --context {context} auth can-i {lacked[0]} {named}{at}` then says "
            "yes",
        )


def _ungranted(
    about: About, client: ClusterClient, grants: Iterable[Grant], allowed: Mapping[Right, bool]
) -> Iterator[Finding]:
    for grant in grants:
        has_all = all(allowed[right] for right in _rights(grant.rules))
        if has_all or allowed[grant.instead]:
            continue
        instead = grant.instead
        name = f"/{instead.name}" if instead.name else ""
        yield about.failed(
            f"its user may not hand on {grant.what}, as it has not all that is in it itself",
            f"grant it that, or the verb {instead.verb} on {instead.resource}.{instead.group}"
            f"{name}; see `kubectl --context {client.context} auth can-i --list`",
        )


def _rights(rules: Rules) -> Iterator[Right]:
    for group, resources, verbs in rules:
        for resource in resources:
            for verb in verbs:
                yield Right(verb, group, resource)
