"""Objects that are written to YAML files for others to apply, and to no cluster.

Paths and content are those of the official plugin. That one may write a file during a preview
already; here a preview writes nothing. It leaves a file that has gone missing alone until the
object changes, and so does this.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.plugins.kubernetes.difference import changes
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.naming import field_manager, named
from lab.plugins.kubernetes.objects import name_of, namespace_of, qualified_name, text
from lab.plugins.kubernetes.state import compose, mark_secrets, recorded
from lab.plugins.provider.engine_log import EngineLog
from lab.plugins.provider.provider import (
    Checked,
    Created,
    Difference,
    ProviderError,
    Reading,
    ResourceType,
)
from lab.plugins.provider.values import Properties, Value, contains_secret, reveal_properties

_DEFINITIONS, _MANIFESTS = "0-crd", "1-manifest"
_UNSAFE = str.maketrans("/:", "__")


def rendered_path(directory: Path, rendered: Properties) -> Path:
    """The file of an object below `directory`."""
    kind, group_version = text(rendered, "kind"), text(rendered, "apiVersion")
    definition = kind == "CustomResourceDefinition"
    parts = (
        group_version.translate(_UNSAFE),
        kind.lower(),
        namespace_of(rendered) or "default",
        name_of(rendered),
    )
    return directory / (_DEFINITIONS if definition else _MANIFESTS) / f"{'-'.join(parts)}.yaml"


class RenderedObject(ResourceType):
    """Objects of one kind, each a file."""

    def __init__(self, kind: KubernetesKind, directory: Path, log: EngineLog) -> None:
        if kind.is_patch or kind.is_named_as_patch:
            raise ProviderError(
                f"{kind.token} cannot be rendered by the lab's own kubernetes plugin"
            )
        self._kind, self._directory, self._log = kind, directory, log

    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        """Give the object a name; without a cluster nobody tells which fields there are."""
        plain: Any = _without_nulls(reveal_properties(news))
        inputs = mark_secrets(named(urn, reveal_properties(olds), plain), news)
        if contains_secret(inputs):
            self._log.warn(urn, "its file has a secret in it, in clear")
        return Checked(inputs)

    def diff(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        old_inputs: Properties,  # noqa: ARG002 - the state has them, as they were rendered
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        """Compare what was rendered with new inputs."""
        old, new = recorded(old_state).inputs, reveal_properties(news)
        replacing = self._kind.replacing_fields(content_may_change=False)
        detailed = changes(old, new, replacing, ignore_changes)
        replaces = [path for path, change in detailed.items() if change.kind.replaces]
        same_file = (namespace_of(old), name_of(old)) == (namespace_of(new), name_of(new))
        return Difference(
            changes=bool(detailed),
            replaces=replaces,
            detailed=detailed,
            delete_before_replace=bool(replaces) and same_file,
        )

    def create(
        self,
        urn: str,  # noqa: ARG002
        news: Properties,
        *,
        preview: bool,
        timeout: float,  # noqa: ARG002 - nothing is awaited
    ) -> Created:
        """Write the file."""
        if preview:
            return Created("", news)
        return Created(qualified_name(reveal_properties(news)), self._rendered(news, {}))

    def read(
        self,
        resource_id: str,
        urn: str,  # noqa: ARG002
        inputs: Properties,
        state: Properties,
    ) -> Reading | None:
        """Give what was rendered last: the file is not looked at."""
        if not state:
            raise ProviderError(f"{resource_id} cannot be imported: it is rendered, and not read")
        return Reading(resource_id, inputs, state)

    def update(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        old_inputs: Properties,  # noqa: ARG002 - the state has them, as they were rendered
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,  # noqa: ARG002 - nothing is awaited
        ignore_changes: Sequence[str],  # noqa: ARG002 - the engine has put the old values in
    ) -> Properties:
        """Write the file anew."""
        if preview:
            return news
        return self._rendered(news, old_state)

    def delete(
        self,
        resource_id: str,  # noqa: ARG002
        urn: str,  # noqa: ARG002
        inputs: Properties,  # noqa: ARG002 - the state has them, as they were rendered
        state: Properties,
        *,
        timeout: float,  # noqa: ARG002 - nothing is awaited
    ) -> None:
        """Delete the file."""
        rendered_path(self._directory, recorded(state).inputs).unlink(missing_ok=True)

    def _rendered(self, news: Properties, former: Properties) -> Properties:
        """Write the file, and return the object's state."""
        inputs = reveal_properties(news)
        self._write(inputs)
        return compose(
            inputs,
            inputs,
            given=news,
            initial_api_version=text(inputs, "apiVersion"),
            field_manager=field_manager(former, inputs),
        )

    def _write(self, rendered: Properties) -> None:
        path = rendered_path(self._directory, rendered)
        try:
            for folder in (_DEFINITIONS, _MANIFESTS):
                (self._directory / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(yaml.safe_dump(rendered))
        except OSError as error:
            raise ProviderError(f"cannot write {path}: {error.strerror}") from None


def _without_nulls(value: Value) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
