"""Every function in a whole conversation, in every situation: what the caller hears, what the
model is told, and what the row says. Many calls at once, in one worker.

docs/functions-faults.md is the table without the times; what was measured is printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.pool import Pool as Greenlets

from esl_controller.tools.registry import BUILT_IN
from tests.integration import function_page
from tests.integration.function_cells import CELLS, DOWN, LOCKED, Cell
from tests.integration.function_house import House, Told, documents_locked, house
from tests.integration.hub_watch import HubWatch

AT_ONCE = 30
SILENCE_S = 1.25
"""A second, and the quarter in which a silence is seen."""
pytestmark = pytest.mark.slow


def test_every_function_in_every_situation(
    outage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub_watch: HubWatch
) -> None:
    assert {cell.function for cell in CELLS} >= set(BUILT_IN)
    with house(outage.database, tmp_path, monkeypatch) as here:
        began = time.monotonic()
        told = held(here, outage)
        took_s = time.monotonic() - began
    late_s = hub_watch.worst_ms / 500
    print(function_page.measured(told))
    print(f"{len(told)} calls in {took_s:.1f} s; this process was up to {late_s / 2:.2f} s late")
    assert [one.cell.name for one in told if one.late] == []
    heard = [one for one in told if not one.cell.outbound and one.first_s is not None]
    assert {one.cell.name: one.first_s for one in heard if one.first_s > 1 + late_s} == {}
    assert {
        one.cell.name: one.silence_s for one in heard if one.silence_s > SILENCE_S + late_s
    } == {}
    waits = [one for one in told if one.cell.waits]
    assert [one.cell.name for one in waits if not one.words_of_ours] == []
    function_page.compare(told)


def held(here: House, outage: Any) -> list[Told]:
    """All of them; those with trouble once nobody else is hurt by it."""
    told = [Told(cell, tenant=here.tenant(cell)) for cell in CELLS]
    pool = Greenlets(AT_ONCE)
    longest_first = sorted(told, key=lambda one: not (one.cell.waits or one.cell.locks))
    calls = {one.cell: gevent.spawn(pool.apply, here.hold, (one,)) for one in longest_first}

    def ended(which: Callable[[Cell], bool]) -> None:
        for cell in filter(which, calls):
            calls[cell].get()

    here.open[""].set()
    ended(lambda cell: cell.function == "search_knowledge" and not cell.trouble)
    with documents_locked(outage.database.dsn):
        here.open[LOCKED].set()
        ended(lambda cell: cell.trouble == LOCKED)
    ended(lambda cell: cell.trouble != DOWN)
    outage.begin(kill=True)
    here.open[DOWN].set()
    ended(lambda cell: cell.trouble == DOWN)
    outage.end()
    here.service.stored()
    return [here.judge(one) for one in told]
