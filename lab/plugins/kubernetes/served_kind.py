"""A kind of objects together with what the connected cluster knows of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.plugins.kubernetes.cluster import Cluster, NoSuchKind
from lab.plugins.kubernetes.kinds import KubernetesKind
from lab.plugins.kubernetes.normalize import (
    normalized,
    normalized_secret,
    without_read_only_fields,
)
from lab.plugins.kubernetes.objects import is_unknown_at
from lab.plugins.kubernetes.schema import Schema, unknown_fields
from lab.plugins.provider.provider import Failure
from lab.plugins.provider.values import Properties, contains_unknown


@dataclass(frozen=True)
class ServedKind:
    """A kind in a cluster; without a cluster, only what is known of the kind itself counts."""

    kind: KubernetesKind
    cluster: Cluster | None

    def normal(self, inputs: Properties) -> Properties:
        """Return an object's inputs in the form in which the server would give them back."""
        if contains_unknown(inputs) or not self.kind.is_built_in:
            return without_read_only_fields(inputs)
        if self.kind.holds_secrets:
            return without_read_only_fields(normalized_secret(inputs))
        return normalized(self._schema(), inputs)

    def failures(self, inputs: Properties) -> Iterator[Failure]:
        """Yield what the inputs have that is not of this kind."""
        yield from self._wrong_identity(inputs)
        yield from self._unknown_fields(inputs)

    def is_namespaced(self) -> bool:
        """Tell whether objects of the kind are in namespaces."""
        if self.kind.namespaced is not None:
            return self.kind.namespaced
        if self.cluster is None:
            return True
        try:
            return self.cluster.endpoint(self.kind.api_version, self.kind.kind).namespaced
        except NoSuchKind:
            return True  # most are; the definition may be yet to be created

    def is_served(self) -> bool:
        """Tell whether there is a cluster, and it has the kind by now."""
        if self.cluster is None:
            return False
        try:
            self.cluster.endpoint(self.kind.api_version, self.kind.kind)
        except NoSuchKind:
            return False
        return True

    def _wrong_identity(self, inputs: Properties) -> Iterator[Failure]:
        for field, expected in (
            ("apiVersion", self.kind.api_version),
            ("kind", self.kind.kind),
        ):
            if not is_unknown_at(inputs, field) and inputs.get(field) != expected:
                yield Failure(
                    field, f"{self.kind.token} has {field} {expected!r}, not {inputs.get(field)!r}"
                )

    def _unknown_fields(self, inputs: Properties) -> Iterator[Failure]:
        schema = self._schema()
        if schema is None:
            return  # the server refuses them in its turn
        for path, known in unknown_fields(schema, inputs):
            yield Failure(
                path,
                f"{self.kind.api_version}/{self.kind.kind} has no field {path!r}; "
                f"known there: {', '.join(known)}",
            )

    def _schema(self) -> Schema | None:
        if self.cluster is None:
            return None
        return self.cluster.schema(self.kind.api_version, self.kind.kind)
