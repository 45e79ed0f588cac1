"""How to take over what is there already, as commands that can be copied as they are."""

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pulumi

Path: TypeAlias = tuple[tuple[str, str], ...]
"""A resource's place in the program: type and name of each component around it, the outermost
first, and its own."""

# Nothing is asked, no code is written, and protection is left to the program.
_IMPORT = "pulumi import --stack {stack} --yes --protect=false --generate-code=false"


@dataclass(frozen=True)
class Existing:
    """A thing that is there already, or may be, and the resource that would have made it."""

    label: str
    """What it is, for example `auth mount`."""
    id: str
    """The id to import it with, which also tells a reader which one it is."""
    path: Path
    parent_urn: str | None
    provider_urn: str | None
    """None for the package's default provider."""
    seen: bool = True
    """Whether it is there and foreign; False where that is not known, or hangs on `of_mount`."""
    of_mount: str | None = None
    """Path of the mount with which it is foreign; None for a thing of its own."""


class ExistingSetupError(pulumi.RunError):
    """What the stack would make is there already; the message has the commands that import it."""


def refusal_of_one(existing: Existing, stack: str) -> ExistingSetupError:
    """Tells that `existing` is left alone, and how to take it over into `stack`.

    For an update under way: component and provider are in the state already.
    """
    type_, name = existing.path[-1]
    options = []
    if existing.provider_urn is not None:
        options.append(f"--provider {_named_urn(existing.provider_urn)}")
    if existing.parent_urn is not None:
        options.append(f"--parent {_named_urn(existing.parent_urn, 'parent ')}")
    command = " ".join(
        [
            _IMPORT.format(stack=shlex.quote(stack)),
            *options,
            shlex.join((type_, name, existing.id)),
        ]
    )
    return ExistingSetupError(
        f"{existing.label} {existing.id} is there already, and not in the state of this stack; "
        f"nothing of it was overwritten. To take it over:\n{command}\n"
        "If nobody needs it, as when an interrupted `pulumi up` left it behind, it may be deleted "
        "instead. `pulumi preview` names all that there is at once."
    )


def refusal_of_all(existing: Iterable[Existing], stack: str) -> ExistingSetupError:
    """Tells what is there, that it is left alone, and how to take it over into `stack`.

    For a preview: nothing has to be in the state yet.
    """
    found = sorted(existing, key=lambda each: each.path)
    seen = [each for each in found if each.seen]
    foreign = {each.id for each in seen}
    parts = [each for each in found if each.of_mount in foreign]
    affected = {each.path[0] for each in seen}
    possible = [
        each
        for each in found
        if not each.seen and each.of_mount is None and each.path[0] in affected
    ]
    names = "\n".join(f"  {each.label} {each.id}" for each in seen)
    lines = [
        "This is there already, and not in the state of this stack; nothing of it is "
        f"overwritten:\n{names}",
        "To take it over, run the following; `pulumi preview` then shows what would be corrected "
        "(docs/existing-setup.md):",
        *_make_providers([*seen, *possible], stack),
        _import_all([*seen, *parts], stack),
    ]
    if possible:
        kinds = " and ".join(sorted({each.label for each in possible}))
        lines.append(f"Where the clusters have the guide's {kinds}, this too:")
        lines.append(_import_all(possible, stack))
    lines.append(
        "What nobody needs, such as what an interrupted `pulumi up` left behind, may be deleted "
        "instead."
    )
    return ExistingSetupError("\n".join(lines))


def _make_providers(existing: Sequence[Existing], stack: str) -> list[str]:
    targets = " ".join(f"--target {shlex.quote(urn)}" for urn in _provider_urns(existing))
    command = f"pulumi up --stack {shlex.quote(stack)} --yes --skip-preview {targets}"
    return [command] if targets else []


def _import_all(existing: Sequence[Existing], stack: str) -> str:
    # No file and no here-document: a copy that is indented works as well.
    content = shlex.quote(import_file(existing))
    return f"echo {content} | {_IMPORT.format(stack=shlex.quote(stack))} --file /dev/stdin"


def import_file(existing: Sequence[Existing]) -> str:
    """What `pulumi import --file` reads: the things, and the components that they belong to.

    Their providers have to be in the state already; components that are there too are left alone.
    """
    paths = {each.path[:length] for each in existing for length in range(1, len(each.path) + 1)}
    counted = Counter(path[-1][1] for path in paths)
    keys = {path: _key(path, counted) for path in paths}
    providers = {f"provider {_name(urn)}": urn for urn in _provider_urns(existing)}
    things = {each.path: each for each in existing}
    resources = [
        json.dumps(_entry(path, keys, things.get(path), providers)) for path in sorted(paths)
    ]
    listed = ",\n".join(f"  {resource}" for resource in resources)
    return f'{{"nameTable": {json.dumps(providers)}, "resources": [\n{listed}\n]}}'


def _provider_urns(existing: Sequence[Existing]) -> list[str]:
    return sorted({each.provider_urn for each in existing if each.provider_urn is not None})


def _key(path: Path, counted: Mapping[str, int]) -> str:
    """What the file calls a resource: its name, with its place where others have that name too."""
    name = path[-1][1]
    return name if counted[name] == 1 else " ".join(f"{type_} {each}" for type_, each in path)


def _entry(
    path: Path, keys: Mapping[Path, str], thing: Existing | None, providers: Mapping[str, str]
) -> dict[str, Any]:
    type_, name = path[-1]
    entry: dict[str, Any] = {"type": type_, "name": keys[path]}
    if keys[path] != name:
        entry["logicalName"] = name
    if len(path) > 1:
        entry["parent"] = keys[path[:-1]]
    if thing is None:
        return {**entry, "component": True}
    entry["id"] = thing.id
    provider = next((key for key, urn in providers.items() if urn == thing.provider_urn), None)
    return entry if provider is None else {**entry, "provider": provider}


def _named_urn(urn: str, prefix: str = "") -> str:
    """A resource as the command's options take it: any name, and its URN."""
    return shlex.quote(f"{prefix}{_name(urn)}={urn}")


def _name(urn: str) -> str:
    return urn.split("::", 3)[3]
