"""The page that says what was measured, made of the figures alone."""

from collections.abc import Sequence

from bench.figures import (
    ADD,
    HOST,
    NO_CHANGE,
    OPERATIONS,
    POD,
    PULUMI,
    SET_UP,
    WAYS,
    Results,
    aims,
)
from bench.measured import PARTS

NAMES = {POD: "guide, in the pod", HOST: "guide, on the host", PULUMI: "the program"}

_INTRODUCTION = """\
# How long it takes

Made by `make bench` from [results.json](results.json); not to be edited by hand.

Three ways to the same trust, one after the other in the same run, each beginning with nothing:

- **guide, in the pod**: the steps of Gloo's guide, with its faults mended
  ([guide.sh](../guide.sh)), by `kubectl exec` in the pod of Vault, cluster by cluster;
- **guide, on the host**: the same script, with the `vault` of this machine in place of `kubectl
  exec`;
- **the program**: `pulumi up` of this project, and what else there is to be done with it.

Vault (mode dev, in a pod on a real node) and the clusters (real API servers, without nodes) are
there beforehand. Before its time counts, what a way has made is read with the servers' own
clients: mounts, issuers, roles, policies, accounts, RBAC and RootTrustPolicies have to be the
same, value by value. istiod is left out: no way restarts one. The guide's user `admin` is left
out too. The root's key is ECDSA P-384 everywhere, as making an RSA key takes a fifth of a second
or several by chance.
"""

_COLUMNS = (
    ("wall, s", "wall_seconds", 1),
    ("CPU, s", "processor_seconds", 1),
    ("CPU of servers, s", "servers_seconds", 1),
    ("memory, MiB", "peak_mebibytes", 0),
    ("calls to Vault", "vault_calls", 0),
    ("calls to Kubernetes", "kubernetes_calls", 0),
)

_EXPLANATION = """\
Medians; the range is that of all rounds. CPU and memory are those of a command and all that it
starts: memory is the largest sum of proportional set sizes, seen every quarter of a second. In
the pod, Vault's client runs on the node, and so counts with the servers, which are etcd, all API
servers with their controller managers, Vault, and the node. Calls are what Vault and the API
servers noted in their audit logs; Vault notes no questions after its health, nor other requests
that need no token.
"""


def page(results: Results, picture: str) -> str:
    """Return the page, Markdown; `picture` is the name of the picture beside it."""
    return "\n".join(
        (
            _INTRODUCTION,
            f"![Wall time by operation and way]({picture})\n",
            _machine(results),
            _aims(results),
            *(_table(results, size) for size in results.sizes()),
            _EXPLANATION,
            _parts(results),
        )
    )


def _machine(results: Results) -> str:
    lines = [f"- {what}: {it}" for what, it in results.machine.items()]
    rounds = [
        f"{len({each.turn for each in results.figures if each.size == size})} with {size} clusters"
        for size in results.sizes()
    ]
    return "\n".join(("## The machine\n", *lines, f"- rounds: {', '.join(rounds)}", ""))


def _aims(results: Results) -> str:
    rows = [
        (each.text, f"{each.most:g}", f"{each.reached:.2f}", "yes" if each.holds else "**no**")
        for each in aims(results)
    ]
    head = ("wall time of the program", "at most", "measured", "reached")
    return "## What it was to reach\n\n" + _markdown(head, rows)


def _table(results: Results, size: int) -> str:
    rows = []
    for operation in OPERATIONS:
        for way in WAYS:
            those = results.those(size, way, operation)
            if not those:
                continue
            figures = [
                f"{results.median(size, way, operation, name):.{digits}f}"
                for _, name, digits in _COLUMNS
            ]
            walls = sorted(each.wall_seconds for each in those)
            figures.insert(1, f"{walls[0]:.1f} to {walls[-1]:.1f}")
            rows.append((operation, NAMES[way], *figures))
    names = [name for name, _, _ in _COLUMNS]
    head = ("operation", "way", names[0], "range, s", *names[1:])
    return f"## {size} clusters\n\n" + _markdown(head, rows)


def _parts(results: Results) -> str:
    """Where the program's processor time goes."""
    rows = []
    for size in results.sizes():
        for operation in (SET_UP, NO_CHANGE, ADD):
            those = results.those(size, PULUMI, operation)
            if not those:
                continue
            means = [
                sum(each.processor_by_part.get(part, 0.0) for each in those) / len(those)
                for part in PARTS
            ]
            rows.append((str(size), operation, *(f"{mean:.1f}" for mean in means)))
    head = ("clusters", "operation", *(f"{part}, s" for part in PARTS))
    return "## Whose CPU time it is, of the program\n\n" + _markdown(head, rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines) + "\n"
