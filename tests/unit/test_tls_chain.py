"""What a TLS server shows."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mesh_trust.operations.tls_chain import shown_chain
from tests.certificates import Recipe, ec_key, make


def test_the_whole_chain_is_seen_although_nobody_trusts_it(tmp_path: Path) -> None:
    root, between = make(Recipe(common_name="root")), ec_key()
    middle = make(Recipe(between, "middle", "root", root.key, path_length=0))
    leaf = make(Recipe(ec_key(), "leaf", "middle", between, ca=False, usage=None))
    file = tmp_path / "chain.pem"
    file.write_text(leaf.certificate_pem + middle.certificate_pem + leaf.private_key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with context.wrap_socket(theirs, server_side=True) as connection:
            connection.recv(1)

    with ThreadPoolExecutor(1) as threads:
        served = threads.submit(serve)
        chain = shown_chain(ours, "anything.example")
        served.result()

    assert chain == [leaf.certificate, middle.certificate]
