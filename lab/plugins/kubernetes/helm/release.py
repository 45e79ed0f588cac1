"""The life of one release: checked, compared, installed, read, upgraded, uninstalled."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

from lab.plugins.kubernetes.connection import Connection
from lab.plugins.kubernetes.helm import fields, operations
from lab.plugins.kubernetes.helm.checking import checked, completed
from lab.plugins.kubernetes.helm.command import Helm, HelmError
from lab.plugins.kubernetes.helm.importing import with_chart
from lab.plugins.kubernetes.helm.live import find_release, with_live
from lab.plugins.kubernetes.helm.operations import ReleaseFailed
from lab.plugins.kubernetes.helm.patch import changes
from lab.plugins.kubernetes.helm.state import (
    compose,
    recorded_fields,
    recorded_inputs,
    recorded_release,
)
from lab.plugins.kubernetes.helm.values import without_unknowns
from lab.plugins.kubernetes.objects import parse_qualified_name, text
from lab.plugins.kubernetes.redaction import redacted
from lab.plugins.kubernetes.reporting import reading_of_unreachable
from lab.plugins.kubernetes.state import mark_secrets
from lab.plugins.provider.engine_log import EngineLog
from lab.plugins.provider.provider import (
    Checked,
    Created,
    Difference,
    PartialFailure,
    ProviderError,
    Reading,
    ResourceType,
)
from lab.plugins.provider.values import Properties, reveal_properties


class HelmRelease(ResourceType):
    """Releases in one cluster."""

    takes_assets: ClassVar[bool] = True

    def __init__(self, connection: Connection, helm: Helm, log: EngineLog) -> None:
        self._connection = connection
        self._helm = helm
        self._log = log

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Refuse what is no field; give the release a name, defaults and an exact version."""
        connection = self._connection
        if connection.cluster is None and connection.settings.skip_update_unreachable:
            return Checked(olds)
        if news.get("allowNullValues") is True:
            self._log.warn(
                urn, "`allowNullValues` has no effect: nulls among the values are always kept"
            )
        return checked(self._helm, urn, olds, news, connection.default_namespace)

    def diff(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        old_inputs: Properties,  # noqa: ARG002 - the state has them, as they were installed
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare the release as last seen, as far as its inputs speak of it, with new inputs."""
        plain = reveal_properties(news)
        if "version" in ignore_changes:
            plain["version"] = text(reveal_properties(old_state), "version")
        detailed = changes(recorded_inputs(old_state) or {}, plain, recorded_release(old_state))
        return Difference(
            changes=bool(detailed),
            replaces=[path for path, change in detailed.items() if change.kind.replaces],
            detailed=detailed,
        )

    def create(
        self,
        urn: str,
        news: Properties,
        *,
        preview: bool,
        timeout: float,  # noqa: ARG002 - the release has its own
    ) -> Created:
        """Install the release."""
        release = _release(news)
        if preview:
            return Created("", compose(release, news, preview=True))
        self._reachable("create")
        resource_id = _id(release)
        try:
            with self._reporting(news):
                live = operations.install(self._helm, release)
        except ReleaseFailed as failed:
            self._log.warn(
                urn,
                f'Helm release "{text(release, "name")}" was created but has a failed status. '
                "Use the `helm` command to investigate the error, correct it, then retry. "
                f"Reason: {redacted(str(failed), news)}",
            )
            headline = (
                f'Helm release "{resource_id}" was created, but failed to initialize completely'
            )
            state = compose(with_live(release, failed.live), news)
            raise _partial_failure(headline, release, news, state, failed) from failed
        return Created(resource_id, compose(with_live(release, live), news))

    def read(
        self,
        resource_id: str,
        urn: str,
        inputs: Properties,
        state: Properties,
    ) -> Reading | None:
        """Read the release for a refresh or, where no state is known, for an import."""
        if self._connection.cluster is None:
            return reading_of_unreachable(self._connection, resource_id, inputs, state)
        release = fields.complete(
            recorded_release(state), fields.values_of(recorded_release(state))
        )
        if state:
            namespace, name = text(release, "namespace"), text(release, "name")
        else:
            namespace, name = parse_qualified_name(resource_id)
        with self._reporting(inputs):
            live = find_release(self._helm, namespace, name)
            if live is None:
                return None
            release = with_live(release, live)
            read_inputs = recorded_inputs(state)
            if read_inputs is None:
                release = with_chart(self._helm, release, live)
                read_inputs = completed(
                    urn, {}, fields.inputs_of(release), self._connection.default_namespace
                )
        # Within the state's own secret nothing tells any more what is one.
        read_inputs = mark_secrets(read_inputs, inputs)
        read_state = compose(release, read_inputs, before=state)
        return Reading(resource_id or _id(release), read_inputs, read_state)

    def update(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        old_inputs: Properties,  # noqa: ARG002
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,  # noqa: ARG002 - the release has its own
        ignore_changes: Sequence[str],  # noqa: ARG002 - the engine has applied them
    ) -> Properties:
        """Upgrade the release."""
        release = _release(news)
        if preview:
            return compose(release, news, before=old_state, preview=True)
        self._reachable("update")
        try:
            with self._reporting(news):
                live = operations.upgrade(self._helm, release)
        except ReleaseFailed as failed:
            headline = f'Helm release "{_id(release)}" failed to initialize completely'
            state = compose(with_live(release, failed.live), news, before=old_state)
            raise _partial_failure(headline, release, news, state, failed) from failed
        return compose(with_live(release, live), news, before=old_state)

    def delete(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,
        inputs: Properties,  # noqa: ARG002
        state: Properties,
        *,
        timeout: float,  # noqa: ARG002 - the release has its own
    ) -> None:
        """Uninstall the release; one that is already gone is an error, as with the official one.

        A refresh takes such a release out of the state.
        """
        self._reachable("delete")
        # The inputs in the state are secret as a whole: they would blot out the release's name.
        sent = recorded_fields(state)
        with self._reporting(sent):
            said = operations.uninstall(self._helm, recorded_release(state))
        if said:
            quoted = json.dumps(redacted(said, sent), ensure_ascii=False)
            self._log.warn(urn, f"Helm uninstall returned information: {quoted}")

    def _reachable(self, action: str) -> None:
        if self._connection.cluster is None:
            raise ProviderError(
                f"can't {action} Helm Release with unreachable cluster: "
                f"{self._connection.unreachable_because}"
            )

    @contextmanager
    def _reporting(self, sent: Properties) -> Iterator[None]:
        """Turn helm's error into one for the user, without anything secret of what was sent."""
        try:
            yield
        except HelmError as error:
            raise ProviderError(redacted(str(error), sent)) from error


def _release(news: Properties) -> Properties:
    known = without_unknowns(reveal_properties(news))
    return fields.complete(known, fields.values_of(known))


def _id(release: Properties) -> str:
    namespace, name = text(release, "namespace"), text(release, "name")
    return f"{namespace}/{name}" if namespace else name


def _partial_failure(
    headline: str, release: Properties, news: Properties, state: Properties, failed: ReleaseFailed
) -> PartialFailure:
    # Every failure is said to be one of time, whatever it is: the official plugin's words.
    message = (
        f"{headline}. Use Helm CLI to investigate: failed to become available within allocated "
        f"timeout. Error: Helm Release {_id(release)}: {redacted(str(failed), news)}"
    )
    return PartialFailure(_id(release), state, news, (message,))
