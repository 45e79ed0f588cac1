from pathlib import Path

import pytest

from lab.plugins.provider.values import UNKNOWN, Properties
from tests.conformance.harness import Plugin, RefusedError
from tests.private_vault import PrivateVault

AUDIT = "vault:index/audit:Audit"


@pytest.fixture
def inputs(path: str, tmp_path: Path) -> Properties:
    return {
        "type": "file",
        "path": path,
        "description": "all of it",
        "options": {"file_path": str(tmp_path / "audit.log")},
    }


def devices(vault: PrivateVault) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = vault.client.sys.list_enabled_audit_devices()["data"]
    return found


def test_create_read_back_and_delete(
    plugin: Plugin, vault: PrivateVault, path: str, inputs: Properties, tmp_path: Path
) -> None:
    audit = plugin.create(AUDIT, inputs)
    try:
        assert audit.id == path
        device = devices(vault)[f"{path}/"]
        assert (device["type"], device["description"], device["local"]) == (
            "file",
            "all of it",
            False,
        )
        assert device["options"] == {"file_path": str(tmp_path / "audit.log")}
        vault.client.sys.list_mounted_secrets_engines()
        assert '"path":"sys/mounts"' in (tmp_path / "audit.log").read_text()
        read = plugin.read(audit)
        assert read is not None
        assert (read.state, read.inputs) == (audit.state, inputs)
        assert not plugin.diff(audit, inputs).changes
        imported = plugin.import_(AUDIT, path)
        assert imported is not None
        assert not plugin.diff(imported, inputs).changes
    finally:
        plugin.delete(audit)
    assert f"{path}/" not in devices(vault)
    assert plugin.read(audit) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "socket"),
        ("path", "elsewhere"),
        ("description", "some of it"),
        ("options", {"file_path": "stdout"}),
        ("local", True),
    ],
)
def test_every_change_replaces_it(
    plugin: Plugin, inputs: Properties, field: str, value: object
) -> None:
    audit = plugin.create(AUDIT, inputs)
    try:
        assert plugin.diff(audit, {**inputs, field: value}).replaces == [field]  # type: ignore[dict-item]
    finally:
        plugin.delete(audit)


def test_a_path_that_is_taken_or_a_file_that_cannot_be_written(
    plugin: Plugin, vault: PrivateVault, inputs: Properties
) -> None:
    audit = plugin.create(AUDIT, inputs)
    try:
        with pytest.raises(RefusedError, match=r"^error enabling audit backend: .*already in use"):
            plugin.create(AUDIT, inputs)
    finally:
        plugin.delete(audit)
    with pytest.raises(RefusedError, match=r"^error enabling audit backend: .* Code: 400\."):
        plugin.create(AUDIT, {**inputs, "options": {"file_path": "/proc/none/audit.log"}})
    assert devices(vault) == {}


def test_a_preview_changes_nothing(plugin: Plugin, vault: PrivateVault, inputs: Properties) -> None:
    planned = plugin.create(AUDIT, {**inputs, "options": UNKNOWN}, preview=True)
    assert (planned.id, planned.state["options"]) == ("", UNKNOWN)
    assert devices(vault) == {}
