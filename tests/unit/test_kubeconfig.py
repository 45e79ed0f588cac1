import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import ApiServer, InvalidInputError, api_server

PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"


def document(**cluster: Any) -> dict[str, Any]:
    return {
        "contexts": [{"name": "east", "context": {"cluster": "c1", "user": "u"}}],
        "clusters": [{"name": "c1", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
    }


def write(directory: Path, content: object) -> Path:
    path = directory / "config"
    path.write_text(yaml.safe_dump(content))
    return path


def test_embedded_ca(tmp_path: Path) -> None:
    encoded = base64.b64encode(PEM.encode()).decode()
    path = write(tmp_path, document(**{"certificate-authority-data": encoded}))

    assert api_server(path, "east") == ApiServer("https://10.0.0.1:6443", PEM)


def test_ca_in_a_file_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(PEM)
    path = write(tmp_path, document(**{"certificate-authority": "ca.crt"}))

    assert api_server(path, "east").ca_certificate == PEM


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(), r"give cluster c1 its certificate-authority-data"),
        (document(**{"certificate-authority-data": "?"}), "base64 PEM"),
        (document(**{"certificate-authority": "absent.crt"}), "absent.crt"),
        ({"contexts": [], "clusters": []}, r"context: 'east' .*use one that .* has: none"),
        ({**document(), "clusters": None}, "cluster: 'c1'"),
        ({**document(), "clusters": [{"name": "c1"}]}, "give each of its clusters a name"),
        ({**document(), "clusters": ["c1"]}, "give each of its clusters a name"),
        ({**document(), "clusters": [{"name": "c1", "cluster": 7}]}, "give each of its clusters"),
        ({**document(), "contexts": 7}, "give each of its contexts a name and a context"),
        (document(**{"certificate-authority-data": 7}), "base64 PEM"),
        (["no", "mapping"], "name a kubeconfig file"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        api_server(write(tmp_path, content), "east")


def test_a_ca_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"\x30\x82\xff")
    path = write(tmp_path, document(**{"certificate-authority": "ca.crt"}))

    with pytest.raises(InvalidInputError, match=r"certificate-authority: .*name a PEM file"):
        api_server(path, "east")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"absent.*No such file"):
        api_server(tmp_path / "absent", "east")
    (tmp_path / "broken").write_text("{")
    with pytest.raises(InvalidInputError, match="name a YAML file"):
        api_server(tmp_path / "broken", "east")
