"""Writes an object to the server: created first, applied ever after."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.plugins.kubernetes.annotations import forces_conflicts
from lab.plugins.kubernetes.cluster import ApiError, Cluster, NoSuchKind
from lab.plugins.kubernetes.naming import CREATING_FIELD_MANAGER
from lab.plugins.kubernetes.objects import name_of, namespace_of, text, with_value
from lab.plugins.kubernetes.ownership import (
    ConflictError,
    is_written_without_apply,
    leaving_ignored,
    managed_fields,
    taken_over,
)
from lab.plugins.kubernetes.readiness import Waiting
from lab.plugins.kubernetes.settings import Settings
from lab.plugins.provider.values import Properties

# An object may need a namespace or a definition that is only just being created.
_RETRY_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Writer:
    """Writes as one field manager; a dry run shows the outcome and changes nothing.

    A patch is applied from the start, and takes over no field but those that it names.
    """

    cluster: Cluster
    settings: Settings
    waiting: Waiting
    manager: str
    dry_run: bool
    is_patch: bool = False

    def create(self, inputs: Properties) -> Properties:
        """Create an object, giving what it depends on half a minute to appear.

        One that exists is an error, unless the configuration says that it is to be taken over.
        Raises `ApiError`, `NoSuchKind` and `ConflictError`.
        """
        write = self._upsert if self.settings.upsert or self.is_patch else self._create
        for pause in () if self.dry_run else _RETRY_PAUSES_SECONDS:
            try:
                return write(inputs)
            except NoSuchKind:
                self.waiting.pause(pause)
            except ApiError as error:
                if not error.is_not_found:
                    raise
                self.waiting.pause(pause)
        return write(inputs)

    def update(
        self, recorded_live: Properties, inputs: Properties, ignored: Sequence[str]
    ) -> Properties:
        """Apply new inputs to an object, leaving ignored fields (property paths) as they are.

        Raises `ApiError` and `ConflictError`.
        """
        live = self.cluster.get(
            text(inputs, "apiVersion"),
            text(inputs, "kind"),
            namespace_of(inputs),
            name_of(recorded_live),
        )
        leaves_others = self.dry_run or self.is_patch
        operations = [] if leaves_others else taken_over(live, self.manager)
        if operations:
            live = self.cluster.patch(live, operations)
        force = (
            self._forces(inputs)
            or (self.dry_run and is_written_without_apply(live))
            or not managed_fields(live)
        )
        return self._apply(leaving_ignored(inputs, live, self.manager, ignored), force=force)

    def relinquish(self, live: Properties) -> None:
        """Apply nothing to an object, so that the manager owns no field of it any more."""
        identity: Properties = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
        identity = with_value(identity, ("metadata", "name"), name_of(live))
        if namespace_of(live):
            identity = with_value(identity, ("metadata", "namespace"), namespace_of(live))
        self.cluster.apply(identity, self.manager, force=False, dry_run=self.dry_run)

    def _create(self, inputs: Properties) -> Properties:
        # By a name of its own, until the first update makes the manager of the state the owner.
        return self.cluster.create(inputs, CREATING_FIELD_MANAGER, dry_run=self.dry_run)

    def _upsert(self, inputs: Properties) -> Properties:
        force = self._forces(inputs) or self.dry_run
        try:
            return self._apply(inputs, force=force)
        except ApiError as error:
            if not (self.dry_run and error.is_immutable_field):
                raise
        # The object will be replaced, which a dry run cannot show under the same name.
        elsewhere = with_value(inputs, ("metadata", "name"), f"{name_of(inputs)}-preview")
        return self._apply(elsewhere, force=force)

    def _forces(self, inputs: Properties) -> bool:
        return forces_conflicts(inputs) or self.settings.patch_force

    def _apply(self, resource: Properties, *, force: bool) -> Properties:
        try:
            return self.cluster.apply(resource, self.manager, force=force, dry_run=self.dry_run)
        except ApiError as error:
            if error.is_conflict:
                raise ConflictError(error, self.manager) from error
            raise
