"""What an agent's token may do in a real Vault, path by path, with each policy there is.

The table is that of docs/vault-policies.md, which is compared with it.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from cryptography import x509

from lab.directory import CHECKOUT
from mesh_trust.names import auth_mount_path, csr_path, role_name, sign_intermediate_path
from mesh_trust.vault_policy import agent_policy, guide_agent_policy
from tests.private_vault import PrivateVault

from .operations import KUBERNETES_CONFIG, NAMED, SECRET, Operation, Setup, kube_role

EAST_CSR = csr_path("pki_int_east")
SIGN = sign_intermediate_path("pki")

# The policies of the agent of the cluster east, by their columns in the table.
POLICIES: Mapping[str, str] = {
    "least-privilege": agent_policy(EAST_CSR, SIGN),
    "… denying nothing": agent_policy(EAST_CSR, SIGN, ()),
    "… with a CA of its own": agent_policy(EAST_CSR, sign_intermediate_path("pki_east")),
    "guide": guide_agent_policy("pki_int_east", "pki"),
}
NONE = frozenset[str]()
ALL = frozenset(POLICIES)
LEAST, DENYING_NOTHING, OWN_CA, GUIDE = (frozenset({name}) for name in POLICIES)
AT_THE_ROOT = LEAST | DENYING_NOTHING | GUIDE
UNLIMITED = DENYING_NOTHING | GUIDE


def signing(**more: Any) -> Any:
    return lambda setup: {
        "csr": setup.csr,
        "common_name": "istiod",
        **{name: value(setup) if callable(value) else value for name, value in more.items()},
    }


# Each with the policies that allow it.
TABLE: list[tuple[Operation, frozenset[str]]] = [
    # The two requests of a handshake, and the root's certificate.
    (Operation("have a request made, with its key", "PUT", EAST_CSR, NAMED), ALL),
    (Operation("have it signed by the root", "PUT", SIGN, signing()), AT_THE_ROOT),
    (
        Operation(
            "have it signed by the cluster's own CA",
            "PUT",
            "pki_east/root/sign-intermediate",
            signing(),
        ),
        OWN_CA,
    ),
    (Operation("read the root's certificate", "GET", "pki/cert/ca"), ALL),
    # What could be asked for with a signature.
    (
        Operation("… with a longer chain below", "PUT", SIGN, signing(max_path_length=3)),
        UNLIMITED,
    ),
    (
        Operation(
            "… past the mount's lifetime", "PUT", SIGN, signing(not_after="2999-01-01T00:00:00Z")
        ),
        UNLIMITED,
    ),
    (Operation("… with a key identifier of choice", "PUT", SIGN, signing(skid="00:01")), UNLIMITED),
    (
        Operation(
            "… by another issuer of the mount",
            "PUT",
            SIGN,
            signing(issuer_ref=lambda setup: setup.other_issuer),
        ),
        UNLIMITED,
    ),
    (
        Operation(
            "have it signed by an issuer by name",
            "PUT",
            "pki/issuer/<other issuer>/sign-intermediate",
            signing(),
        ),
        NONE,
    ),
    # The rest of the cluster's own mount.
    (
        Operation(
            "have a request made, its key kept",
            "PUT",
            "pki_int_east/intermediate/generate/internal",
            NAMED,
        ),
        GUIDE,
    ),
    (
        Operation("make a root, with its key", "PUT", "pki_int_east/root/generate/exported", NAMED),
        GUIDE,
    ),
    (
        Operation(
            "make a role to issue by",
            "PUT",
            "pki_int_east/roles/any",
            {"allow_any_name": True},
        ),
        GUIDE,
    ),
    (Operation("list keys", "LIST", "pki_int_east/keys"), GUIDE),
    (
        Operation(
            "delete a key",
            "DELETE",
            "pki_int_east/key/<key>",
        ),
        GUIDE,
    ),
    (
        Operation(
            "delete a CA",
            "DELETE",
            "pki_int_east/issuer/<issuer>",
        ),
        GUIDE,
    ),
    (
        Operation(
            "change the mount's settings", "PUT", "pki_int_east/config/crl", {"expiry": "72h"}
        ),
        GUIDE,
    ),
    # Another cluster.
    (
        Operation("have a request made", "PUT", csr_path("pki_int_west"), NAMED),
        NONE,
    ),
    (Operation("list keys", "LIST", "pki_int_west/keys"), NONE),
    (
        Operation(
            "delete a key",
            "DELETE",
            "pki_int_west/key/<key>",
        ),
        NONE,
    ),
    (
        Operation(
            "have a request signed by its CA", "PUT", "pki_west/root/sign-intermediate", signing()
        ),
        NONE,
    ),
    (
        Operation(
            "change its role",
            "PUT",
            f"auth/{auth_mount_path('west')}/role/{role_name('west')}",
            kube_role("west"),
        ),
        NONE,
    ),
    # The root's mount.
    (
        Operation(
            "have any certificate signed",
            "PUT",
            "pki/sign-verbatim",
            lambda setup: {"csr": setup.csr, "ttl": "1h"},
        ),
        NONE,
    ),
    (
        Operation("make another root", "PUT", "pki/root/generate/internal", NAMED),
        NONE,
    ),
    (
        Operation("delete a root", "DELETE", "pki/issuer/<issuer>"),
        NONE,
    ),
    (
        Operation(
            "let another root sign",
            "PUT",
            "pki/config/issuers",
            lambda setup: {"default": setup.root_issuer},
        ),
        NONE,
    ),
    (
        Operation(
            "revoke a certificate",
            "PUT",
            "pki/revoke",
            lambda setup: {"serial_number": setup.new_serial()},
        ),
        NONE,
    ),
    (Operation("list certificates", "LIST", "pki/certs"), NONE),
    (Operation("list keys", "LIST", "pki/keys"), NONE),
    # The way in.
    (
        Operation(
            "point the login elsewhere",
            "PUT",
            f"auth/{auth_mount_path('east')}/config",
            KUBERNETES_CONFIG,
        ),
        NONE,
    ),
    (
        Operation(
            "change its role",
            "PUT",
            f"auth/{auth_mount_path('east')}/role/{role_name('east')}",
            kube_role("east"),
        ),
        NONE,
    ),
    (Operation("make a token", "PUT", "auth/token/create", {"no_parent": False}), NONE),
    # The rest of Vault.
    (Operation("read its policy", "GET", f"sys/policies/acl/{role_name('east')}"), NONE),
    (
        Operation(
            "write a policy",
            "PUT",
            f"sys/policies/acl/{role_name('east')}",
            {"policy": 'path "*" { capabilities = ["sudo"] }'},
        ),
        NONE,
    ),
    (Operation("list mounts", "GET", "sys/mounts"), NONE),
    (Operation("read a secret", "GET", SECRET), NONE),
    (Operation("look at its own token", "GET", "auth/token/lookup-self"), ALL),
]


@pytest.fixture(scope="module")
def tokens(vault: PrivateVault, setup: Setup) -> dict[str, str]:
    """A token with each policy, and with `default`, which a login carries as well."""
    assert setup.root_issuer != setup.other_issuer
    tokens = {}
    for number, (name, text) in enumerate(POLICIES.items()):
        vault.client.sys.create_or_update_policy(f"agent-{number}", text)
        made = vault.client.auth.token.create(policies=[f"agent-{number}"])
        tokens[name] = made["auth"]["client_token"]
    return tokens


@pytest.mark.parametrize(
    ("operation", "allowing"), TABLE, ids=[f"{each.words}: {each.path}" for each, _ in TABLE]
)
def test_who_may_do_what(
    vault: PrivateVault,
    setup: Setup,
    tokens: dict[str, str],
    operation: Operation,
    allowing: frozenset[str],
) -> None:
    # The control: it is the policy that refuses, and not Vault that knows no such request.
    assert operation.is_allowed(setup, vault.token)

    found = {name for name, token in tokens.items() if operation.is_allowed(setup, token)}

    assert found == allowing


@pytest.mark.parametrize(
    "body",
    [
        {"ISSUER_REF": "other"},
        {"max_path_length": None},
        {"max_path_length": ""},
        {"not_after": []},
    ],
)
def test_no_spelling_of_a_denied_parameter_passes(
    setup: Setup, tokens: dict[str, str], body: dict[str, Any]
) -> None:
    operation = Operation("sign", "PUT", SIGN, lambda setup: {**signing()(setup), **body})

    assert not operation.is_allowed(setup, tokens["least-privilege"])


@pytest.mark.parametrize(
    ("policy", "parameters", "path_length"),
    [
        # The request itself asks for 5, and the root may have one CA below it.
        ("least-privilege", {}, 0),
        ("least-privilege", {"use_csr_values": True}, 0),
        # The control: with a parameter it would have been had.
        ("guide", {"max_path_length": 3}, 3),
    ],
)
def test_how_long_a_chain_can_be_had(
    setup: Setup,
    tokens: dict[str, str],
    policy: str,
    parameters: dict[str, Any],
    path_length: int,
) -> None:
    signed = Operation("sign", "PUT", SIGN, signing(**parameters)).send(setup, tokens[policy])

    certificate = x509.load_pem_x509_certificate(signed.json()["data"]["certificate"].encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints.path_length == path_length


def test_only_the_certificates_are_there_without_a_token(setup: Setup) -> None:
    open_to_all = {operation.path for operation, _ in TABLE if operation.is_allowed(setup, None)}

    assert open_to_all == {"pki/cert/ca"}


def test_the_documentation_has_this_table() -> None:
    text = (CHECKOUT / "docs" / "vault-policies.md").read_text()

    assert table() in text, f"docs/vault-policies.md should have:\n\n{table()}"


def table() -> str:
    """The table as Markdown."""
    lines = [
        f"| what | request | {' | '.join(POLICIES)} |",
        f"| --- | --- |{' --- |' * len(POLICIES)}",
    ]
    for operation, allowing in TABLE:
        cells = ["yes" if name in allowing else "no" for name in POLICIES]
        lines.append(
            f"| {operation.words} | `{operation.method} {operation.path}` | {' | '.join(cells)} |"
        )
    return "\n".join(lines)
