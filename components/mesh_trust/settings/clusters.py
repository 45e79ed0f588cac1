"""What the stack's configuration says of the workload clusters, each and side by side."""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

import pulumi

from mesh_trust import ClusterLogin, InvalidInputError

from .cluster import LAID_OVER, Cluster, Common, load_cluster
from .connections import Connections
from .names import VaultNames
from .problems import Problems
from .values import known_fields, structure

KEY = "clusters"


def load_clusters(
    config: pulumi.Config,
    connections: Connections,
    login: ClusterLogin,
    names: VaultNames,
    problems: Problems,
) -> tuple[Cluster, ...]:
    """Reads those that can be used from `config`; notes what is wrong with the others."""
    entries = structure(config, KEY)
    if not isinstance(entries, list) or not entries:
        problems.note(InvalidInputError(KEY, entries, "list at least one workload cluster"))
        return ()
    laid_over = {key: _of_all(config, key, fields, problems) for key, fields in LAID_OVER.items()}
    common = Common(connections, login, names, laid_over, problems)
    again = _note_repetitions(entries, problems)
    read = [
        load_cluster(entry, f"{KEY}[{index}]", common, problems)
        for index, entry in enumerate(entries)
    ]
    clusters = tuple(
        cluster for index, cluster in enumerate(read) if cluster is not None and index not in again
    )
    for one, other in combinations(clusters, 2):
        _note_likeness(one, other, problems)
    return clusters


def _of_all(
    config: pulumi.Config, key: str, fields: Collection[str], problems: Problems
) -> Mapping[str, Any]:
    """What all clusters have in common, over which each lays its own."""
    entry = structure(config, key)
    return {} if entry is None else known_fields(key, entry, fields, problems)


def _note_repetitions(entries: Sequence[object], problems: Problems) -> set[int]:
    """Notes names and contexts that come twice, or would if written as they have to be.

    Gives the places of those that come again.
    """
    names: dict[str, str] = {}
    contexts: dict[tuple[str, str], str] = {}
    again = set()
    for index, entry in enumerate(entries):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            continue
        place, name = f"{KEY}[{index}]", entry["name"]
        normal = "-".join(name.lower().replace("_", " ").split())
        context = str(entry.get("context", name))
        reached = (str(entry.get("kubeconfig")), context)
        if normal in names:
            again.add(index)
            other = names[normal]
            fix = "list each cluster once"
            if other != name:
                fix = f"use another name: written as it has to be, it is that of {other!r}"
            problems.note(InvalidInputError(f"{place}.name", name, fix))
        elif reached in contexts:
            again.add(index)
            fix = f"use another one: it is that of {contexts[reached]}"
            problems.part(name).note(InvalidInputError(f"{place}.context", context, fix))
        names.setdefault(normal, name)
        contexts.setdefault(reached, name)
    return again


def _note_likeness(one: Cluster, other: Cluster, problems: Problems) -> None:
    part = problems.part(other.name)
    few, many = sorted((one.labels, other.labels), key=len)
    if few.items() <= many.items():
        fix = f"use labels that tell it from {one.name}, which has {dict(one.labels)}"
        part.note(InvalidInputError(f"{other.place}.clusterLabels", dict(other.labels), fix))
    if one.connection.reached == other.connection.reached:
        fix = f"use another context: it leads to the API server of {one.name}"
        part.note(InvalidInputError(f"{other.place}.context", other.connection.context, fix))
