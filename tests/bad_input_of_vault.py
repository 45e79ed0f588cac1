"""Configurations of a stack that installs Vault, with one fault each."""

from collections.abc import Iterator, Mapping
from typing import Any

_AWS = {"region": "eu-central-1", "kmsKeyId": "alias/vault"}

Fault = tuple[str, str, Mapping[str, Any], Mapping[str, Any]]
"""The fault, the line that refuses it, what is configured, and what passes in its place."""


def vault_stack(values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a stack of Vault with these `values` of it."""
    install = {"mode": "ha", **values.get("vaultInstall", {})}
    return {
        "clusters": [],
        "management": {"context": "spare-0"},
        **values,
        "vaultInstall": install,
    }


def faults() -> Iterator[Fault]:
    """All of them."""
    yield from _servers()
    yield from _certificates()
    yield from _volumes()
    yield from _seals()
    yield from _beside()


def _install(fault: str, line: str, bad: Any, good: Any) -> Fault:
    return fault, f"vaultInstall.{line}", {"vaultInstall": bad}, {"vaultInstall": good}


def _servers() -> Iterator[Fault]:
    yield _install(
        "an even number of servers",
        "replicas: 4 is not valid; use an odd number: one more bears no further loss",
        {"replicas": 4},
        {"replicas": 5},
    )
    yield _install(
        "two servers",
        "replicas: 2 is not valid; use a whole number of servers, 3 or more",
        {"replicas": 2},
        {"replicas": 3},
    )
    yield _install(
        "several servers in mode standalone",
        "replicas: '…' is not valid; leave it out in mode standalone",
        {"mode": "standalone", "replicas": 3},
        {"mode": "ha", "replicas": 3},
    )
    yield _install(
        "a load balancer whose name is not told",
        "names: None is not valid; name what Vault is reached by through its LoadBalancer: its "
        "certificate needs it",
        {"serviceType": "LoadBalancer", "names": []},
        {"serviceType": "LoadBalancer", "names": ["vault.example.com"]},
    )
    yield _install(
        "a log level that there is not",
        "logLevel: 'loud' is not valid; use one of trace, debug, info, warn, error",
        {"logLevel": "loud"},
        {"logLevel": "warn"},
    )
    yield _install(
        "resources that are neither requests nor limits",
        "resources.memory: '…' is not valid; use requests or limits",
        {"resources": {"memory": "1Gi"}},
        {"resources": {"limits": {"memory": "1Gi"}}},
    )
    yield _install(
        "a value of the chart that the program decides about",
        "values.server.ha.replicas: '…' is not valid; leave it out; say it in replicas",
        {"values": {"server": {"ha": {"replicas": 7}}}},
        {"values": {"server": {"ha": {"disruptionBudget": {"enabled": False}}}}},
    )
    yield _install(
        "a misspelt field of the installation",
        "replica: '…' is not valid; there is no such field: use replicas, or leave it out",
        {"replica": 5},
        {"replicas": 5},
    )


def _certificates() -> Iterator[Fault]:
    yield _install(
        "a URL among the names of Vault",
        "names[0]: 'https://vault' is not valid; use a host name in lower case such as "
        "vault.example.com, or an IP address, without scheme and port",
        {"names": ["https://vault"]},
        {"names": ["vault"]},
    )
    yield _install(
        "a certificate that is renewed all the time",
        "certificateRenewalDays: 365 is not valid; use a whole number of days, 1 to 364",
        {"certificateRenewalDays": 365},
        {"certificateRenewalDays": 364},
    )


def _volumes() -> Iterator[Fault]:
    yield _install(
        "a size that is no quantity",
        "dataStorage.size: 'ten' is not valid; use a quantity such as 10Gi",
        {"dataStorage": {"size": "ten"}},
        {"dataStorage": {"size": "10Gi"}},
    )
    yield _install(
        "a misspelt field of a volume",
        "auditStorage.class: '…' is not valid; leave it out; there are size, storageClass",
        {"auditStorage": {"class": "fast"}},
        {"auditStorage": {"storageClass": "fast"}},
    )
    yield _install(
        "a retention that there is not",
        "retention: 'keep' is not valid; use one of retain, delete",
        {"retention": "keep"},
        {"retention": "delete"},
    )


def _seals() -> Iterator[Fault]:
    yield _install(
        "a seal of no kind",
        "seal: None is not valid; give it exactly one of awskms, gcpckms, azurekeyvault, transit, "
        "with its fields",
        {"seal": {}},
        {"seal": {"awskms": _AWS}},
    )
    yield _install(
        "a seal without its key",
        "seal.awskms.kmsKeyId: None is not valid; give it a value",
        {"seal": {"awskms": {"region": "eu-central-1"}}},
        {"seal": {"awskms": _AWS}},
    )
    path = "vaultInstall.seal.awskms.accessKeyId"
    yield _install(
        "a credential of the seal in clear",
        "seal.awskms.accessKeyId: '…' is not valid; it stands in clear in the stack's "
        f"configuration: take it out there, and set it with `pulumi config set --secret --path "
        f"'{path}'`",
        {"seal": {"awskms": {**_AWS, "accessKeyId": "id", "secretAccessKey": "hush"}}},
        {"seal": {"awskms": _AWS}},
    )


def _beside() -> Iterator[Fault]:
    yield (
        "what the trust is to be, in the stack of Vault",
        "administrator: '…' is not valid; leave it out: this stack installs Vault and nothing "
        "else; say it in the one that names this one in vaultStack",
        {"administrator": True},
        {},
    )
    yield (
        "no cluster to install Vault in",
        "management.context: None is not valid; name the context of the cluster that Vault goes to",
        {"management": None},
        {},
    )
