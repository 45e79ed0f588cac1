"""Certificates and keys on disk: found again while they belong together, else made anew."""

from pathlib import Path

from lab.credentials import authority_files, client_files, server_files, signing_key_files
from lab.directory import write_private


def test_what_is_whole_is_found_again(tmp_path: Path) -> None:
    authority = authority_files(tmp_path, "lab test")
    server = server_files(tmp_path, "server", authority, ["localhost"])
    keys = signing_key_files(tmp_path, "tokens")
    before = (authority.read(), server.read(), keys.private_key.read_bytes())
    assert authority_files(tmp_path, "lab test").read() == before[0]
    assert server_files(tmp_path, "server", authority, ["localhost"]).read() == before[1]
    assert signing_key_files(tmp_path, "tokens").private_key.read_bytes() == before[2]


def test_a_key_that_is_not_its_certificates_is_made_anew_with_it(tmp_path: Path) -> None:
    authority = authority_files(tmp_path, "lab test")
    one = client_files(tmp_path, "one", authority, "one")
    other = client_files(tmp_path, "other", authority, "other")
    write_private(one.private_key, other.private_key.read_bytes())
    before = one.read()
    after = client_files(tmp_path, "one", authority, "one").read()
    assert after.certificate != before.certificate
    assert after.private_key != before.private_key


def test_a_certificate_of_a_lost_authority_is_made_anew(tmp_path: Path) -> None:
    authority = authority_files(tmp_path, "lab test")
    before = client_files(tmp_path, "one", authority, "one").read()
    authority.private_key.unlink()
    authority = authority_files(tmp_path, "lab test")
    assert client_files(tmp_path, "one", authority, "one").read() != before


def test_signing_keys_that_are_no_pair_are_made_anew(tmp_path: Path) -> None:
    keys, others = signing_key_files(tmp_path, "tokens"), signing_key_files(tmp_path, "others")
    write_private(keys.private_key, others.private_key.read_bytes())
    before = keys.public_key.read_bytes()
    assert signing_key_files(tmp_path, "tokens").public_key.read_bytes() != before
