import pytest

from mesh_trust import InvalidInputError
from mesh_trust.vault_policy import agent_policy, guide_agent_policy


def test_the_policy_is_two_rules_and_no_wildcard() -> None:
    text = agent_policy("pki_int_east/intermediate/generate/exported", "pki/root/sign-intermediate")

    assert text == (
        'path "pki_int_east/intermediate/generate/exported" {\n'
        '  capabilities = ["update"]\n'
        "}\n"
        "\n"
        'path "pki/root/sign-intermediate" {\n'
        '  capabilities = ["update"]\n'
        "  denied_parameters = {\n"
        '    "issuer_ref" = []\n'
        '    "max_path_length" = []\n'
        '    "not_after" = []\n'
        '    "skid" = []\n'
        "  }\n"
        "}\n"
    )


@pytest.mark.parametrize("path", ["pki/*", "pki/+/x", '*" { capabilities = ["sudo"] }\npath "x'])
def test_a_path_cannot_widen_the_policy(path: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^ca_path: "):
        agent_policy("pki_int_east/intermediate/generate/exported", path)
    with pytest.raises(InvalidInputError, match=r"^csr_path: "):
        agent_policy(path, "pki/root/sign-intermediate")


def test_denying_nothing_leaves_two_plain_rules() -> None:
    text = agent_policy(
        "pki_int_east/intermediate/generate/exported", "pki/root/sign-intermediate", ()
    )

    assert "denied_parameters" not in text
    assert text.count('capabilities = ["update"]') == 2


def test_the_guides_policy_is_the_guides_for_each_cluster() -> None:
    """Rule by rule as published; there the cluster's name is lost on the way into the pod."""
    assert guide_agent_policy("pki_int_east", "pki") == (
        'path "pki_int_east/*" {\n'
        '  capabilities = ["create", "read", "update", "delete", "list"]\n'
        "}\n"
        "\n"
        'path "pki/cert/ca" {\n'
        '  capabilities = ["read"]\n'
        "}\n"
        "\n"
        'path "pki/root/sign-intermediate" {\n'
        '  capabilities = ["create", "read", "update", "list"]\n'
        "}\n"
    )


@pytest.mark.parametrize("path", ["", "*", "pki_int_+", '" { capabilities = ["sudo"] }'])
def test_a_mount_cannot_widen_the_guides_policy(path: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^intermediate_mount_path: "):
        guide_agent_policy(path, "pki")
    with pytest.raises(InvalidInputError, match=r"^signing_mount_path: "):
        guide_agent_policy("pki_int_east", path)
