"""The Vault that the program has installed, found and asked as a user of the cluster does."""

import json
from dataclasses import dataclass
from typing import Any

import hvac
from kubernetes import client

from lab.lab import Lab
from tests.program.handshake import Instructions

from .pods import api_client, core, outcome, shell_pod

# Vault's answers are one line of JSON, and its texts have no quotes within. A connection that is
# closed on one side is taken for a client that has gone, so each is kept open for a while.
_EXCHANGE = r"""
jwt=$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)
token=
post() {
  {
    printf 'POST /v1/%s HTTP/1.0\r\nX-Vault-Token: %s\r\nContent-Length: %s\r\n\r\n%s' \
      "$1" "$token" "${#2}" "$2"
    sleep 2
  } | nc -w 10 @HOST@ @PORT@ | sed '1,/^\r*$/d'
}
field() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
token=$(post @LOGIN@ '{"role":"@ROLE@","jwt":"'"$jwt"'"}' | field client_token)
csr=$(post @CSR_PATH@ '{"common_name":"istiod"}' | field csr)
post @CA_PATH@ '{"common_name":"istiod","ttl":"24h","csr":"'"$csr"'"}'
"""


@dataclass(frozen=True)
class InstalledVault:
    """Its address behind its Service, and its root token as the StatefulSet has it."""

    address: str
    root_token: str

    @classmethod
    def of(cls, lab: Lab) -> "InstalledVault":
        """Reads both from the management cluster."""
        service = core(lab, "mgmt").read_namespaced_service("vault", "vault")
        apps: Any = client.AppsV1Api(api_client(lab, "mgmt"))
        [container] = apps.read_namespaced_stateful_set(
            "vault", "vault"
        ).spec.template.spec.containers
        variables = {each.name: each.value for each in container.env}
        [ingress] = service.status.load_balancer.ingress
        return cls(f"http://{ingress.ip}:8200", variables["VAULT_DEV_ROOT_TOKEN_ID"])

    def client(self) -> Any:
        """A client with the root token."""
        return hvac.Client(url=self.address, token=self.root_token)

    def mounts(self) -> set[str]:
        """Paths of its secrets mounts, without those that each Vault has."""
        found = self.client().sys.list_mounted_secrets_engines()["data"]
        return {path for path, mount in found.items() if mount["type"] == "pki"}


def exchange_in_a_pod(lab: Lab, cluster: str, account: str = "istiod") -> dict[str, Any] | None:
    """The agent's exchange, from a pod beside istiod; what signing answers, None if it refuses."""
    instructions = Instructions.of(lab, cluster)
    host, _, port = instructions.server.removeprefix("http://").partition(":")
    script = _EXCHANGE
    for name, value in {
        "HOST": host,
        "PORT": port,
        "LOGIN": f"{instructions.mount_path.removeprefix('/v1/')}/login",
        "ROLE": instructions.role,
        "CSR_PATH": instructions.csr_path,
        "CA_PATH": instructions.ca_path,
    }.items():
        script = script.replace(f"@{name}@", value)
    pod = shell_pod("exchange", script, serviceAccountName=account)
    phase, output = outcome(lab, cluster, pod, "istio-system")
    assert phase == "Succeeded", output
    answer = json.loads(output)
    return None if "errors" in answer else answer["data"]
