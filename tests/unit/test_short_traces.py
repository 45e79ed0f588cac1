"""Traces are short while resources are registered, and those of errors are whole."""

import sys
import traceback

import pytest

from mesh_trust.environment.short_traces import short_traces

_DEPTH = 30


def _deep(calls: int) -> int:
    if calls == 0:
        return len(traceback.extract_stack())
    return _deep(calls - 1)


def _failing(calls: int) -> None:
    if calls == 0:
        raise ValueError("at the bottom")
    _failing(calls - 1)


def test_what_is_noted_is_short_meanwhile_only() -> None:
    with short_traces():
        assert _deep(_DEPTH) == 12
    assert _deep(_DEPTH) > _DEPTH
    assert not hasattr(sys, "tracebacklimit")


def test_an_error_is_told_whole() -> None:
    with pytest.raises(ValueError, match="at the bottom") as raised, short_traces():
        _failing(_DEPTH)
    assert len(traceback.extract_tb(raised.tb)) > _DEPTH


def test_a_limit_that_was_there_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "tracebacklimit", 5, raising=False)
    with short_traces():
        assert _deep(_DEPTH) == 12
    assert _deep(_DEPTH) == 5
