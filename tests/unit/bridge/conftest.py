from __future__ import annotations

import pytest

from tests.unit.bridge.session_kit import Stage


@pytest.fixture
def stage(monkeypatch):
    """Makes a session with one provider for each of the given capabilities."""
    return lambda *capabilities, **config: Stage(monkeypatch, *capabilities, **config)
