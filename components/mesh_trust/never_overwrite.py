"""Keeps a program from overwriting what is there already and was not made by it.

Vault overwrites policies, roles and configurations silently. So each is looked for before the
engine creates it, which it does only for what is not in the stack's state. A preview gathers all
that is found, and fails at its end.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.resource import DependencyResource
from pulumi.runtime import is_dry_run

from .adoption import Existing, Path, refusal_of_all, refusal_of_one
from .provider_errors import said_by_provider
from .vault_lookup import KINDS, Inputs, Kind
from .warning import warn

BEFORE_CREATE = "mesh-trust:never-overwrite"
BEFORE_UPDATE = "mesh-trust:note-moves"


def never_overwriting(
    opts: pulumi.ResourceOptions | None, also: Mapping[str, Kind] | None = None
) -> pulumi.ResourceOptions:
    """A component's options `opts`, with which its descendants overwrite nothing in Vault.

    Neither do they overwrite what `also` tells, by type token, how to look for. Where something is
    there already, a preview fails with an ExistingSetupError that names all of it, and an `up`
    without a preview at the first such thing, before it is touched.
    """
    watch = _watch if also is None else partial(_watch, also=also)
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[watch]))


def _watch(
    args: pulumi.ResourceTransformationArgs, also: Mapping[str, Kind] | None = None
) -> pulumi.ResourceTransformationResult | None:
    run = _run_of(asyncio.get_running_loop())
    kind = {**KINDS, **(also or {})}.get(args.type_)
    # The innermost component's own transformation comes first.
    if not run.place(args.resource, args.opts.parent) or kind is None:
        return None
    run.watch(args.resource, kind)
    hooked = pulumi.ResourceOptions(hooks=run.hooks)
    return pulumi.ResourceTransformationResult(
        args.props, pulumi.ResourceOptions.merge(args.opts, hooked)
    )


class _Run:
    """One run of a program: what it is about to make, and what of that is there already."""

    def __init__(self) -> None:
        self._parents: dict[pulumi.Resource, pulumi.Resource | None] = {}
        self._watched: list[pulumi.Resource] = []
        self._kinds: dict[pulumi.Resource, Kind] = {}
        self._existing: list[Existing] = []
        self._moved: set[str] = set()
        self._new_mounts: set[tuple[pulumi.Resource | None, Any, str]] = set()
        self._warned: set[str] = set()
        self._report: pulumi.Output[int] | None = None

    @cached_property
    def hooks(self) -> pulumi.ResourceHookBinding:
        """The hooks of every resource that is watched."""
        always = pulumi.ResourceHookOptions(on_dry_run=True)
        return pulumi.ResourceHookBinding(
            before_create=[pulumi.ResourceHook(BEFORE_CREATE, self._before_create, always)],
            before_update=[pulumi.ResourceHook(BEFORE_UPDATE, self._before_update)],
        )

    def place(self, resource: pulumi.Resource, parent: pulumi.Resource | None) -> bool:
        """Keep in mind where a resource is; False where that is known already."""
        known = resource in self._parents
        self._parents[resource] = parent
        return not known

    def watch(self, resource: pulumi.Resource, kind: Kind) -> None:
        """Have what is found of it, as `kind` says, reported at the end of a preview."""
        self._watched.append(resource)
        self._kinds[resource] = kind
        if is_dry_run() and self._report is None:
            # The SDK waits for every output there is, and ends with what one raises.
            self._report = pulumi.Output.from_input(self._report_all())

    async def _report_all(self) -> int:
        """Fail if anything is there, once all is registered; else give how much was looked at."""
        reported = 0
        while reported < len(self._watched):
            batch = self._watched[reported:]
            reported += len(batch)
            # One that failed for another reason is reported by the engine.
            await asyncio.gather(*(each.urn.future() for each in batch), return_exceptions=True)
        self._report = None
        if any(each.seen for each in self._existing):
            raise refusal_of_all(self._existing, pulumi.get_stack())
        return reported

    async def _before_create(self, args: pulumi.ResourceHookArgs) -> None:
        inputs = args.new_inputs or {}
        if self._came_along(inputs):
            return
        resource = await self._resource_of(args)
        kind = self._kinds[resource]
        provider, parent = resource.get_provider(args.type), self._parents[resource]
        vault = (provider, inputs.get("namespace"))
        if kind.within is not None and (*vault, kind.within(inputs)) in self._new_mounts:
            return
        found = await self._find(kind, inputs, pulumi.InvokeOptions(provider=provider))
        if found is None:
            if kind.makes is not None and kind.where not in self._warned:
                # Vault would refuse it if somebody were quicker. So nothing is in it before.
                self._new_mounts.add((*vault, kind.makes(inputs)))
            return
        existing = Existing(
            kind.label,
            found,
            (*await self._place_of(resource), (args.type, args.name)),
            None if parent is None else await _known(parent.urn),
            None if provider is None else await _known(provider.urn),
            seen=kind.seen,
            of_mount=str(inputs.get("backend")) if kind.of_mount else None,
        )
        self._existing.append(existing)
        # What another program has asked for ends with each component: nobody waits for all here.
        if existing.seen and not (is_dry_run() and self._is_of_this_program(resource)):
            raise refusal_of_one(existing, pulumi.get_stack())

    async def _find(self, kind: Kind, inputs: Inputs, opts: pulumi.InvokeOptions) -> str | None:
        try:
            return await kind.find(inputs, opts)
        except pulumi.RunError:
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
            unseen = f"what {kind.where} has already cannot be seen ({said_by_provider(error)})"
            if not is_dry_run():
                raise pulumi.RunError(unseen) from None
            if kind.where not in self._warned:
                self._warned.add(kind.where)
                warn(f"{unseen}; this preview goes on without it")
            return None

    def _came_along(self, inputs: Inputs) -> bool:
        """Whether it is in a mount that this update has moved, and so is in the state with it."""
        path = f"{inputs.get('path')}/"
        return inputs.get("backend") in self._moved or any(
            path.startswith(f"auth/{moved}/") for moved in self._moved
        )

    def _before_update(self, args: pulumi.ResourceHookArgs) -> None:
        old, new = args.old_inputs or {}, args.new_inputs or {}
        if old.get("path") != new.get("path"):
            self._moved.add(str(new.get("path")))

    async def _resource_of(self, args: pulumi.ResourceHookArgs) -> pulumi.Resource:
        """The resource that a hook is called for, whose URN the program is not told before."""
        for resource, parent in self._parents.items():
            if resource.pulumi_resource_name != args.name:
                continue
            prefix = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::"
            if parent is not None:
                # A child is registered once its parent is.
                prefix = "::".join((await _known(parent.urn)).split("::", 3)[:3]) + "$"
            if args.urn == f"{prefix}{args.type}::{args.name}":
                return resource
        raise LookupError(args.urn)

    def _is_of_this_program(self, resource: pulumi.Resource) -> bool:
        top = resource
        while (parent := self._parents.get(top)) is not None:
            top = parent
        return not isinstance(top, DependencyResource)

    async def _place_of(self, resource: pulumi.Resource) -> Path:
        parents: list[tuple[str, str]] = []
        parent = self._parents[resource]
        while parent is not None:
            # Not its attributes: of a parent in another program there is the URN alone.
            *_, types, name = (await _known(parent.urn)).split("::", 3)
            parents.insert(0, (types.rpartition("$")[2], name))
            parent = self._parents.get(parent)
        return tuple(each for each in parents if each[0] != _STACK)


_THREADS = 10_000
"""More than a stack has resources. They are started when they are needed."""

_STACK = "pulumi:pulumi:Stack"
"""The type of what is the parent of all that has no other, where another program registers it."""

_RUNS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Run] = WeakKeyDictionary()
"""The run of each event loop: a process may run several programs, one after the other."""


def _run_of(loop: asyncio.AbstractEventLoop) -> _Run:
    if loop not in _RUNS:
        _RUNS[loop] = _Run()
        # A hook asks Vault in a thread of the same executor in which each registration waits for
        # the engine, which waits for the hook. Those that there are would all be taken.
        loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    return _RUNS[loop]


async def _known(value: pulumi.Output[str]) -> str:
    return str(await value.future())
