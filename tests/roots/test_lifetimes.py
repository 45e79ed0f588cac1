"""Vault cuts lifetimes, and lets them outlast the root, without refusing: both are checked."""

import pytest
from cryptography import x509

from mesh_trust import InvalidInputError, RootPki, RootPkiArgs
from tests.certificates import Made, Recipe, make
from tests.private_vault import PrivateVault

from .signing import SigningMount


def signing_mount(vault: PrivateVault, path: str, root: Made, ttl: str) -> SigningMount:
    config = {"default_lease_ttl": ttl, "max_lease_ttl": ttl}
    vault.client.sys.enable_secrets_engine("pki", path=path, config=config)
    bundle = root.private_key_pem + root.certificate_pem
    vault.client.write_data(f"{path}/config/ca", data={"pem_bundle": bundle})
    return SigningMount(vault.client, path)


def test_a_mount_cuts_what_is_longer(vault: PrivateVault, mount: str) -> None:
    there = signing_mount(vault, mount, make(), "720h")
    signed = there.sign(ttl="8760h")
    assert (signed.not_valid_after_utc - signed.not_valid_before_utc).days == 30


def test_an_intermediate_outlives_its_root(vault: PrivateVault, mount: str) -> None:
    root = make(Recipe(ends=100))
    signed = signing_mount(vault, mount, root, "8760h").sign(ttl="8760h")
    assert signed.not_valid_after_utc > root.certificate.not_valid_after_utc


def test_a_root_that_vault_makes_is_cut_too(vault: PrivateVault, mount: str) -> None:
    config = {"default_lease_ttl": "720h", "max_lease_ttl": "720h"}
    vault.client.sys.enable_secrets_engine("pki", path=mount, config=config)
    vault.client.write_data(
        f"{mount}/issuers/generate/root/internal", data={"common_name": "root", "ttl": "87600h"}
    )
    pem = SigningMount(vault.client, mount).issuer("default")["certificate"]
    made = x509.load_pem_x509_certificate(pem.encode())
    assert (made.not_valid_after_utc - made.not_valid_before_utc).days == 30


def test_neither_happens_here() -> None:
    root = make(Recipe(ends=100))
    args: RootPkiArgs = {
        "certificate_pem": root.certificate_pem,
        "private_key_pem": root.private_key_pem,
    }
    with pytest.raises(
        InvalidInputError,
        match=r"for 365 days, the mount allows 365 days .* root has 99 days left .* 99 or less",
    ):
        RootPki("root", args)
