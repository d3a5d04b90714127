"""The measurements run: they go in by the front door, and a door can be moved."""

from __future__ import annotations

import pytest

from bench import relay


@pytest.mark.slow
def test_a_run_gives_its_figures(database):
    run = relay.measure(database.dsn, relay.Plan(relay.G711, calls=2, seconds=1.0))
    assert run.answered == 2
    assert run.uplink_ms_p50 is not None
    assert run.first_audio_ms_p50 is not None
