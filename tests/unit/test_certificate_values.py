"""Files of CA certificates that a program names."""

from dataclasses import replace
from pathlib import Path

import pytest

from mesh_trust import InvalidInputError, ca_certificates
from tests.certificates import Recipe, make


def test_the_file_is_read_as_it_is(tmp_path: Path) -> None:
    pem = make().certificate_pem + make().certificate_pem
    (tmp_path / "ca.pem").write_text(pem)

    assert ca_certificates(tmp_path / "ca.pem") == pem
    assert ca_certificates(str(tmp_path / "ca.pem")) == pem


def test_anything_else_is_refused_by_the_name_of_its_field(tmp_path: Path) -> None:
    good = make()
    wrong = {
        "key.pem": good.private_key_pem,
        "none.pem": "",
        "server.pem": make(replace(Recipe(), ca=False)).certificate_pem,
        "expired.pem": make(replace(Recipe(), starts=-20, ends=-10)).certificate_pem,
    }
    for name, content in wrong.items():
        (tmp_path / name).write_text(content)
    for name in (*wrong, "missing.pem"):
        with pytest.raises(InvalidInputError, match=r"^vaultCaFile: ") as refused:
            ca_certificates(tmp_path / name, "vaultCaFile")
        assert "\n" not in str(refused.value)
