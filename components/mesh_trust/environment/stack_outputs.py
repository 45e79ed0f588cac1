"""Outputs of stacks, as their last updates left them."""

import time
from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_trust.provider_errors import said_by_provider

_WRITING_SECONDS = 10
_PAUSE_SECONDS = 0.1


class OutputsUnreadableError(pulumi.RunError):
    """The engine does not tell a stack's outputs; the message is a single line."""


def own_outputs() -> Mapping[str, Any]:
    """Those of the running stack.

    Raises:
        OutputsUnreadableError: they cannot be told.
    """
    # In an update the engine writes the state now and then, and a file that is being written
    # cannot be read.
    patience = 0 if pulumi.runtime.is_dry_run() else _WRITING_SECONDS
    return outputs_of(pulumi.get_stack(), ", which tell the present root", patience)


def outputs_of(stack: str, told: str = "", patience_seconds: float = 0) -> Mapping[str, Any]:
    """Those of `stack`: `organization/project/stack`, or the name of one of this project.

    `told` goes on in the message where they cannot be told, with what they are read for.

    Raises:
        OutputsUnreadableError: they cannot be told.
    """
    name = stack
    if "/" not in stack:
        name = "/".join((pulumi.get_organization(), pulumi.get_project(), stack))
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            # As a StackReference does it, without becoming a resource of the stack.
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name})
        except pulumi.RunError:
            # The engine itself is at its end.
            raise
        except Exception as error:  # noqa: BLE001 - the SDK raises nothing narrower
            if time.monotonic() >= deadline:
                raise OutputsUnreadableError(
                    f"the outputs of {name} cannot be read{told} "
                    f"({said_by_provider(error)}); see whether "
                    f"`pulumi stack output --stack {name}` reads them"
                ) from None
            time.sleep(_PAUSE_SECONDS)
        else:
            outputs: Mapping[str, Any] = answer.value["outputs"]
            return outputs
