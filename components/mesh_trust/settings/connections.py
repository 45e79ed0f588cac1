"""How the program gets to a cluster: a kubeconfig and a context of it."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pulumi

from mesh_trust import InvalidInputError
from mesh_trust.client_configuration import is_content
from mesh_trust.kubeconfig import Kubeconfig
from mesh_trust.kubernetes_values import require_object_name

from .problems import HIDDEN, Problems
from .values import is_secret, known_fields, require_filled, structure

KEY = "kubeconfig"
MANAGEMENT = "management"
"""Key of the configuration, and name of the management cluster among the providers."""
MANAGEMENT_FIELDS = ("context", "kubeconfig")
PLACEMENTS = ("workload", MANAGEMENT)
"""Where what belongs to a workload cluster can be: in it, or in the management cluster."""

# Of DNS, RFC 1035, 2.3.4.
_LONGEST_LABEL = 63
_NOT_IN_A_LABEL = re.compile(r"[^a-z0-9.-]+")


@dataclass(frozen=True)
class Connection:
    """A context that is there, and the kubeconfig that has it."""

    kubeconfig: str = field(repr=False)
    """Path of the file, or its content."""
    context: str
    read: Kubeconfig = field(repr=False, compare=False)
    """What the kubeconfig says."""

    @property
    def reached(self) -> tuple[object, ...]:
        """What tells the server that it leads to from others."""
        return self.read.reached(self.context)

    @property
    def provider_kubeconfig(self) -> pulumi.Input[str]:
        """The kubeconfig as a provider takes it: a secret where it is the content."""
        if is_content(self.kubeconfig):
            return pulumi.Output.secret(self.kubeconfig)
        return self.kubeconfig


class Connections:
    """Reads connections; a kubeconfig that cannot be read is noted once, however many use it."""

    def __init__(self, config: pulumi.Config, problems: Problems) -> None:
        self._config = config
        self._files: dict[str, Kubeconfig | None] = {}
        self._problems = problems

    @cached_property
    def _environment(self) -> str | None:
        # Only where a cluster has none of its own.
        return self._problems.value(None, self._environments_kubeconfig)

    def management(self) -> Connection | None:
        """The management cluster's; None where there is none, or where it is noted as wrong."""
        entry = structure(self._config, MANAGEMENT)
        if entry is None or entry == {}:
            return None
        problems = self._problems.part()
        entry = known_fields(MANAGEMENT, entry, MANAGEMENT_FIELDS, problems)
        if not entry:
            return None
        field = f"{MANAGEMENT}.context"
        context = problems.value(None, require_filled, field, entry.get("context"))
        return self.connection(entry, MANAGEMENT, context, problems)

    def connection(
        self, entry: Mapping[str, Any], place: str, context: str | None, problems: Problems
    ) -> Connection | None:
        """The one of the cluster that `entry`, at `place`, describes; None where it is wrong."""
        own = "kubeconfig" in entry
        field, key = (f"{place}.kubeconfig", place.partition("[")[0]) if own else (KEY, KEY)
        if own:
            secret = is_secret(self._config, key)
            kubeconfig = problems.value(
                None, self._usable, field, entry["kubeconfig"], secret=secret
            )
        else:
            kubeconfig = self._environment
        if context is None:
            return None
        problems.value(None, _require_context_name, f"{place}.context", context)
        if kubeconfig is None:
            return None
        read = self._file(kubeconfig, field, problems)
        if read is None or problems.value(None, read.require_context, context) is None:
            return None
        return Connection(kubeconfig, context, read)

    def _file(self, kubeconfig: str, field: str, problems: Problems) -> Kubeconfig | None:
        if kubeconfig not in self._files:
            noting = self._problems if field == KEY else problems
            self._files[kubeconfig] = noting.value(None, Kubeconfig.read, kubeconfig, field)
        return self._files[kubeconfig]

    def _environments_kubeconfig(self) -> str:
        value = self._config.get(KEY) or os.environ.get("KUBECONFIG") or "~/.kube/config"
        return self._usable(KEY, value, secret=is_secret(self._config, KEY))

    def _usable(self, field: str, value: object, *, secret: bool) -> str:
        if not isinstance(value, str):
            fix = "give it a path, or the content of a kubeconfig as a text"
            raise InvalidInputError(field, HIDDEN, fix)
        kubeconfig = require_filled(field, value)
        if is_content(kubeconfig):
            if not secret:
                raise InvalidInputError(
                    field,
                    HIDDEN,
                    "its content stands in clear in the stack's configuration: take it out there, "
                    f"and set it with `pulumi config set --secret --path '{field}'`",
                )
            return kubeconfig
        if os.pathsep in kubeconfig:
            raise InvalidInputError(
                field,
                kubeconfig,
                "name one file; merge several with `kubectl config view --flatten`",
            )
        return os.path.expanduser(kubeconfig)  # noqa: PTH111 - what a provider takes is a text


def note_untold_management(config: pulumi.Config, what: str, problems: Problems) -> None:
    """Notes that the management cluster is needed and not told: the one that `what`."""
    if structure(config, MANAGEMENT) in (None, {}):
        fix = f"name the context of the cluster that {what}"
        problems.note(InvalidInputError(f"{MANAGEMENT}.context", None, fix))


def _require_context_name(field: str, context: str) -> None:
    """Checks that `context` is a DNS name, as Gloo puts it into a certificate as one.

    Raises:
        InvalidInputError: it is not: RFC 1123, in lower case.
    """
    try:
        require_object_name(field, context)
    except InvalidInputError:
        better = _NOT_IN_A_LABEL.sub("-", context.lower()).strip("-.")[:_LONGEST_LABEL].strip("-.")
        fix = f" {better}" if better else ""
        raise InvalidInputError(
            field,
            context,
            "rename it to a DNS name, as Gloo makes one of it in a certificate: "
            f"kubectl config rename-context {shlex.quote(context)}{fix}",
        ) from None
