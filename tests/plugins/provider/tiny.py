"""A provider of one type that keeps its resources in memory; runs as a plugin of its own too."""

import sys
from collections.abc import Sequence

from typing_extensions import override

from lab.plugins.provider.provider import (
    Change,
    Checked,
    Created,
    Difference,
    Failure,
    Kind,
    PartialFailure,
    Provider,
    ProviderError,
    Reading,
    ResourceType,
    UnknownType,
)
from lab.plugins.provider.serve import serve
from lab.plugins.provider.values import UNKNOWN, Properties, Secret, reveal

BOX = "tiny:index/box:Box"
READ_BOX = "tiny:index/readBox:readBox"


class Box(ResourceType):
    """A box with a size, a label and a secret code; it remembers how it was called."""

    def __init__(self) -> None:
        self.stored: dict[str, Properties] = {}
        self.calls: list[tuple[object, ...]] = []

    @override
    def check(self, urn: str, olds: Properties, news: Properties) -> Checked:
        self.calls.append(("check", urn, olds, news))
        if "size" not in news:
            return Checked(news, [Failure("size", "a box has\n a size")])
        return Checked({"label": "none", **news})

    @override
    def diff(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        self.calls.append(("diff", resource_id, old_inputs, old_state, tuple(ignore_changes)))
        if old_inputs == news:
            return Difference(changes=False, stables=["size"])
        return Difference(
            changes=True,
            replaces=["size"],
            detailed={
                "size": Change(Kind.UPDATE.replacing()),
                "labels[0].text": Change(Kind.ADD, of_input=True),
            },
            delete_before_replace=True,
        )

    @override
    def create(self, urn: str, news: Properties, *, preview: bool, timeout: float) -> Created:
        self.calls.append(("create", urn, news, preview, timeout))
        if preview:
            return Created("", {**news, "serial": UNKNOWN})
        match news.get("label"):
            case "bug":
                raise KeyError(reveal(news["code"]))
            case "refused":
                raise ProviderError("no such label:\n  refused")
            case "half":
                raise PartialFailure("box-h", {"serial": 1}, news, ["lid\nmissing", "dented"])
        self.stored["box-1"] = {**news, "serial": 1, "code": Secret("hidden")}
        return Created("box-1", self.stored["box-1"])

    @override
    def read(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties
    ) -> Reading | None:
        if resource_id not in self.stored:
            return None
        return Reading(resource_id, {"size": 1}, self.stored[resource_id])

    @override
    def update(
        self,
        resource_id: str,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        *,
        preview: bool,
        timeout: float,
        ignore_changes: Sequence[str],
    ) -> Properties:
        self.calls.append(("update", resource_id, old_inputs, old_state, preview))
        return {**old_state, **news}

    @override
    def delete(
        self, resource_id: str, urn: str, inputs: Properties, state: Properties, *, timeout: float
    ) -> None:
        self.calls.append(("delete", resource_id, inputs, state))
        self.stored.pop(resource_id, None)


class TinyProvider(Provider):
    """Has boxes, and can be told to accept secrets or not."""

    name = "tiny"
    version = "1.2.3"

    def __init__(self, *, accepts_secrets: bool = True) -> None:
        self.box = Box()
        self.configuration: Properties = {}
        self.cancelled = False
        self._accepts_secrets = accepts_secrets

    @property
    @override
    def accepts_secrets(self) -> bool:
        return self._accepts_secrets

    @override
    def check_config(self, urn: str, olds: Properties, news: Properties) -> Checked:
        return Checked(news)

    @override
    def diff_config(
        self,
        urn: str,
        old_inputs: Properties,
        old_state: Properties,
        news: Properties,
        ignore_changes: Sequence[str],
    ) -> Difference:
        return Difference(changes=old_inputs != news)

    @override
    def configure(self, inputs: Properties) -> None:
        self.configuration = inputs

    @override
    def resource(self, token: str) -> ResourceType:
        if token != BOX:
            raise UnknownType(self.name, token)
        return self.box

    @override
    def invoke(self, token: str, arguments: Properties) -> Properties:
        if token != READ_BOX:
            raise UnknownType(self.name, token)
        return {"found": arguments.get("id"), "code": Secret("hidden")}

    @override
    def cancel(self) -> None:
        # Where it is a process of its own, this shows from outside that it was called.
        self.cancelled = True
        print("cancelled", flush=True)


if __name__ == "__main__":
    serve(TinyProvider(), sys.argv[1:])
