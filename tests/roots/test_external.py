"""A mount that others manage is looked at, checked, and left as it is."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.certificates import Made, Recipe, ec_key, make
from tests.private_vault import AuditLog, PrivateVault

from .project import Project
from .signing import SigningMount

DAYS = 86_400
ROOT = make(Recipe(common_name="corporate root", path_length=2))
BELOW = make(
    Recipe(
        key=ec_key(),
        common_name="mesh CA",
        issuer="corporate root",
        signer=ROOT.key,
        path_length=1,
        ends=1000,
    )
)
STRANGER = make(Recipe(common_name="corporate root", path_length=2))


@dataclass(frozen=True)
class Corporate:
    """The Vault side that others manage: `root` signs in the mount, or `below` does."""

    vault: PrivateVault
    mount: str

    def set_up(self, *roots: Made, days: int = 400, key: bool = True) -> None:
        client = self.vault.client
        config = {"default_lease_ttl": f"{days * 24}h", "max_lease_ttl": f"{days * 24}h"}
        client.sys.enable_secrets_engine("pki", path=self.mount, config=config)
        pems = [root.certificate_pem for root in roots]
        if key:
            pems.insert(0, roots[0].private_key_pem)
        answer = client.write_data(f"{self.mount}/config/ca", data={"pem_bundle": "\n".join(pems)})
        if not key:
            issuer = answer["data"]["imported_issuers"][0]
            client.write_data(f"{self.mount}/config/issuers", data={"default": issuer})


def args(mount: str, root: Made = ROOT, **changes: Any) -> dict[str, Any]:
    return {"certificate_pem": root.certificate_pem, "signing_mount": mount, **changes}


@pytest.mark.parametrize("signing", [(ROOT,), (BELOW, ROOT)], ids=["root", "below"])
def test_it_signs_and_nothing_of_it_is_changed(
    vault: PrivateVault, audit: AuditLog, mount: str, project: Project, signing: tuple[Made, ...]
) -> None:
    Corporate(vault, mount).set_up(*signing)
    there = SigningMount(vault.client, mount)
    written = audit.writes(mount)

    project.give("ExternalRootPki", args(mount))
    outputs = project.up()
    project.expect_no_changes()

    assert outputs == {
        "certificate_pem": ROOT.certificate_pem,
        "mount_path": mount,
        "ca_path": f"{mount}/root/sign-intermediate",
        "issuer_id": there.default(),
    }
    assert audit.writes(mount) == written
    there.sign(ttl="8760h").verify_directly_issued_by(signing[0].certificate)


def test_what_is_not_fit_is_refused_in_a_preview(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    def refusal(path: str, root: Made = ROOT, **changes: Any) -> str:
        project.give("ExternalRootPki", args(path, root, **changes))
        outcome = project.attempt("preview")
        assert outcome.exit_code != 0
        (line,) = outcome.errors
        return line

    vault.client.sys.enable_secrets_engine("pki", path=f"{mount}-empty")
    for path in (f"{mount}-absent", f"{mount}-empty"):
        assert refusal(path).startswith(
            f"signing_mount: '{path}' is not valid; name a PKI mount with a default issuer"
        )
    Corporate(vault, mount).set_up(BELOW, ROOT)
    line = refusal(mount, STRANGER)
    assert "its default issuer is 'CN=mesh CA'" in line
    assert "does not stand below the root 'CN=corporate root'" in line
    assert "asks for 401 days, the mount allows 400 days by default and 400 days at most" in (
        refusal(mount, intermediate_lifetime_days=401)
    )
    Corporate(vault, f"{mount}-keyless").set_up(ROOT, key=False)
    assert "its default issuer has no key there" in refusal(f"{mount}-keyless")


def test_a_token_that_may_not_look_is_told_what_it_needs(
    vault: PrivateVault, mount: str, project: Project
) -> None:
    Corporate(vault, mount).set_up(ROOT)
    rules = {
        f"{mount}/issuer/default": 'path "{}" {{ capabilities = ["read"] }}',
        f"sys/mounts/{mount}/tune": 'path "{}" {{ capabilities = ["read"] }}',
    }
    create = 'path "auth/token/create" { capabilities = ["update"] }'
    project.give("ExternalRootPki", args(mount))
    for allowed in ([], [*rules][:1], [*rules]):
        text = "\n".join([create, *(rules[path].format(path) for path in allowed)])
        vault.client.sys.create_or_update_policy(mount, text)
        token = vault.client.auth.token.create(policies=[mount], ttl="10m")
        project.environment["VAULT_TOKEN"] = token["auth"]["client_token"]
        outcome = project.attempt("preview")
        if allowed == [*rules]:
            assert outcome.exit_code == 0, outcome.output
        else:
            (line,) = outcome.errors
            assert f"may read {mount}/issuer/default and sys/mounts/{mount}/tune" in line
    project.environment["VAULT_TOKEN"] = vault.token
