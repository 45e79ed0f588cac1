"""The keys that a stack's configuration may have."""

import json
from difflib import get_close_matches

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from mesh_trust import InvalidInputError

from .declaration import declared
from .problems import HIDDEN, Problems
from .values import unknown_fix

KEYS = (
    "development",
    "kubeconfig",
    "management",
    "clusters",
    "vaultInstall",
    "vaultStack",
    "vaultAddress",
    "vaultCaFile",
    "vaultNamespace",
    "vaultNames",
    "rootSource",
    "rootCommonName",
    "rootOrganization",
    "rootOrganizationalUnit",
    "rootCountry",
    "rootProvince",
    "rootLocality",
    "rootKeyAlgorithm",
    "rootLifetimeDays",
    "rootPathLength",
    "rootCertificate",
    "rootPrivateKey",
    "rootSigningMount",
    "rootAcceptMissingKeyUsage",
    "rootReplaces",
    "rootGenerations",
    "rootSigning",
    "rootRetires",
    "intermediateLifetimeDays",
    "reviewerMode",
    "audience",
    "tokenTtlSeconds",
    "tokenNoDefaultPolicy",
    "policy",
    "deniedParameters",
    "istiodAgent",
    "agentPermissions",
    "rootTrustPolicy",
    "signingCa",
    "clusterCaLifetimeDays",
    "administrator",
    "administratorPasswordGeneration",
)
"""Keys of the project, in the order of Pulumi.yaml, which declares and describes them."""

KEYS_OF_A_VAULT_STACK = ("development", "kubeconfig", "management", "vaultInstall")
"""Those of a stack that installs Vault for others to set the trust up in."""

# Those that providers and the engine read have namespaces of their own.
_AS_GOOD_AS_OURS = 0.8


def note_keys_of_another_stack(config: pulumi.Config, problems: Problems) -> None:
    """Notes keys that say something of the trust, in a stack that installs Vault only."""
    entries = declared()
    for key in KEYS:
        if key in KEYS_OF_A_VAULT_STACK:
            continue
        # The engine passes on the declared defaults as well.
        if config.get(key) is not None and not _is(config, key, entries[key].get("default")):
            problems.note(
                InvalidInputError(
                    key,
                    HIDDEN,
                    "leave it out: this stack installs Vault and nothing else; say it in the one "
                    "that names this one in vaultStack",
                )
            )


def _is(config: pulumi.Config, key: str, value: object) -> bool:
    text = config.get(key)
    if isinstance(value, str):
        return text == value
    try:
        return bool(json.loads(text or "null") == value)
    except ValueError:
        return False


def note_unknown_keys(problems: Problems) -> None:
    """Notes keys that nothing reads, in the project's namespace or in one that is nearly its own.

    The engine passes on any key, and a misspelt one would leave its default in place.
    """
    project = pulumi.get_project()
    for name in {**get_config_env(), **CONFIG.get()}:
        namespace, _, key = name.rpartition(":")
        if namespace == project:
            if key not in KEYS:
                problems.note(InvalidInputError(key, HIDDEN, unknown_fix(key, KEYS, "key")))
        elif get_close_matches(namespace, [project], cutoff=_AS_GOOD_AS_OURS):
            problems.note(InvalidInputError(name, HIDDEN, f"nothing reads it: use {project}:{key}"))
