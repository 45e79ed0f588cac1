"""The lab's Vault: data on disk, TLS, initialised and unsealed by the lab.

Storage is Vault's `file` backend: one folder, no cluster port and no election, and the data is
there after a restart. One unseal share is enough where one person holds everything anyway.
"""

import json
from pathlib import Path
from typing import Any

import hvac
import requests
from hvac.exceptions import VaultError

from lab.credentials import authority_files, server_files
from lab.directory import LabDirectory, write_private
from lab.errors import LabError
from lab.ports import LOOPBACK
from lab.servers import Probe, Server
from lab.sessions import session_with

NAME = "vault"


def vault_server(directory: LabDirectory, executable: Path, port: int) -> Server:
    """Describe the Vault process, and write its configuration."""
    address = f"https://{LOOPBACK}:{port}"
    authority = authority_files(directory.vault, "lab vault")
    identity = server_files(directory.vault, "server", authority, [LOOPBACK, "localhost"])
    configuration = {
        "storage": {"file": {"path": str(directory.vault / "data")}},
        "listener": {
            "tcp": {
                "address": f"{LOOPBACK}:{port}",
                "tls_cert_file": str(identity.certificate),
                "tls_key_file": str(identity.private_key),
                "tls_min_version": "tls12",
            }
        },
        "api_addr": address,
        # Locking memory needs a privilege that a developer's shell does not have.
        "disable_mlock": True,
        # Why a login was refused is told at this level only.
        "log_level": "debug",
        "ui": False,
    }
    path = directory.vault / "vault.json"
    write_private(path, json.dumps(configuration, indent=2).encode())
    return Server(
        NAME,
        address,
        (str(executable), "server", f"-config={path}"),
        ready=Probe(f"{address}/v1/sys/seal-status", directory.vault_authority),
        health=Probe(f"{address}/v1/sys/health", directory.vault_authority),
    )


def unseal(directory: LabDirectory, address: str) -> str:
    """Initialise Vault where it is new, unseal it where it is sealed, and say what was done.

    Raises:
        LabError: Vault is initialised, but its unseal key or its root token is not here, or it
            does not answer as it should.
    """
    authority = str(directory.vault_authority)
    with session_with(directory.vault_authority) as session:
        # The CA is named again, or hvac would take the one of the shell's VAULT_CACERT. Its type
        # stubs leave these calls without types.
        system: Any = hvac.Client(url=address, verify=authority, session=session).sys
        try:
            return _unseal(directory, system)
        except (requests.exceptions.RequestException, VaultError) as error:
            raise LabError(f"vault at {address} cannot be unsealed: {error}") from error


def _unseal(directory: LabDirectory, system: Any) -> str:
    if not system.is_initialized():
        answer = system.initialize(secret_shares=1, secret_threshold=1)
        write_private(directory.vault_unseal_key, answer["keys_base64"][0].encode())
        write_private(directory.vault_root_token, answer["root_token"].encode())
        outcome = "initialised and unsealed"
    elif not directory.vault_root_token.exists():
        raise _lost("root token", directory.vault_root_token)
    elif system.is_sealed():
        outcome = "unsealed"
    else:
        return "already unsealed"
    if not directory.vault_unseal_key.exists():
        raise _lost("unseal key", directory.vault_unseal_key)
    system.submit_unseal_key(directory.vault_unseal_key.read_text())
    return outcome


def _lost(secret: str, path: Path) -> LabError:
    return LabError(
        f"vault is initialised and its {secret} {path} is gone: "
        "delete the lab with `make clean-lab` and start again"
    )
