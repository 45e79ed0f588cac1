"""The keys that a stack's configuration may have."""

from difflib import get_close_matches

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components import InvalidInputError

from .problems import HIDDEN, Problems
from .values import unknown_fix

KEYS = (
    "development",
    "kubeconfig",
    "management",
    "clusters",
    "vaultInstall",
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

# Those that providers and the engine read have namespaces of their own.
_AS_GOOD_AS_OURS = 0.8


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
