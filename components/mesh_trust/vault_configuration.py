"""Configuration of Vault's servers, as text of HashiCorp's configuration language (HCL)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TLS_FOLDER = "/vault/tls"
"""Where a server finds `tls.crt`, `tls.key` and `ca.crt`, as a Secret of Kubernetes has them."""
DATA_FOLDER = "/vault/data"
AUDIT_FOLDER = "/vault/audit"
AUDIT_FILE = f"{AUDIT_FOLDER}/audit.log"

SERVER_PORT = 8200
"""The port of the servers themselves; a Service may have another one."""

PLACEHOLDERS = ("HOST_IP", "POD_IP", "HOSTNAME", "API_ADDR", "TRANSIT_ADDR", "RAFT_ADDR")
"""Words that the chart's script replaces, wherever in the configuration they stand."""


@dataclass(frozen=True)
class Seal:
    """A `seal` stanza: what unseals Vault by itself. Nothing in it is secret."""

    kind: str
    parameters: Mapping[str, str]


def server_configuration(
    *, peers: Sequence[str] = (), seal: Seal | None = None, registers: bool = False
) -> str:
    """The configuration of a server with TLS and integrated storage.

    `peers` are the host names of all members of the cluster, which a server that is not initialised
    joins; without any it stays by itself. `registers` has it label its own pod with its state, for
    which its service account needs the right to.
    """
    parts = [
        _assignments({"disable_mlock": True, "ui": False}),
        _stanza(
            'listener "tcp"',
            {
                "address": f"[::]:{SERVER_PORT}",
                "cluster_address": f"[::]:{SERVER_PORT + 1}",
                "tls_cert_file": f"{TLS_FOLDER}/tls.crt",
                "tls_key_file": f"{TLS_FOLDER}/tls.key",
                "tls_min_version": "tls12",
            },
        ),
        _storage(peers),
    ]
    if registers:
        parts.append('service_registration "kubernetes" {}\n')
    if seal is not None:
        parts.append(_stanza(f"seal {json.dumps(seal.kind)}", seal.parameters))
    return "\n".join(parts)


def _storage(peers: Sequence[str]) -> str:
    joins = [
        _stanza(
            "retry_join",
            {
                "leader_api_addr": f"https://{peer}:{SERVER_PORT}",
                "leader_ca_cert_file": f"{TLS_FOLDER}/ca.crt",
            },
        )
        for peer in peers
    ]
    # The chart replaces the word by the name of the pod.
    return _stanza('storage "raft"', {"path": DATA_FOLDER, "node_id": "HOSTNAME"}, joins)


def _stanza(head: str, values: Mapping[str, str | bool], within: Sequence[str] = ()) -> str:
    body = "\n".join([_assignments(values), *within])
    lines = (f"  {line}" if line else line for line in body.splitlines())
    return "\n".join([f"{head} {{", *lines, "}\n"])


def _assignments(values: Mapping[str, str | bool]) -> str:
    # Texts of JSON are texts of HCL.
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
