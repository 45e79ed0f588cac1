import base64
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh_trust import ApiServer, InvalidInputError, api_server
from mesh_trust.kubeconfig import Kubeconfig

from .conftest import make_certificate

PEM = make_certificate("the cluster's CA", path_length=0)


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


def with_user(**user: Any) -> dict[str, Any]:
    return {**document(), "users": [{"name": "u", "user": user}]}


def required(directory: Path, content: object, context: str = "east") -> str:
    return Kubeconfig.read(write(directory, content)).require_context(context)


def test_a_context_without_a_ca_is_a_context(tmp_path: Path) -> None:
    assert required(tmp_path, with_user(token="t")) == "east"
    with pytest.raises(InvalidInputError, match=r"context in .*: 'west' .*that it has: east"):
        required(tmp_path, with_user(token="t"), "west")


def test_a_context_may_have_no_user_but_not_an_absent_one(tmp_path: Path) -> None:
    content = document()
    with pytest.raises(InvalidInputError, match=r"user in .*: 'u' .*that it has: none"):
        required(tmp_path, content)
    del content["contexts"][0]["context"]["user"]
    assert required(tmp_path, content) == "east"


def test_a_plugin_that_is_missing_is_named_with_its_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    plugin = tmp_path / "bin" / "gke-gcloud-auth-plugin"
    named = with_user(exec={"command": plugin.name, "installHint": "Install\n  it."})
    beside = with_user(exec={"command": f"bin/{plugin.name}"})
    inside = with_user(exec={"command": f"bin/{plugin.name}-x"})
    for content in (named, beside, inside, with_user(exec={})):
        with pytest.raises(InvalidInputError, match=r"exec command of user u in .*put it on PATH"):
            required(tmp_path, content)
    with pytest.raises(InvalidInputError, match=r"'gke-gcloud-auth-plugin' .*\(Install it\.\)$"):
        required(tmp_path, named)

    plugin.parent.mkdir()
    plugin.touch(mode=0o755)

    assert required(tmp_path, named) == "east"
    assert required(tmp_path, beside) == "east"
    with pytest.raises(InvalidInputError):
        required(tmp_path, inside)


@pytest.mark.parametrize("member", ["client-certificate", "client-key", "tokenFile"])
def test_a_users_file_that_is_missing_is_named(tmp_path: Path, member: str) -> None:
    content = with_user(**{member: "mine"})
    with pytest.raises(InvalidInputError, match=f"{member} of user u in .*mine.*No such file"):
        required(tmp_path, content)
    (tmp_path / "mine").touch()
    assert required(tmp_path, content) == "east"


def test_a_kubeconfig_may_be_given_as_its_content() -> None:
    data = base64.b64encode(PEM.encode()).decode()
    text = yaml.safe_dump(document(**{"certificate-authority-data": data}))

    assert api_server(text, "east") == ApiServer("https://10.0.0.1:6443", PEM)
    with pytest.raises(InvalidInputError, match=r"^context in kubeconfig: 'west' ") as raised:
        api_server(text, "west")
    assert data[:20] not in str(raised.value)
    broken = f"{data}: [\n"
    with pytest.raises(InvalidInputError, match=r"^kubeconfig: '…' .*name a YAML file"):
        api_server(broken, "east")
    with pytest.raises(InvalidInputError, match=r"^kubeconfig: '…' .*give cluster c1 its cert"):
        api_server(yaml.safe_dump(document()), "east")


@pytest.mark.parametrize(
    ("ca", "message"),
    [
        (make_certificate("a server"), "certificate of the CA: this is not one"),
        (
            make_certificate("old", path_length=0, starts=datetime.now(UTC) - timedelta(days=9)),
            "this one expired on",
        ),
    ],
)
def test_a_ca_has_to_be_one_that_is_valid(tmp_path: Path, ca: str, message: str) -> None:
    (tmp_path / "ca.crt").write_text(ca)
    content = document(**{"certificate-authority": "ca.crt"})
    with pytest.raises(InvalidInputError, match=message):
        api_server(write(tmp_path, content), "east")
    # Beside a CA's that is valid, as in a bundle, it does no harm.
    (tmp_path / "ca.crt").write_text(ca + PEM)
    assert api_server(write(tmp_path, content), "east").ca_certificate == ca + PEM


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"absent.*No such file"):
        api_server(tmp_path / "absent", "east")
    (tmp_path / "broken").write_text("{")
    with pytest.raises(InvalidInputError, match="name a YAML file"):
        api_server(tmp_path / "broken", "east")
