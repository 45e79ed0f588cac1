from mesh_trust.vault_configuration import Seal, server_configuration

ALONE = """\
disable_mlock = true
ui = false

listener "tcp" {
  address = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_cert_file = "/vault/tls/tls.crt"
  tls_key_file = "/vault/tls/tls.key"
  tls_min_version = "tls12"
}

storage "raft" {
  path = "/vault/data"
  node_id = "HOSTNAME"
}
"""


def test_a_server_by_itself() -> None:
    assert server_configuration() == ALONE


def test_a_member_joins_any_of_its_peers_by_their_ca() -> None:
    text = server_configuration(peers=["vault-0.vault-internal", "vault-1.vault-internal"])

    head, _, joins = ALONE.rpartition("}\n")
    assert (
        text
        == head
        + joins
        + "".join(
            f"""
  retry_join {{
    leader_api_addr = "https://vault-{number}.vault-internal:8200"
    leader_ca_cert_file = "/vault/tls/ca.crt"
  }}
"""
            for number in (0, 1)
        )
        + "}\n"
    )


def test_it_tells_its_pod_what_it_is_where_it_may() -> None:
    assert (
        server_configuration(registers=True) == f'{ALONE}\nservice_registration "kubernetes" {{}}\n'
    )


def test_a_seal_is_a_stanza_of_its_own() -> None:
    seal = Seal("awskms", {"region": "eu-central-1", "kms_key_id": "alias/vault"})

    assert server_configuration(seal=seal) == (
        f'{ALONE}\nseal "awskms" {{\n  region = "eu-central-1"\n  kms_key_id = "alias/vault"\n}}\n'
    )
