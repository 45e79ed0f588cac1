"""Whether the kubeconfig's user may do in a cluster what the program does there."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from settings import Settings

from ..about import About
from ..cluster_client import ClusterClient
from ..finding import Finding
from .rights_needed import Grant, Right, Rules, needed_grants, needed_rights

_AT_ONCE = 4


def rights_findings(
    subject: str, client: ClusterClient, settings: Settings, place: str
) -> Iterator[Finding]:
    """Asks the API server, with a SelfSubjectAccessReview for each right."""
    about = About("permissions", subject)
    needed = list(dict.fromkeys(needed_rights(settings, place)))
    grants = list(needed_grants(settings, place))
    asked = dict.fromkeys(
        [*needed, *(right for each in grants for right in (each.instead, *_rights(each.rules)))]
    )
    with client.reading("what its user may do"):
        allowed = _allowed(client, asked)
    lacking = [right for right in needed if not allowed[right]]
    found = [*_lacking(about, client.context, lacking), *_ungranted(about, client, grants, allowed)]
    yield from found
    if not found:
        yield about.ok(f"its user may do all {len(needed)} things that the program does there")


def _allowed(client: ClusterClient, rights: Iterable[Right]) -> Mapping[Right, bool]:
    def ask(right: Right) -> bool:
        answer = client.authorization.create_self_subject_access_review(
            {"spec": {"resourceAttributes": _attributes(right)}}
        )
        return bool(answer.status.allowed)

    listed = list(rights)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return dict(zip(listed, threads.map(ask, listed), strict=True))


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
