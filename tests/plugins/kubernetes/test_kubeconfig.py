from pathlib import Path

import pytest

from lab.plugins.kubernetes.kubeconfig import Selection, for_other_clients
from lab.plugins.provider.values import Properties

KUBECONFIG: Properties = {
    "current-context": "one",
    "contexts": [
        {"name": "one", "context": {"cluster": "first", "user": "me"}},
        {"name": "two", "context": {"cluster": "second", "user": "me"}},
    ],
    "clusters": [
        {"name": "first", "cluster": {"certificate-authority": "ca.pem"}},
        {"name": "second", "cluster": {"certificate-authority": "/etc/ca.pem"}},
    ],
    "users": [{"name": "me", "user": {"token": "t", "client-key": "keys/me.pem"}}],
}


@pytest.mark.parametrize(
    ("selection", "context", "cluster"),
    [
        (Selection(), "one", "first"),
        (Selection(context="two"), "two", "second"),
        (Selection(cluster="second"), "one", "second"),
        (Selection(context="two", cluster="first"), "two", "first"),
    ],
)
def test_what_is_selected_is_current(selection: Selection, context: str, cluster: str) -> None:
    selected = for_other_clients(KUBECONFIG, selection)

    assert selected["current-context"] == context
    contexts = selected["contexts"]
    assert isinstance(contexts, list)
    assert {"name": context, "context": {"cluster": cluster, "user": "me"}} in contexts


def test_files_are_found_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    selected = for_other_clients(KUBECONFIG, Selection())

    assert selected["clusters"] == [
        {"name": "first", "cluster": {"certificate-authority": str(tmp_path / "ca.pem")}},
        {"name": "second", "cluster": {"certificate-authority": "/etc/ca.pem"}},
    ]
    assert selected["users"] == [
        {"name": "me", "user": {"token": "t", "client-key": str(tmp_path / "keys" / "me.pem")}}
    ]
