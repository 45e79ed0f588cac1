"""Configurations with one fault, each with the line that refuses it and a neighbour that passes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.x509 import load_pem_x509_certificate

from mesh_trust.root_checks import fingerprint
from tests.bad_input_of_vault import faults as vault_faults
from tests.bad_input_of_vault import vault_stack
from tests.certificates import Recipe, make

LABEL = "use 1 to 63 lower-case letters, digits and hyphens, a letter or digit at each end"
PATH = "use letters, digits, '_', '-' and '.', in segments separated by single slashes"
RENAME = (
    "rename it to a DNS name, as Gloo makes one of it in a certificate: "
    "kubectl config rename-context"
)
_SPARES = 40

CA = make(Recipe(common_name="a cluster's CA")).certificate_pem
SERVER = make(Recipe(common_name="a server", ca=False)).certificate_pem
_DAY = (datetime(2026, 1, 2, 12, tzinfo=UTC) - datetime.now(UTC)).total_seconds() / 86_400
# Of a fixed day, which a page shows.
EXPIRED = make(Recipe(common_name="an old CA", starts=_DAY - 9, ends=_DAY))


@dataclass(frozen=True)
class Row:
    """A fault: what is configured, what is said of it, and what passes in its place."""

    fault: str
    line: str
    """With `{folder}`, and for a cluster its place in the list, `{place}`."""
    bad: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the configuration."""
    good: Mapping[str, Any] = field(default_factory=dict)
    bad_cluster: Mapping[str, Any] | None = None
    """A cluster that is added to the list; its context, unless it says one, is sound."""
    good_cluster: Mapping[str, Any] | None = None
    further: str | None = None
    """Another line that is said of it."""
    of_vault: bool = False
    """Whether it is in a stack that installs Vault."""


def world(folder: Path, contexts: Mapping[str, Any] | None = None) -> Path:
    """Writes what the rows name into `folder`; gives a kubeconfig, with the ones of `contexts`."""
    for name, content in (("ca", CA), ("server", SERVER), ("old", EXPIRED.certificate_pem)):
        (folder / f"{name}.pem").write_text(content)
    (folder / "broken").write_text("{")
    (folder / "plugin").touch(mode=0o755)
    base = contexts or {"contexts": [], "clusters": [], "users": []}
    document = {kind: list(base[kind]) for kind in ("contexts", "clusters", "users")}
    for entry in _contexts():
        document["contexts"].append(
            {"name": entry["name"], "context": {"cluster": entry["name"], "user": entry["name"]}}
        )
        document["users"].append({"name": entry["name"], "user": entry.get("user", {})})
        cluster = {
            "server": entry.get("server", f"https://{entry['name'].encode().hex()}.invalid"),
            "certificate-authority": entry.get("ca", "ca.pem"),
        }
        if cluster["certificate-authority"] is None:
            del cluster["certificate-authority"]
        document["clusters"].append({"name": entry["name"], "cluster": cluster})
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def _contexts() -> Iterator[dict[str, Any]]:
    yield from ({"name": f"spare-{number}"} for number in range(_SPARES))
    yield from ({"name": name} for name in BAD_CONTEXTS.values())
    yield from ({"name": name} for name in GOOD_CONTEXTS)
    yield {"name": "one-server", "server": "https://same.invalid:443"}
    yield {"name": "another-name", "server": "https://same.invalid:443"}
    yield {"name": "no-ca", "ca": None}
    yield {"name": "server-for-ca", "ca": "server.pem"}
    yield {"name": "old-ca", "ca": "old.pem"}
    yield {"name": "text-for-ca", "ca": "broken"}
    yield {"name": "no-plugin", "user": {"exec": {"command": "an-absent-auth-plugin"}}}
    yield {"name": "plugin", "user": {"exec": {"command": "./plugin"}}}


BAD_CONTEXTS = {
    "underscore": "n_orth",
    "upper case": "West",
    "space": "so uth",
    "slash": "e/ast",
    "quote": "ea'st",
    "non-ASCII character": "nörd",
    "overlong": "w" * 64,
}
GOOD_CONTEXTS = ("we-st", "west.admin", "w" * 63)


def rows() -> list[Row]:
    """All that is refused by what the configuration and the kubeconfig say."""
    return [
        *_names(),
        *_lists(),
        *_kubeconfigs(),
        *_policy_paths(),
        *_lifetimes(),
        *_vaults(),
        *_others(),
        *(
            Row(fault, line, bad=bad, good=good, of_vault=True)
            for fault, line, bad, good in vault_faults()
        ),
    ]


def _names() -> Iterator[Row]:
    for fault, name in (*BAD_CONTEXTS.items(), ("wildcard *", "we*"), ("wildcard +", "we+")):
        shown = repr(name)
        yield Row(
            f"{fault} in a cluster's name",
            f"clusters[{{place}}].name: {shown} is not valid; {LABEL}",
            bad_cluster={"name": name},
            good_cluster={"name": "w" * 63 if fault == "overlong" else "we-st"},
        )
    for number, (fault, context) in enumerate(BAD_CONTEXTS.items()):
        better = context.lower().translate(str.maketrans("_ /'ö", "-----"))[:63]
        quoted = {"so uth": "'so uth'", "ea'st": "'ea'\"'\"'st'", "nörd": "'nörd'"}
        yield Row(
            f"{fault} in a context's name",
            f"clusters[{{place}}].context (cluster named-{number}): {context!r} is not valid; "
            f"{RENAME} {quoted.get(context, context)} {better}",
            bad_cluster={"name": f"named-{number}", "context": context},
            good_cluster={
                "name": f"named-{number}",
                "context": "w" * 63 if fault == "overlong" else "west.admin",
            },
        )
    for key in ("istiodServiceAccount", "istioNamespace"):
        for number, wildcard in enumerate(("*", "+")):
            name = f"wild-{key.lower()}-{number}"
            yield Row(
                f"{wildcard} as {key}",
                f"clusters[{{place}}].{key} (cluster {name}): {wildcard!r} is not valid; {LABEL}",
                bad_cluster={"name": name, key: wildcard},
                good_cluster={"name": name, key: "istiod"},
            )


def _lists() -> Iterator[Row]:
    yield Row(
        "no clusters at all",
        "clusters: [] is not valid; list at least one workload cluster",
        bad={"clusters": []},
        good={"clusters": [{"name": "east"}]},
    )
    yield Row(
        "a cluster twice",
        "clusters[{place}].name: 'east' is not valid; list each cluster once",
        bad_cluster={"name": "east"},
        good_cluster={"name": "east-2"},
    )
    yield Row(
        "two clusters of one name, once it is written as it has to be",
        "clusters[{place}].name: 'EAST' is not valid; use another name: written as it has to be, "
        "it is that of 'east'",
        bad_cluster={"name": "EAST"},
        good_cluster={"name": "east-3"},
        further=f"clusters[{{place}}].name: 'EAST' is not valid; {LABEL}",
    )
    yield Row(
        "a context twice",
        "clusters[{place}].context (cluster east-4): 'east' is not valid; use another one: it is "
        "that of east",
        bad_cluster={"name": "east-4", "context": "east"},
        good_cluster={"name": "east-4"},
    )
    yield Row(
        "a misspelt field",
        "clusters[{place}].istioRevision (cluster odd): '…' is not valid; there is no such field: "
        "use istioRevisions, or leave it out",
        bad_cluster={"name": "odd", "istioRevision": "1-20"},
        good_cluster={"name": "odd", "istioRevisions": ["1-20"]},
    )


def _kubeconfigs() -> Iterator[Row]:
    def of_context(fault: str, context: str, line: str, good: str = "plugin") -> Row:
        return Row(
            fault,
            line,
            bad_cluster={"name": f"with-{context}", "context": context},
            good_cluster={"name": f"with-{context}", "context": good},
        )

    yield of_context(
        "a context that the kubeconfig does not have",
        "nowhere",
        "context in {folder}/kubeconfig (cluster with-nowhere): 'nowhere' is not valid; use one "
        "that it has: ",
    )
    yield of_context(
        "an exec plugin that is missing",
        "no-plugin",
        "exec command of user no-plugin in {folder}/kubeconfig (cluster with-no-plugin): "
        "'an-absent-auth-plugin' is not valid; install this plugin, or put it on PATH",
    )
    yield of_context(
        "a kubeconfig without a CA",
        "no-ca",
        "kubeconfig (cluster with-no-ca): '{folder}/kubeconfig' is not valid; give cluster no-ca "
        "its certificate-authority-data: Vault has to check who answers its token reviews",
    )
    yield of_context(
        "a Kubernetes CA that is a server's certificate",
        "server-for-ca",
        "certificate-authority in {folder}/kubeconfig (cluster with-server-for-ca): "
        "'{folder}/server.pem' is not valid; give it the certificate of the CA: this is not one "
        "(basicConstraints)",
    )
    yield of_context(
        "a Kubernetes CA that has expired",
        "old-ca",
        "certificate-authority in {folder}/kubeconfig (cluster with-old-ca): '{folder}/old.pem' "
        "is not valid; give it a CA that is valid: this one expired on "
        f"{EXPIRED.certificate.not_valid_after_utc:%Y-%m-%d}",
    )
    yield of_context(
        "a Kubernetes CA that is no certificate",
        "text-for-ca",
        "certificate-authority in {folder}/kubeconfig (cluster with-text-for-ca): "
        "'{folder}/broken' is not valid; give it the PEM of a certificate",
    )
    yield Row(
        "two names for one API server",
        "clusters[{place}].context (cluster again): 'another-name' is not valid; use another "
        "context: it leads to the API server of once",
        bad={"_clusters": [{"name": "once", "context": "one-server"}]},
        good={"_clusters": [{"name": "once", "context": "one-server"}]},
        bad_cluster={"name": "again", "context": "another-name"},
        good_cluster={"name": "again"},
    )
    yield Row(
        "a malformed kubeconfig",
        "clusters[{place}].kubeconfig (cluster own): '{folder}/broken' is not valid; name a YAML "
        "file",
        bad_cluster={"name": "own", "kubeconfig": "{folder}/broken"},
        good_cluster={"name": "own", "kubeconfig": "{folder}/kubeconfig"},
    )
    yield Row(
        "a kubeconfig that is not there",
        "clusters[{place}].kubeconfig (cluster away): '{folder}/absent' is not valid; name a "
        "readable file (No such file or directory)",
        bad_cluster={"name": "away", "kubeconfig": "{folder}/absent"},
        good_cluster={"name": "away", "kubeconfig": "{folder}/kubeconfig"},
    )
    yield Row(
        "the content of a kubeconfig in clear",
        "clusters[{place}].kubeconfig (cluster clear): '…' is not valid; its content stands in "
        "clear in the stack's configuration: take it out there, and set it with "
        "`pulumi config set --secret --path 'clusters[{place}].kubeconfig'`",
        bad_cluster={"name": "clear", "kubeconfig": "apiVersion: v1\nkind: Config\n"},
        good_cluster={"name": "clear", "kubeconfig": "{folder}/kubeconfig"},
    )
    yield Row(
        "a misspelt key",
        "kubeConfig: '…' is not valid; there is no such key: use kubeconfig, or leave it out",
        bad={"kubeConfig": "~/.kube/config"},
        good={"kubeconfig": "{folder}/kubeconfig"},
    )


def _policy_paths() -> Iterator[Row]:
    for wildcard in ("*", "+"):
        for key, good in (
            ("rootMount", "pki"),
            ("intermediateMount", "pki_int_{cluster}"),
            ("authMount", "kube-{cluster}"),
            ("policy", "agent-{cluster}"),
            ("role", "agent-{cluster}"),
        ):
            value = good.replace("{cluster}", f"{{cluster}}{wildcard}")
            value = value if wildcard in value else f"{value}{wildcard}"
            yield Row(
                f"{wildcard} in {key}",
                f"vaultNames.{key}: {value!r} is not valid; {PATH}",
                bad={"vaultNames": {key: value}},
                good={"vaultNames": {key: good}},
            )
        yield Row(
            f"{wildcard} in a namespace of Vault",
            f"vaultNamespace: 'team{wildcard}' is not valid; {PATH}",
            bad={"vaultNamespace": f"team{wildcard}"},
            good={"vaultNamespace": "team"},
        )


def _lifetimes() -> Iterator[Row]:
    whole = "use a whole number of"
    for value in (0, -1):
        for key, unit, good in (
            ("rootLifetimeDays", "days", 3650),
            ("intermediateLifetimeDays", "days", 365),
            ("clusterCaLifetimeDays", "days", 1825),
        ):
            yield Row(
                f"{key} of {value}",
                f"{key}: {value} is not valid; {whole} {unit}, 1 to 36500",
                bad={key: value},
                good={key: good},
            )
        yield Row(
            f"tokenTtlSeconds of {value}",
            f"tokenTtlSeconds: {value} is not valid; {whole} seconds, 1 or more",
            bad={"tokenTtlSeconds": value},
            good={"tokenTtlSeconds": 60},
        )
    yield Row(
        "a login shorter than a minute",
        f"tokenTtlSeconds: 59 is not valid; {whole} seconds, 60 or more",
        bad={"tokenTtlSeconds": 59},
        good={"tokenTtlSeconds": 60},
    )
    yield Row(
        "a login longer than Vault allows",
        "tokenTtlSeconds: 2764801 is not valid; use 2764800 or less: Vault would cut it to its own "
        "maximum, 768 hours",
        bad={"tokenTtlSeconds": 2764801},
        good={"tokenTtlSeconds": 2764800},
    )
    yield Row(
        "an intermediate that outlives its root",
        "intermediateLifetimeDays: 3650 is not valid; use less than rootLifetimeDays (3650): an "
        "intermediate must not outlive its root",
        bad={"rootLifetimeDays": 3650, "intermediateLifetimeDays": 3650},
        good={"rootLifetimeDays": 3650, "intermediateLifetimeDays": 3649},
    )
    below_root = {
        "signingCa": "cluster",
        "rootPathLength": 2,
        "rootLifetimeDays": 3650,
        "intermediateLifetimeDays": 365,
    }
    yield Row(
        "an intermediate that outlives its cluster's CA",
        "clusterCaLifetimeDays: 365 is not valid; use more than intermediateLifetimeDays (365): an "
        "intermediate must not outlive the CA above it",
        bad={**below_root, "clusterCaLifetimeDays": 365},
        good={**below_root, "clusterCaLifetimeDays": 366},
    )
    yield Row(
        "a cluster's CA that outlives the root",
        "clusterCaLifetimeDays: 3650 is not valid; use less than the root's 3650 days: a CA must "
        "not outlive its root",
        bad={**below_root, "clusterCaLifetimeDays": 3650},
        good={**below_root, "clusterCaLifetimeDays": 3649},
    )


def _vaults() -> Iterator[Row]:
    example = "use an address such as https://host:8200"
    for fault, address, fix in (
        (
            "a Vault address with a path",
            "https://127.0.0.1/v1",
            "leave out everything but scheme, host and port",
        ),
        ("a Vault address without a scheme", "127.0.0.1:8200", example),
        ("a Vault address of another scheme", "ftp://127.0.0.1:8200", example),
        (
            "plain HTTP outside development",
            "http://127.0.0.1:8200",
            "use https; plain HTTP is for development only",
        ),
    ):
        yield Row(
            fault,
            f"vaultAddress: {address!r} is not valid; {fix}",
            bad={"vaultAddress": address, "development": False},
            good={"vaultAddress": "https://127.0.0.1:8200", "development": False},
        )
    yield Row(
        "a Vault CA that is not there",
        "vaultCaFile: '{folder}/absent' is not valid; name a readable file (No such file or "
        "directory)",
        bad={"vaultCaFile": "{folder}/absent"},
        good={"vaultCaFile": "{folder}/ca.pem"},
    )
    yield Row(
        "a Vault CA that is no certificate",
        "vaultCaFile: '{folder}/broken' is not valid; name a PEM file of certificates",
        bad={"vaultCaFile": "{folder}/broken"},
        good={"vaultCaFile": "{folder}/ca.pem"},
    )


def _others() -> Iterator[Row]:
    yield Row(
        "a root's country that is a name",
        "rootCountry: 'Germany' is not valid; use two capital letters, or leave it out",
        bad={"rootCountry": "Germany"},
        good={"rootCountry": "DE"},
    )
    first, next_one = {"name": "first"}, {"name": "2027"}
    # Which lifetimes are compared, a root that signs has to tell.
    alone = {"rootLifetimeDays": 3650}
    yield Row(
        "generations of the root of which none is named to sign",
        "rootSigning: None is not valid; name the generation that signs: first or 2027",
        bad={**alone, "rootGenerations": [first, next_one]},
        good={"rootGenerations": [first, next_one], "rootSigning": "first"},
    )
    yield Row(
        "a generation of the root that is not there to sign",
        "rootSigning: '2028' is not valid; name the generation that signs: first or 2027",
        bad={**alone, "rootGenerations": [first, next_one], "rootSigning": "2028"},
        good={"rootGenerations": [first, next_one], "rootSigning": "2027"},
    )
    yield Row(
        "a generation of the root twice",
        "rootGenerations[1].name: 'first' is not valid; use another one: each generation has its "
        "own",
        bad={**alone, "rootGenerations": [first, first]},
        good={"rootGenerations": [first]},
    )
    yield Row(
        "the first generation described twice",
        "rootGenerations[0].country: '…' is not valid; leave it out: the keys root… say what it is",
        bad={**alone, "rootGenerations": [{**first, "country": "DE"}]},
        good={"rootGenerations": [first], "rootCountry": "DE"},
    )
    yield Row(
        "a generation that is to be retired by its name",
        "rootRetires: 'first' is not valid; use the 64 hexadecimal digits of a SHA-256",
        bad={"rootRetires": "first"},
        good={"rootRetires": "ab" * 32},
    )


def certificate_line(fault: str, certificate_pem: str) -> str:
    """How the line begins that refuses a root's certificate with `fault`."""
    shown = f"SHA-256 {fingerprint(load_pem_x509_certificate(certificate_pem.encode()))}"
    return f"rootCertificate: {shown!r} is not valid; {fault}"


@dataclass(frozen=True)
class Group:
    """Rows that one configuration can hold all at once."""

    changes: dict[str, Any]
    rows: tuple[Row, ...]
    lines: tuple[str, ...]
    of_vault: bool = False
    """Whether it is that of a stack that installs Vault."""


def groups(rows: Sequence[Row], first: Sequence[Mapping[str, Any]], folder: Path) -> list[Group]:
    """The faults of `rows` in few configurations, where `first` are the sound clusters."""
    of_trust = _groups([row for row in rows if not row.of_vault], first, folder)
    of_vault = _groups([row for row in rows if row.of_vault], (), folder)
    return [
        *of_trust,
        *(replace(each, changes=vault_stack(each.changes), of_vault=True) for each in of_vault),
    ]


def _groups(rows: Sequence[Row], first: Sequence[Mapping[str, Any]], folder: Path) -> list[Group]:
    left, made = list(rows), []
    while left:
        changes: dict[str, Any] = {}
        clusters = list(first)
        taken: list[Row] = []
        lines: list[str] = []
        for row in left:
            bad = {key: value for key, value in row.bad.items() if key != "_clusters"}
            if _is_taken(bad, changes) or (_is_alone(bad) and taken):
                continue
            clusters += row.bad.get("_clusters", [])
            for key, value in filled(bad, folder).items():
                merged = {**changes.get(key, {}), **value} if isinstance(value, Mapping) else value
                changes[key] = merged
            place = len(clusters)
            if row.bad_cluster is not None:
                clusters.append(cluster(row.bad_cluster, place, folder))
            taken.append(row)
            lines += lines_of(row, place, folder)
            if _is_alone(bad):
                break
        changes.setdefault("clusters", clusters)
        left = [row for row in left if row not in taken]
        made.append(Group(changes, tuple(taken), tuple(lines)))
    return made


def _is_alone(bad: Mapping[str, Any]) -> bool:
    """Whether others beside it would be other faults, or none."""
    return "clusters" in bad or "mode" in bad.get("vaultInstall", {})


def _is_taken(bad: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    return any(
        key in changes and (not isinstance(value, Mapping) or value.keys() & changes[key].keys())
        for key, value in bad.items()
    )


def lines_of(row: Row, place: int, folder: Path) -> list[str]:
    """The lines that refuse `row`'s cluster at `place`, or the row's value."""
    return [
        line.replace("{place}", str(place)).replace("{folder}", str(folder))
        for line in (row.line, row.further)
        if line is not None
    ]


def cluster(entry: Mapping[str, Any], place: int, folder: Path) -> dict[str, Any]:
    """A cluster of the configuration, with a context of its own."""
    return {"context": f"spare-{place % _SPARES}", **filled(entry, folder)}


def filled(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values, with the folder's path in them."""
    return {
        key: value.replace("{folder}", str(folder)) if isinstance(value, str) else value
        for key, value in values.items()
    }


def page() -> str:
    """The rows for readers, in Markdown; files are those of a folder `/etc/mesh`."""
    folder = Path("/etc/mesh")
    of_trust, of_vault = (
        [
            f"| {row.fault} | {_cell(' '.join(lines_of(row, 1, folder)[:1]))} |"
            for row in rows()
            if row.of_vault is of_vault
        ]
        for of_vault in (False, True)
    )
    return "\n".join([_HEAD, *of_trust, _HEAD_OF_VAULT, *of_vault, ""])


def _cell(text: str) -> str:
    """A line as it is printed, in a cell of a table."""
    fence = "``" if "`" in text else "`"
    text = text.replace("|", "\\|")
    return f"{fence} {text} {fence}" if fence == "``" else f"`{text}`"


_HEAD = """\
# What is refused

These are the faults of a configuration that the tests make one by one, with the line that each is
refused with. All lines of a configuration are printed at once, by `pulumi preview` as by
`pulumi up`, and nothing is written before. Of a root's certificate every fault is named; they are
in [the root](root-ca.md). Servers are asked as well: for Gloo's resource definitions and the
namespaces in each cluster, whether two contexts lead to one cluster, and Vault for its version and
its certificate.

| fault | line |
| --- | --- |"""

_HEAD_OF_VAULT = """
## In a stack that installs Vault

Its fields are in [a Vault for production](vault-servers.md).

| fault | line |
| --- | --- |"""
