"""The istiod agent in what describes a whole Istio: IstioOperator, or Gloo's IstioLifecycleManager.

Overlays are patches that the installer makes to its own objects before it applies them, so that
here the volume `cacerts` can be another one, as Gloo's documentation has it. All patches of a
Deployment stand in one overlay: of two for the same object, older installers take the last alone.

Sources: istio.io, IstioOperator options, `K8sObjectOverlay`; Gloo's API, IstioLifecycleManager.
"""

from collections.abc import Callable, Mapping
from typing import Any

from .agent_containers import AGENT, AGENT_INIT, MULTIROOT, TRUST_ANNOTATION, Agent
from .names import DEFAULT_REVISION, istiod_deployment
from .validation import InvalidInputError

OPERATOR = ("install.istio.io/v1alpha1", "IstioOperator")
LIFECYCLE_MANAGER = ("admin.gloo.solo.io/v2", "IstioLifecycleManager")

_VOLUME = "spec.template.spec.volumes[name:cacerts]"
_SIDECAR = "spec.template.spec.containers[1]"
_INIT = "spec.template.spec.initContainers"

_Node = dict[str, Any]


def with_agent(
    resource: Mapping[str, Any], agent: Agent, digest: str, revision: str = DEFAULT_REVISION
) -> _Node:
    """A copy of `resource` with the agent beside the istiod of `revision`, and all else as it is.

    Raises:
        InvalidInputError: it is neither kind of resource, has no istiod of that revision, or wants
            otherwise what the agent needs.
    """
    merged = _copy(resource)
    for spec in _operator_specs(merged, revision):
        k8s = _below(spec, "components", "pilot", "k8s")
        patches = _below(_overlay(k8s, istiod_deployment(revision)), patches=list)
        for path, value in _patches(agent):
            _put_patch(patches, path, value)
        _put_variable(_below(k8s, env=list), *MULTIROOT)
        _below(k8s, "podAnnotations")[TRUST_ANNOTATION] = digest
    return merged


def without_agent(resource: Mapping[str, Any], revision: str = DEFAULT_REVISION) -> _Node:
    """A copy of `resource` as it was before `with_agent`, but for lists and maps that were empty.

    Raises:
        InvalidInputError: it is neither kind of resource, or has no istiod of that revision.
    """
    stripped = _copy(resource)
    variable = {"name": MULTIROOT[0], "value": MULTIROOT[1]}
    for spec in _operator_specs(stripped, revision):
        k8s = spec.get("components", {}).get("pilot", {}).get("k8s", {})
        for overlay in k8s.get("overlays", []):
            if _is_of(overlay, istiod_deployment(revision)):
                overlay["patches"] = [each for each in overlay["patches"] if not _is_ours(each)]
        _keep(k8s, "overlays", lambda each: bool(each.get("patches")))
        _keep(k8s, "env", lambda each: each != variable)
        k8s.get("podAnnotations", {}).pop(TRUST_ANNOTATION, None)
        _prune(spec, "components", "pilot", "k8s", "podAnnotations")
    return stripped


def _patches(agent: Agent) -> list[tuple[str, Any]]:
    init, sidecar = agent.containers({"name": "cacerts"})
    volume = {"name": "cacerts", "emptyDir": {"medium": "Memory"}}
    return [(_VOLUME, volume), (_SIDECAR, sidecar), (_INIT, [init])]


def _put_patch(patches: list[_Node], path: str, value: Any) -> None:
    for present in patches:
        if _plain(present.get("path")) == path:
            if not _is_ours(present) and present.get("value") != value:
                raise InvalidInputError(
                    f"resource: overlay {present['path']}",
                    present.get("value"),
                    "take it out: istiod's agent needs another value there",
                )
            present["value"] = value
            return
    patches.append({"path": path, "value": value})


def _put_variable(variables: list[_Node], name: str, value: str) -> None:
    for present in variables:
        if present.get("name") == name:
            if present.get("value") != value:
                raise InvalidInputError(
                    f"resource: env {name}", present.get("value"), f"use {value}, or leave it out"
                )
            return
    variables.append({"name": name, "value": value})


def _is_ours(patch: Mapping[str, Any]) -> bool:
    """Whether this or another version of the agent's overlay has put it there."""
    path, value = _plain(patch.get("path")), patch.get("value")
    if path == _VOLUME:
        return value == {"name": "cacerts", "emptyDir": {"medium": "Memory"}}
    containers = value if isinstance(value, list) else [value]
    names = [each.get("name") for each in containers if isinstance(each, Mapping)]
    return (path, names) in ((_SIDECAR, [AGENT]), (_INIT, [AGENT_INIT]))


def _plain(path: Any) -> str:
    """The path as it is written here: a dot before a bracket may be there or not."""
    return str(path).replace(".[", "[")


def _overlay(k8s: _Node, deployment: str) -> _Node:
    overlays: list[_Node] = _below(k8s, overlays=list)
    for present in overlays:
        if _is_of(present, deployment):
            return present
    overlays.append({"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment})
    return overlays[-1]


def _is_of(overlay: Mapping[str, Any], deployment: str) -> bool:
    return (overlay.get("kind"), overlay.get("name")) == ("Deployment", deployment)


def _operator_specs(resource: _Node, revision: str) -> list[_Node]:
    """The specifications of istiod of that revision, a part of `resource` each."""
    kind = (resource.get("apiVersion"), resource.get("kind"))
    spec = _below(resource, "spec")
    if kind == OPERATOR:
        found = {spec.get("revision") or DEFAULT_REVISION: [spec]}
    elif kind == LIFECYCLE_MANAGER:
        found = {}
        for installation in spec.get("installations") or ():
            each = installation.get("revision") or DEFAULT_REVISION
            found.setdefault(each, []).append(_below(installation, "istioOperatorSpec"))
    else:
        expected = " or ".join(f"{kind} of {version}" for version, kind in _KINDS)
        raise InvalidInputError("resource", "/".join(map(str, kind)), f"use an {expected}")
    if revision not in found:
        raise InvalidInputError(
            "istio_revision",
            revision,
            f"the resource has {', '.join(sorted(found)) or 'no installation'}",
        )
    return found[revision]


_KINDS = (OPERATOR, LIFECYCLE_MANAGER)


def _copy(resource: Mapping[str, Any]) -> _Node:
    if not isinstance(resource, Mapping):
        raise InvalidInputError("resource", resource, "give the resource as a mapping")
    copied: _Node = _apart(resource)
    return copied


def _apart(value: Any) -> Any:
    """A copy of `value` in which nothing stands in two places, as YAML's aliases make it."""
    if isinstance(value, Mapping):
        return {name: _apart(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_apart(each) for each in value]
    return value


def _below(node: _Node, *names: str, **lists: Callable[[], Any]) -> Any:
    """What is at these names one below the other, made where it is missing or null."""
    makers = [(name, dict) for name in names] + list(lists.items())
    found: Any = node
    for name, make in makers:
        if found.get(name) is None:
            found[name] = make()
        found = found[name]
        if not isinstance(found, make if isinstance(make, type) else object):
            raise InvalidInputError(f"resource.{name}", "…", "correct it: it is of another kind")
    return found


def _keep(node: _Node, name: str, wanted: Callable[[_Node], bool]) -> None:
    kept = [each for each in node.get(name, []) if wanted(each)]
    if kept:
        node[name] = kept
    else:
        node.pop(name, None)


def _prune(node: _Node, *names: str) -> None:
    """Takes away what is empty of these names, one below the other, the innermost first."""
    if not names:
        return
    below = node.get(names[0])
    if isinstance(below, dict):
        _prune(below, *names[1:])
    if not below:
        node.pop(names[0], None)
