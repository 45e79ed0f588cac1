"""What is wrong with a configuration is said in a line; what is nearly the same passes."""

from pathlib import Path
from typing import Any

import pytest

from mesh_trust.settings import InvalidConfigurationError
from tests.bad_input import Row, cluster, filled, groups, lines_of, page, rows, world
from tests.bad_input_of_vault import vault_stack
from tests.certificates import certificate_faults, key_pem, make

from .test_settings import load

CHECKOUT = Path(__file__).parents[2]
EAST = {"name": "east", "context": "east"}
ROWS = rows()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What a user's shell and files hold."""
    east = {
        "contexts": [{"name": "east", "context": {"cluster": "east"}}],
        "clusters": [
            {
                "name": "east",
                "cluster": {
                    "server": "https://east:6443",
                    "certificate-authority": "ca.pem",
                },
            }
        ],
        "users": [],
    }
    monkeypatch.setenv("KUBECONFIG", str(world(tmp_path, east)))
    monkeypatch.setenv("VAULT_ADDR", "https://vault:8200")
    monkeypatch.setenv("VAULT_CACERT", str(tmp_path / "ca.pem"))
    return tmp_path


@pytest.mark.parametrize("row", ROWS, ids=[row.fault for row in ROWS])
def test_it_is_refused_in_one_line_and_its_neighbour_passes(row: Row, folder: Path) -> None:
    with pytest.raises(InvalidConfigurationError) as refused:
        load(**_configuration(row, row.bad, row.bad_cluster, folder))
    expected = lines_of(row, 1 + len(row.bad.get("_clusters", [])), folder)
    for said, start in zip(refused.value.lines, expected, strict=True):
        assert said.startswith(start)
        assert "\n" not in said

    load(**_configuration(row, row.good, row.good_cluster, folder))


def _configuration(row: Row, changes: Any, added: Any, folder: Path) -> dict[str, Any]:
    if row.of_vault:
        return vault_stack(changes)
    clusters: list[Any] = [EAST, *changes.get("_clusters", [])]
    if added is not None:
        clusters.append(cluster(added, len(clusters), folder))
    values = {key: value for key, value in changes.items() if key != "_clusters"}
    return {"development": True, "clusters": clusters, **filled(values, folder)}


def test_all_of_it_is_said_at_once(folder: Path) -> None:
    """As many lines as there are faults, and none beside them."""
    made = groups(ROWS, [EAST], folder)
    assert sum(len(group.rows) for group in made) == len(ROWS)
    assert len(made[0].rows) > 40
    for group in made:
        with pytest.raises(InvalidConfigurationError) as refused:
            load(**{"development": True, **group.changes})
        for expected in group.lines:
            assert [said for said in refused.value.lines if said.startswith(expected)], expected
        assert len(refused.value.lines) == len(group.lines), set(refused.value.lines)


def test_the_page_shows_the_table() -> None:
    assert (CHECKOUT / "docs" / "bad-input.md").read_text() == page()


FAULTS = certificate_faults()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_a_root_is_refused(fault: str) -> None:
    made = FAULTS[fault]
    with pytest.raises(InvalidConfigurationError, match=r"^rootCertificate: 'SHA-256 .{95}' "):
        _load_root(made.certificate_pem, made.private_key_pem)


@pytest.mark.usefixtures("folder")
def test_a_good_root_passes() -> None:
    good = make()
    _load_root(good.certificate_pem, good.private_key_pem)
    with pytest.raises(InvalidConfigurationError, match=r"^rootPrivateKey: '…' .*another's$"):
        _load_root(good.certificate_pem, key_pem(make().key))


def _load_root(certificate_pem: str, private_key_pem: str) -> None:
    load(
        clusters=[EAST],
        rootSource="imported",
        rootCertificate=certificate_pem,
        rootPrivateKey=private_key_pem,
        secrets=["rootPrivateKey"],
    )
