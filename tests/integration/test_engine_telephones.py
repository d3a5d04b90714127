"""Every telephone: codec, packet time and way of playing, and what happens in the call.

A telephone of ours for each cell, several at once, on a real FreeSWITCH; `-s` shows the tables of
docs/telephones.md. FREESWITCH_MODULE names the edition of the module, SPANDSP the file of
libspandsp.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import gevent
import pytest

from bridge.audio.formats import FRAME_MS
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    COVERED_MS,
    MODULE,
    SCRIPT,
    WAYS,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.service import wait_for
from tests.integration.telephones import (
    EVENTS,
    LONG,
    REINVITES,
    SHORT,
    Cell,
    GlidingVoice,
    Telephone,
    cells,
    table,
)

pytestmark = [*ENGINE_MARKS, pytest.mark.timeout(300)]


DELAY_MS = 7.0
"""Encoders look ahead, Opus by 6.5 ms: so much is between two codecs."""
AGAIN_MS = 450.0
"""After a change: what may have been heard already. Sooner twice than not at all."""


@pytest.fixture
def telephones(serve: Any) -> Iterator[Callable[[str, str], list[Cell]]]:
    """Makes all calls of one column."""
    with ExitStack() as stack:

        def run(way: str, event: str) -> list[Cell]:
            short = event in ("steady", "hold")
            secretary = {"first_message": SHORT if short else LONG}
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05, voice=GlidingVoice())
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            client = stack.enter_context(engine_client())
            done: list[Cell] = []
            for codecs in (("PCMU", "PCMA"), ("L16", "G722"), ("opus",)):
                made = [Telephone(client, service, way, cell) for cell in cells(event, codecs)]
                with HubWatch() as hub:
                    gevent.joinall([gevent.spawn(one.run) for one in made])
                    wait_for(lambda: len(service.app.manager) == 0, CALL_S, "calls are left")
                for one in made:
                    one.cell.late_ms = hub.worst_ms
                    one.judge()
                    done.append(one.cell)
            print(table(f"{MODULE.value}: {way}", event, done))
            return done

        yield run


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("way", WAYS)
def test_every_telephone(
    telephones: Callable[[str, str], list[Cell]], way: str, event: str
) -> None:
    changes = event in ("another codec", "autofix")
    for cell in telephones(way, event):
        late_ms = max(0.0, cell.late_ms - COVERED_MS)
        lost_ms, doubled_ms = (DELAY_MS, AGAIN_MS) if changes else (0.0, 0.0)
        if event == "re-INVITE" and way.startswith("unicast"):
            lost_ms += REINVITES * max(
                cell.ptime_ms, FRAME_MS
            )  # FreeSWITCH writes nothing while it answers
        assert not cell.trouble, cell
        assert cell.lost_packets == 0, cell
        assert cell.lost_ms <= lost_ms, cell
        assert cell.doubled_ms <= doubled_ms + late_ms, cell
