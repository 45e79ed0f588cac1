"""Each value of the Vault chart changes what it should in the objects, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from mesh_trust.vault_values import LOG_LEVELS, SERVICE_TYPES, development_values, merge_values

from . import ha_rows, rows, server_rows, service_rows, standalone_rows, vault_schema
from .rendering import Chart, changes, nested
from .rows import DEV, Row

ROWS: tuple[Row, ...] = (
    *server_rows.GLOBAL_ROWS,
    *server_rows.SERVER_ROWS,
    *server_rows.PROBE_ROWS,
    *service_rows.SERVICE_ROWS,
    *service_rows.UI_ROWS,
    *service_rows.ACCESS_ROWS,
    *standalone_rows.STORAGE_ROWS,
    *standalone_rows.PLACEMENT_ROWS,
    *standalone_rows.STANDALONE_ROWS,
    *ha_rows.HA_ROWS,
)

ELSEWHERE = {
    # test_names
    "fullnameOverride",
    "nameOverride",
    # test_objects
    "server.ha.enabled",
    # test_refusals
    "injector.enabled",
    "server.ha.raft.enabled",
    "server.standalone.enabled",
}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_value_changes_its_own_fields_and_no_others(chart: Chart, row: Row) -> None:
    before = merge_values(row.base, nested(row.beside))
    after = merge_values(before, nested({row.key: row.value}))
    assert changes(chart.objects(before), chart.objects(after)) == row.changes


def test_no_value_is_without_a_row() -> None:
    assert {row.key for row in ROWS} | ELSEWHERE == vault_schema.keys()


def test_every_row_changes_something() -> None:
    assert [str(row) for row in ROWS if not row.changes] == []


class TestWhatVaultInstallSets:
    @pytest.mark.parametrize("level", LOG_LEVELS)
    def test_log_level(self, chart: Chart, level: str) -> None:
        expected = {f"{rows.ENVIRONMENT}[VAULT_LOG_LEVEL].value": level}
        assert self._changes(chart, log_level=level) == (expected if level != "debug" else {})

    @pytest.mark.parametrize("service_type", SERVICE_TYPES)
    def test_service_type(self, chart: Chart, service_type: str) -> None:
        expected = {f"{rows.SERVICE}.spec.type": service_type}
        if service_type == "ClusterIP":
            expected |= rows.gone(f"{rows.SERVICE}.spec.externalTrafficPolicy")
        found = self._changes(chart, service_type=service_type)
        assert found == (expected if service_type != "LoadBalancer" else {})

    def test_root_token(self, chart: Chart) -> None:
        expected = {f"{rows.ENVIRONMENT}[VAULT_DEV_ROOT_TOKEN_ID].value": "another"}
        assert self._changes(chart, root_token="another") == expected

    def test_namespace(self, chart: Chart) -> None:
        found = changes(chart.objects(DEV), chart.objects(DEV, namespace="secrets"))
        assert found == rows.in_namespace("secrets")

    def _changes(self, chart: Chart, **argument: str) -> Mapping[str, Any]:
        arguments: dict[str, Any] = {
            "log_level": "debug",
            "service_type": "LoadBalancer",
            "root_token": "a-token",
        }
        given = development_values(**arguments | argument)
        return changes(chart.objects(DEV), chart.objects(given))
