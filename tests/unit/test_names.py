import pytest

from mesh_trust import names


def test_the_names_are_those_of_the_guide() -> None:
    assert names.ROOT_MOUNT_PATH == "pki"
    assert names.intermediate_mount_path("east") == "pki_int_east"
    assert names.auth_mount_path("east") == "kube-east-mesh-auth"
    assert names.role_name("east") == "gen-int-ca-istio-east-mesh"
    assert names.csr_path("pki_int_east") == "pki_int_east/intermediate/generate/exported"
    assert names.sign_intermediate_path("pki") == "pki/root/sign-intermediate"


@pytest.mark.parametrize(
    ("revision", "account"),
    [("default", "istiod"), ("1-20", "istiod-1-20"), ("main", "istiod-main")],
)
def test_istiods_service_account_follows_the_revision(revision: str, account: str) -> None:
    assert names.istiod_service_account(revision) == account
