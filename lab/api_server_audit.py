"""An API server's audit log of what its administrators ask, and not of what the cluster does."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.directory import LabDirectory, write_private

_ADMINISTRATORS = "system:masters"
_THE_SERVER_ITSELF = "system:apiserver"


@dataclass(frozen=True)
class ApiServerAudit:
    """Where the rules and the log (JSON lines, one for each request) of one API server are."""

    policy: Path
    log: Path

    def arguments(self) -> tuple[str, ...]:
        """Return what the API server is started with."""
        return (f"--audit-policy-file={self.policy}", f"--audit-log-path={self.log}")


def api_server_audit(directory: LabDirectory, cluster: str) -> ApiServerAudit:
    """Return a cluster's audit, and write its rules."""
    folder = directory.cluster(cluster)
    audit = ApiServerAudit(folder / "audit-policy.yaml", folder / "audit.log")
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "None", "users": [_THE_SERVER_ITSELF]},
            # Questions after its health, which come every few moments.
            {"level": "None", "nonResourceURLs": ["/readyz*", "/healthz*", "/livez*"]},
            {"level": "Metadata", "userGroups": [_ADMINISTRATORS]},
            {"level": "None"},
        ],
    }
    write_private(audit.policy, yaml.safe_dump(policy).encode())
    return audit
