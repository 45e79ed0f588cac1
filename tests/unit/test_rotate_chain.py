"""What is seen of a chain, by handshakes with a server that presents it."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from mesh_trust.operations.istiod_chain import IstiodChain, chain_presented
from tests.background import accepting
from tests.certificates import Made, Recipe, make

POD = "istio-system/istiod-1"
ROOT, OTHER = (make(Recipe(common_name=name, path_length=None)) for name in ("root", "other"))


def ca_below(upper: Made, name: str, **changes: Any) -> Made:
    issuer = upper.certificate.subject.rfc4514_string().removeprefix("CN=")
    return make(
        Recipe(common_name=name, issuer=issuer, signer=upper.key, path_length=None, **changes)
    )


def serving_certificate(ca: Made, *, key_id: bool = True) -> Made:
    issuer = ca.certificate.subject.rfc4514_string().removeprefix("CN=")
    return make(
        Recipe(
            common_name="istiod",
            issuer=issuer,
            signer=ca.key,
            ca=False,
            usage=(False, False),
            ends=1,
            key_id=key_id,
        )
    )


@contextlib.contextmanager
def presenting(chains: Sequence[Sequence[Made]], folder: Path) -> Iterator[tuple[str, int]]:
    """A server that presents one of `chains` at each connection, the last one from then on."""
    contexts = []
    for number, chain in enumerate(chains):
        path, key = folder / f"{number}.pem", folder / f"{number}-key.pem"
        path.write_text("".join(each.certificate_pem for each in chain))
        key.write_text(chain[0].private_key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path, key)
        contexts.append(context)

    def present(connection: socket.socket) -> None:
        context = contexts.pop(0) if len(contexts) > 1 else contexts[0]
        with connection, contextlib.suppress(OSError):
            context.wrap_socket(connection, server_side=True).close()

    with accepting(present) as address:
        yield address


def seen(folder: Path, roots: Sequence[Made], *chains: Sequence[Made]) -> IstiodChain:
    with presenting(chains, folder) as address:
        return chain_presented(
            POD,
            lambda: socket.create_connection(address),
            [each.certificate for each in roots],
        )


def key_id(made: Made) -> str:
    extension = made.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return extension.value.digest.hex(":")


def test_a_chain_ends_in_the_root_that_it_verifies_to(tmp_path: Path) -> None:
    ca = ca_below(ROOT, "istiod's CA")
    leaf = serving_certificate(ca)

    for roots in ([ROOT, OTHER], [OTHER, ROOT]):
        chain = seen(tmp_path, roots, [leaf, ca])
        assert chain.root == ROOT.certificate
        assert (chain.pod, chain.key_id, chain.fault) == (POD, key_id(ca), None)


def test_since_when_it_is_there_counts_the_clocks_that_istiod_allows_for(tmp_path: Path) -> None:
    ca = ca_below(ROOT, "istiod's CA")
    leaf = serving_certificate(ca)

    since = seen(tmp_path, [ROOT], [leaf, ca]).since

    assert since == leaf.certificate.not_valid_before_utc + timedelta(minutes=2)
    assert since < datetime.now(UTC)


def test_a_cluster_has_a_ca_between(tmp_path: Path) -> None:
    own = ca_below(ROOT, "CA of east")
    ca = ca_below(own, "istiod's CA")

    assert seen(tmp_path, [ROOT], [serving_certificate(ca), ca, own]).root == ROOT.certificate


@pytest.mark.parametrize(
    ("chain", "fault"),
    [
        pytest.param(
            [serving_certificate(ca := ca_below(OTHER, "self")), ca],
            "unable to get local issuer certificate",
            id="another root",
        ),
        pytest.param(
            [serving_certificate(ca_below(ROOT, "lost"))],
            "unable to get local issuer certificate",
            id="without what is between",
        ),
        pytest.param(
            [serving_certificate(ca := ca_below(ROOT, "old", starts=-9, ends=-1)), ca],
            "certificate has expired",
            id="expired",
        ),
        pytest.param(
            [
                serving_certificate(ca_below(ROOT, "named", starts=-2)),
                make(Recipe(common_name="named", issuer="root", signer=OTHER.key)),
            ],
            "unable to get local issuer certificate",
            id="of that name only",
        ),
    ],
)
def test_a_chain_that_ends_in_none_says_why(
    tmp_path: Path, chain: Sequence[Made], fault: str
) -> None:
    found = seen(tmp_path, [ROOT], chain)

    assert found.root is None
    assert found.fault == fault


def test_one_that_changes_in_between_is_looked_at_anew(tmp_path: Path) -> None:
    """What is said of key and root belongs to one certificate."""
    first, second = ca_below(ROOT, "first"), ca_below(ROOT, "second")

    found = seen(
        tmp_path, [ROOT], [serving_certificate(first), first], [serving_certificate(second), second]
    )

    assert (found.key_id, found.root) == (key_id(second), ROOT.certificate)


def test_a_certificate_that_does_not_say_who_signed_it(tmp_path: Path) -> None:
    ca = ca_below(ROOT, "istiod's CA")
    with pytest.raises(ValueError, match="does not say which key signed it"):
        seen(tmp_path, [ROOT], [serving_certificate(ca, key_id=False), ca])


def test_who_closes_at_once_presents_nothing() -> None:
    here, there = socket.socketpair()
    there.close()
    with pytest.raises(OSError, match=r"EOF|reset|Broken pipe"):
        chain_presented(POD, lambda: here, [ROOT.certificate])


def test_one_that_never_presents_the_same_is_given_up_on(tmp_path: Path) -> None:
    chains = [[serving_certificate(ca), ca] for ca in (ca_below(ROOT, f"{n}") for n in range(12))]

    with pytest.raises(ValueError, match="has presented 5 certificates, one after the other"):
        seen(tmp_path, [ROOT], *chains)
    # The control: the fifth one is seen.
    assert seen(tmp_path, [ROOT], *chains[:9]).root == ROOT.certificate
