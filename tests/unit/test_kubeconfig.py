import base64
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import ApiServer, InvalidInputError, api_server
from components.kubeconfig import require_context

from .conftest import make_certificate

PEM = make_certificate("the cluster's CA")


def document(**cluster: Any) -> dict[str, Any]:
    return {
        "contexts": [{"name": "east", "context": {"cluster": "c1", "user": "u"}}],
        "clusters": [{"name": "c1", "cluster": {"server": "https://10.0.0.1:6443", **cluster}}],
    }


def write(directory: Path, content: object) -> Path:
    path = directory / "config"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("line_end", ["", "\n"])
@pytest.mark.parametrize("width", [64, 10_000])
def test_embedded_ca(tmp_path: Path, width: int, line_end: str) -> None:
    encoded = "\n".join(textwrap.wrap(base64.b64encode(PEM.encode()).decode(), width)) + line_end
    path = write(tmp_path, document(**{"certificate-authority-data": encoded}))

    assert api_server(path, "east") == ApiServer("https://10.0.0.1:6443", PEM)


def test_ca_in_a_file_beside_the_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(PEM)
    path = write(tmp_path, document(**{"certificate-authority": "ca.crt"}))

    assert api_server(path, "east").ca_certificate == PEM


def test_entries_that_are_not_used_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(PEM)
    content = document(**{"certificate-authority": "ca.crt"})
    content["contexts"] += [{"name": "broken"}, "broken", {"name": 7, "context": {}}]
    content["clusters"] += [None, {"cluster": {}}]

    assert api_server(write(tmp_path, content), "east").ca_certificate == PEM


HELLO = base64.b64encode(b"hello").decode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (document(), r"give cluster c1 its certificate-authority-data"),
        (document(**{"certificate-authority-data": "?"}), r"PEM of a certificate in base64"),
        (document(**{"certificate-authority-data": "é"}), r"PEM of a certificate in base64"),
        (document(**{"certificate-authority-data": 7}), r"PEM of a certificate in base64"),
        (document(**{"certificate-authority-data": HELLO}), r"give it the PEM of a certificate"),
        (document(**{"certificate-authority": "absent.crt"}), r"absent\.crt.*No such file"),
        (document(**{"certificate-authority": "config"}), r"give it the PEM of a certificate"),
        (document(server=None), r"give cluster c1 a server"),
        ({"contexts": [], "clusters": []}, r"context in .*: 'east' .*use one that it has: none"),
        ({**document(), "contexts": {}}, r"context in .*: 'east' "),
        ({**document(), "contexts": ["east"]}, r"context in .*: 'east' "),
        ({**document(), "contexts": [{"name": "east", "context": None}]}, r"context in .*: 'east'"),
        ({**document(), "clusters": None}, r"cluster in .*: 'c1' "),
        ({**document(), "clusters": [{"name": "c1"}]}, r"cluster in .*: 'c1' "),
        ({**document(), "clusters": [{"name": "c1", "cluster": 7}]}, r"cluster in .*: 'c1' "),
        (["no", "mapping"], r"name a kubeconfig file"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        api_server(write(tmp_path, content), "east")


def test_a_cluster_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    content = document()
    content["contexts"][0]["context"]["cluster"] = ["c1"]

    with pytest.raises(InvalidInputError, match=r"cluster in .*: \['c1'\] "):
        api_server(write(tmp_path, content), "east")


def test_a_certificate_with_a_remark_that_is_not_ascii_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(f"# é\n{PEM}")
    path = write(tmp_path, document(**{"certificate-authority": "ca.crt"}))

    with pytest.raises(InvalidInputError, match="give it the PEM of a certificate"):
        api_server(path, "east")


def test_a_context_without_a_ca_is_a_context(tmp_path: Path) -> None:
    path = write(tmp_path, document())

    assert require_context(path, "east") == "east"
    with pytest.raises(InvalidInputError, match=r"context in .*: 'west' .*that it has: east"):
        require_context(path, "west")
    with pytest.raises(InvalidInputError, match=r"absent.*No such file"):
        require_context(tmp_path / "absent", "east")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"absent.*No such file"):
        api_server(tmp_path / "absent", "east")
    (tmp_path / "broken").write_text("{")
    with pytest.raises(InvalidInputError, match="name a YAML file"):
        api_server(tmp_path / "broken", "east")
