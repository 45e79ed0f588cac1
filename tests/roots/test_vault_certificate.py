"""The certificate of Vault's servers is made anew when it is due, and not before."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509

from .project import Project

_PROGRAM = """
import pulumi

from mesh_trust.vault_tls import VaultTls

names = {"dns_names": ["vault.example.com"], "ip_addresses": ["127.0.0.1"]}
made = VaultTls("tls", {**names, "lifetime_days": 365, "renewal_days": 60})
pulumi.export("certificate", made.certificate)
pulumi.export("ca", made.ca_certificate)
"""
_CERTIFICATE = "tls:index/locallySignedCert:LocallySignedCert"


def ending(project: Project, days: int) -> None:
    """Has the stack take the certificate for one that ends in so many days.

    Its lifetime is in days, so that none comes near its end by itself in the time of a test.
    """
    state = json.loads(project.run("stack", "export"))
    resources = state["deployment"]["resources"]
    [certificate] = [each for each in resources if each["type"] == _CERTIFICATE]
    end = datetime.now(UTC) + timedelta(days=days)
    certificate["outputs"]["validityEndTime"] = end.isoformat(timespec="seconds")
    file = project.folder / "state.json"
    file.write_text(json.dumps(state))
    project.run("stack", "import", "--file", str(file))


def outputs(project: Project) -> Any:
    return json.loads(project.run("stack", "output", "--json"))


def test_it_is_made_anew_when_it_is_due_and_not_before(project: Project) -> None:
    (project.folder / "__main__.py").write_text(_PROGRAM)
    project.run("up", "--yes", "--skip-preview")
    before = outputs(project)

    ending(project, 61)
    project.expect_no_changes()
    ending(project, 59)
    project.run("up", "--yes", "--skip-preview")

    after = outputs(project)
    assert after["certificate"] != before["certificate"]
    assert after["ca"] == before["ca"]
    old, new, ca = (
        x509.load_pem_x509_certificate(each.encode())
        for each in (before["certificate"], after["certificate"], after["ca"])
    )
    assert new.not_valid_after_utc > old.not_valid_after_utc
    new.verify_directly_issued_by(ca)
    project.expect_no_changes()
