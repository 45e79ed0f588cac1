"""A Vault that is reached over TLS, is no development server, and is not worked on by root."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence

from .resource import UNKNOWN, Resource
from .rule import Rule, Settings

_PROVIDER = "pulumi:providers:vault"
_TRUST_POLICY = "kubernetes:admin.gloo.solo.io/v2:RootTrustPolicy"
_RELEASE = "kubernetes:helm.sh/v3:Release"
_POLICY_FIELDS = ("tokenPolicies", "policies")


def over_tls(resource: Resource, _: Settings) -> Iterator[str]:
    """Faults of what says where Vault is, or what Vault is to be."""
    if resource.type == _PROVIDER:
        address = resource.text("address")
        if resource.at("address") is None:
            # The provider asks the same shell, and does not tell the engine.
            address = os.environ.get("VAULT_ADDR")
        yield from _plain(address, "the program's Vault provider", "vaultAddress")
        # The engine keeps a provider's inputs as texts.
        if resource.at("skipTlsVerify") in (True, "true"):
            yield (
                "the program's Vault provider takes any TLS certificate for Vault's; leave "
                "skipTlsVerify and VAULT_SKIP_VERIFY out, and name Vault's CA (caCertFile, or "
                "VAULT_CACERT)"
            )
    elif resource.type == _TRUST_POLICY:
        server = resource.text("spec", "config", "agentCa", "vault", "server")
        yield from _plain(server, f"RootTrustPolicy {resource.name!r}", "vaultAddress")
    elif _is_vault(resource) and not _is_client(resource):
        if resource.at("values", "server", "dev", "enabled") is True:
            yield (
                f"Release {resource.name!r} installs a Vault in dev mode, which forgets all its "
                "keys with its pod; use one that is initialised (docs/vault-init.md)"
            )
        elif _serves_plain(resource):
            yield (
                f"Release {resource.name!r} installs a Vault without TLS, by which CA keys travel "
                "in clear; set global.tlsDisable to false"
            )


def no_root_token(resources: Sequence[Resource], _: Settings) -> Iterator[tuple[Resource, str]]:
    """Those that work as root, or let somebody do so."""
    root_tokens = {
        token
        for each in resources
        if _is_vault(each)
        and (token := each.text("values", "server", "dev", "devRootToken")) is not None
    }
    for each in resources:
        if each.type == _PROVIDER and each.text("token") in root_tokens:
            yield (
                each,
                "the program's Vault provider works with the root token of a Vault in dev mode; "
                "give it one with the policy in the README (mesh-trust vault init makes it)",
            )
        if each.type.startswith("vault:") and "root" in _policies(each):
            yield (
                each,
                f"{each.type.rpartition(':')[2]} {each.name!r} gives the policy 'root'; name a "
                "policy that lists what is needed",
            )


def _plain(address: str | None, whose: str, key: str) -> Iterator[str]:
    if address is not None and address.lower().startswith("http://"):
        yield (
            f"{whose} reaches Vault at {address!r}, over which CA keys travel in clear; give Vault "
            f"a TLS certificate, and set mesh-trust:{key} to its https:// address"
        )


def _is_vault(resource: Resource) -> bool:
    if resource.type != _RELEASE:
        return False
    chart = resource.text("chart") or ""
    return chart.rstrip("/").rpartition("/")[2] == "vault"


def _is_client(resource: Resource) -> bool:
    """Whether it brings no server of Vault, but what asks one that is elsewhere."""
    return (
        resource.at("values", "server", "enabled") is False
        or bool(resource.text("values", "global", "externalVaultAddr"))
        or bool(resource.text("values", "injector", "externalVaultAddr"))
    )


def _serves_plain(resource: Resource) -> bool:
    told = resource.at("values", "global", "tlsDisable")
    if told is None:
        # The chart's own default is to disable it; a file of values may say otherwise.
        return not resource.at("valueYamlFiles")
    return not (told is False or told is UNKNOWN)


def _policies(resource: Resource) -> set[str]:
    found = {name for field in _POLICY_FIELDS for name in resource.texts(field)}
    data = resource.text("dataJson")
    if data is not None:
        try:
            written = json.loads(data)
        except json.JSONDecodeError:
            return found
        if isinstance(written, Mapping):
            for field in ("token_policies", "policies"):
                value = written.get(field)
                listed = value.split(",") if isinstance(value, str) else value
                found |= {str(each).strip() for each in listed or ()}
    return found


RULES = (
    Rule(
        "vault-over-tls",
        "Vault is reached over TLS, and is no development server.",
        over_tls,
    ),
    Rule(
        "no-root-token",
        "Nobody works in Vault with a root token.",
        of_stack=no_root_token,
    ),
)
