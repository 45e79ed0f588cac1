"""What the stack's configuration says of the agents beside istiod."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from mesh_trust import InvalidInputError, IstiodAgentArgs
from mesh_trust.istiod_agent_args import INSTALLATIONS, check_istiod_agent_args
from mesh_trust.validation import require_one_of

from .connections import PLACEMENTS
from .istio import Istio
from .laid import Laid
from .problems import HIDDEN, Problems
from .values import as_configured, mapping_in

KEY = "istiodAgent"
NONE = "none"
"""Installation of a cluster whose istiod others see to, where the others have one."""

# The fields of the configuration, and those of the component.
_ARGUMENTS = {
    "installation": "installation",
    "version": "version",
    "image": "image",
    "imagePullPolicy": "image_pull_policy",
    "resources": "resources",
    "timeoutSeconds": "timeout_seconds",
    "delivery": "delivery",
}
_MANIFEST, _PLACEMENT = "manifest", "placement"
_OF_MANIFESTS = ("delivery", _MANIFEST, _PLACEMENT)
# What has no meaning by itself, without the installation or a manifest.
_OF_INSTALLATION = ("installation", "delivery")
FIELDS = (*_ARGUMENTS, _MANIFEST, _PLACEMENT)

# What is not looked at, while a field is looked at by itself.
_SOUND = {"version": "1"}


@dataclass(frozen=True)
class Agent:
    """The agents of one cluster."""

    args: IstiodAgentArgs
    """But for the trust, which is not known yet, and for revision and namespace of istiod."""
    placement: str
    """Where a `resource` is applied: `workload` or `management`."""


def load_agent(entry: Laid, istio: Istio, problems: Problems) -> Agent | None:
    """Reads those of a cluster whose istiods are `istio`; None: others see to them.

    Notes what is wrong.
    """
    installation = entry.value(
        problems,
        None,
        "installation",
        require_one_of,
        entry.fields.get("installation", INSTALLATIONS[0]),
        (*INSTALLATIONS, NONE),
    )
    if not entry.fields or installation in (None, NONE):
        return None
    if installation == INSTALLATIONS[0] and "installation" in entry.own:
        # What all have in common for a manifest does not matter to a Deployment.
        entry = entry.without(_OF_MANIFESTS)
    part = problems.part()
    args = _arguments(entry, installation, part)
    placement = entry.value(
        part,
        PLACEMENTS[0],
        _PLACEMENT,
        require_one_of,
        entry.fields.get(_PLACEMENT, PLACEMENTS[0]),
        PLACEMENTS,
    )
    if installation == INSTALLATIONS[0] and _PLACEMENT in entry.fields and part.none:
        problem = InvalidInputError(_PLACEMENT, placement, "leave it out for a Deployment")
        entry.note(part, _PLACEMENT, problem)
    if part.none and istio.revisions:
        _check_together(args, entry, istio, part)
    return Agent(cast(IstiodAgentArgs, args), placement) if part.none else None


def _arguments(entry: Laid, installation: str, problems: Problems) -> dict[str, Any]:
    """The component's arguments, each looked at by itself, so that none hides another."""
    args: dict[str, Any] = {}
    for name, argument in _ARGUMENTS.items():
        if name not in entry.fields:
            continue
        args[argument] = entry.fields[name]
        if name in _OF_INSTALLATION:
            continue
        try:
            check_istiod_agent_args(cast(IstiodAgentArgs, {**_SOUND, argument: entry.fields[name]}))
        except InvalidInputError as error:
            entry.note(problems, name, _as_configured(error))
    if "version" not in entry.fields:
        fix = "use the version of Gloo Mesh, such as 2.5.13 or 2.5.13-fips"
        entry.note(problems, "version", InvalidInputError("version", None, fix))
    if _MANIFEST in entry.fields:
        args["resource"] = entry.value(
            problems, None, _MANIFEST, mapping_in, entry.fields[_MANIFEST], "one resource"
        )
    elif installation != INSTALLATIONS[0]:
        fix = f"name the file with the whole resource of installation {installation}"
        entry.note(problems, _MANIFEST, InvalidInputError(_MANIFEST, None, fix))
    return args


def _check_together(args: Mapping[str, Any], entry: Laid, istio: Istio, problems: Problems) -> None:
    if "resource" in args and len(istio.revisions) > 1:
        fix = "list one with an istiodAgent.manifest, which has a single istiod's agent"
        field = f"{istio.place}.istioRevisions"
        problems.note(InvalidInputError(field, list(istio.revisions), fix))
        return
    istiod = {"istio_revision": istio.revisions[0], "istio_namespace": istio.namespace}
    try:
        check_istiod_agent_args(cast(IstiodAgentArgs, {**args, **istiod}))
    except InvalidInputError as error:
        if error.field == "istio_revision":
            field = f"{istio.place}.istioRevisions"
            problems.note(InvalidInputError(field, error.value, error.fix))
            return
        problem = _as_configured(error)
        entry.note(problems, problem.field.partition(".")[0], problem)


def _as_configured(error: InvalidInputError) -> InvalidInputError:
    problem = as_configured(error, {**_ARGUMENTS, _MANIFEST: "resource"})
    if error.field.partition(".")[0] == "resource":
        return InvalidInputError(problem.field, HIDDEN, problem.fix)
    return problem
