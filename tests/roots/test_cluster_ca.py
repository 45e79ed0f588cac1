"""A cluster's own CA below a mount that others manage, and what keeps it out of its own mount."""

from typing import Any

import pytest
from cryptography import x509

from tests.certificates import Made, Recipe, ec_key, make
from tests.private_vault import PrivateVault

from .project import Project
from .signing import SigningMount
from .test_external import Corporate

TOP = make(Recipe(common_name="corporate root", path_length=3))
ROOMY, NARROW = (
    make(
        Recipe(
            key=ec_key(),
            common_name="mesh CA",
            issuer="corporate root",
            signer=TOP.key,
            path_length=length,
        )
    )
    for length in (2, 1)
)


def args(mount: str, issuer: str, **changes: Any) -> dict[str, Any]:
    """Arguments for the cluster's CA below `mount`, whose default issuer has the id `issuer`."""
    return {
        "cluster": "east",
        "mount_path": f"{mount}-east",
        "root_mount_path": mount,
        "root_issuer_id": issuer,
        "root_certificate_pem": TOP.certificate_pem,
        "key_algorithm": "ECDSA-P256",
        "protect": False,
        **changes,
    }


@pytest.mark.parametrize("signing", [(TOP,), (ROOMY, TOP)], ids=["root", "below"])
def test_it_stands_below_a_root_whose_key_nobody_here_has(
    vault: PrivateVault, mount: str, project: Project, signing: tuple[Made, ...]
) -> None:
    Corporate(vault, mount).set_up(*signing, days=2000)
    issuer = SigningMount(vault.client, mount).default()
    project.give("ClusterCa", args(mount, issuer))

    outputs = project.up()
    project.expect_no_changes()

    assert outputs["ca_path"] == f"{mount}-east/root/sign-intermediate"
    ca = x509.load_pem_x509_certificate(outputs["certificate_pem"].encode())
    ca.verify_directly_issued_by(signing[0].certificate)
    SigningMount(vault.client, f"{mount}-east").sign(ttl="8760h").verify_directly_issued_by(ca)
    assert "PRIVATE KEY" not in project.state()


@pytest.mark.parametrize(
    ("signing", "days", "said"),
    [
        ((NARROW, TOP), 2000, "root_mount_path: '{mount}' is not valid; 'CN=mesh CA'"),
        ((TOP,), 400, "lifetime_days: 1825 is not valid; the mount of the root cut it to 400 days"),
    ],
    ids=["no room", "cut short"],
)
def test_what_is_not_fit_does_not_get_into_its_mount(
    vault: PrivateVault,
    mount: str,
    project: Project,
    signing: tuple[Made, ...],
    days: int,
    said: str,
) -> None:
    Corporate(vault, mount).set_up(*signing, days=days)
    project.give("ClusterCa", args(mount, SigningMount(vault.client, mount).default()))

    outcome = project.attempt("up", "--yes", "--skip-preview")

    assert outcome.exit_code != 0
    (line,) = [error for error in outcome.errors if error != "update failed"]
    assert line.startswith(said.format(mount=mount))
    assert "Traceback" not in outcome.output
    assert vault.client.list(f"{mount}-east/issuers") is None
