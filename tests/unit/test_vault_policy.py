import pytest

from components import InvalidInputError
from components.vault_policy import agent_policy


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
