"""Every telephone: codec, packet time and way of playing, and what happens in the call.

A telephone of ours for each cell, several at once, on a real FreeSWITCH; `-s` shows the tables of
docs/telephones.md. FREESWITCH_MODULE names the edition of the module, SPANDSP the file of
libspandsp, FREESWITCH_INCOMING where the telephones call (`engine_line.call_in`).

FreeSWITCH's own `playback` in the same cell is the measure: what is lost there is lost whoever
plays. Played from files a packet is lost with each other codec: FreeSWITCH gives it the number of
the new one before it sets that (switch_core_media.c, switch_core_media_negotiate_sdp). How much of
it is a sound is chance, 9.5 and 44 ms of the same cell in two runs, so that it counts as a whole.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import gevent
import pytest

from esl_controller.esl.inbound import InboundClient
from esl_controller.simulator import speech
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration.engine_kit import CALL_S, ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    COVERED_MS,
    INCOMING,
    MODULE,
    SCRIPT,
    WAYS,
    dial,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.service import Service, wait_for
from tests.integration.sip_phone import Phone
from tests.integration.telephones import (
    ALL_CODECS,
    EVENTS,
    LONG,
    OWN,
    SHORT,
    Cell,
    GlidingVoice,
    OwnPlayback,
    Telephone,
    cells,
    table,
)

pytestmark = [*ENGINE_MARKS, pytest.mark.timeout(300)]

DELAY_MS = 7.0
"""Encoders look ahead, Opus by 6.5 ms: so much is between two codecs."""
AGAIN_MS = 110.0
"""After a change, by files: what may have been heard already. Sooner twice than not at all."""
SETTLED_S = 3.0
"""By then it is seen what packets the telephone sends, and acted upon."""
DEAD_AIR_MS = 2000.0
"""So soon after his question the caller hears something."""
OF_OURS = [*WAYS, *([f"unicast{INCOMING}"] if "FREESWITCH_INCOMING" in os.environ else [])]
CHANGES = ("another codec", "autofix")
_lost_by_itself: dict[tuple[str, str, int], float] = {}
"""Milliseconds that FreeSWITCH's own playback lost, by event, codec and packet time."""


@pytest.fixture
def telephones(serve: Any, tmp_path: Path) -> Iterator[Callable[[str, str], list[Cell]]]:
    """Makes all calls of one column."""
    for directory in (tmp_path, *list(tmp_path.parents)[:2]):
        directory.chmod(0o755)  # FreeSWITCH reads files there
    with ExitStack() as stack:

        def run(way: str, event: str) -> list[Cell]:
            client, service = stack.enter_context(engine_client()), None
            if way != OWN:
                greeting = SHORT if event in ("steady", "hold") else LONG
                emulator = EmulatorConfig(script=SCRIPT, think_s=0.05, voice=GlidingVoice())
                secretary = {"first_message": greeting}
                service = serve(emulator=emulator, secretary=secretary, media=media(way))
            done: list[Cell] = []
            for codecs in (("PCMU", "PCMA"), ("L16", "G722"), ("opus",)):
                made = [
                    telephone(client, service, way, tmp_path, cell) for cell in cells(event, codecs)
                ]
                done += together(made, service)
            print(table(f"{MODULE.value}: {way}", event, done))
            return done

        yield run


def telephone(
    client: InboundClient, service: Service | None, way: str, directory: Path, cell: Cell
) -> Telephone:
    """Of one cell."""
    if service is None:
        return OwnPlayback(client, directory, cell)
    return Telephone(client, service, way, cell)


def together(made: list[Telephone], service: Service | None) -> list[Cell]:
    """All of these calls at once, and how whole each of them came."""
    with HubWatch() as hub:
        gevent.joinall([gevent.spawn(one.run) for one in made])
        if service is not None:
            calls = service.app.manager
            wait_for(lambda: len(calls) == 0, CALL_S, "calls are left")
    for one in made:
        one.cell.late_ms = hub.worst_ms
        one.judge()
    return [one.cell for one in made]


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "hold"])
def test_what_freeswitch_loses_by_itself(
    telephones: Callable[[str, str], list[Cell]], event: str
) -> None:
    for cell in telephones(OWN, event):
        assert not cell.trouble, cell
        _lost_by_itself[event, cell.codec, cell.ptime_ms] = cell.lost_ms


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("way", OF_OURS)
def test_every_telephone(
    telephones: Callable[[str, str], list[Cell]], way: str, event: str
) -> None:
    for cell in telephones(way, event):
        late_ms = max(0.0, cell.late_ms - COVERED_MS)
        lost_ms, doubled_ms = (DELAY_MS, AGAIN_MS) if event in CHANGES else (0.0, 0.0)
        by_itself_ms = _lost_by_itself.get((event, cell.codec, cell.ptime_ms), 0.0)
        if way == "file" and event == "another codec":
            by_itself_ms = max(by_itself_ms, cell.ptime_ms)
        assert not cell.trouble, cell
        assert cell.lost_packets == 0, cell
        unseen = cell.read_at_half and not way.startswith("unicast")
        assert cell.waited_ms <= DEAD_AIR_MS or unseen, (cell, cell.waited_ms)
        if cell.codec == "L16" and event == "another codec":
            continue  # noise, whoever plays: see `telephones.CHANGING`
        assert cell.lost_ms <= max(lost_ms, by_itself_ms), cell
        assert cell.doubled_ms <= doubled_ms + late_ms, cell


def test_many_requests_of_a_call_cost_no_packet_of_10_ms(serve: Any, tmp_path: Path) -> None:
    """A datagram that comes while FreeSWITCH works on one is thrown away (switch_core_media.c,
    switch_core_session_write_frame), and it does so as its timer ticks."""
    emulator = EmulatorConfig(script=SCRIPT, think_s=0.05, voice=GlidingVoice())
    service = serve(emulator=emulator, secretary={"first_message": LONG}, media=media("unicast"))
    with engine_client() as client:
        made = []
        for codec in ["PCMU", "PCMA"] * 5:
            cell = Cell(codec, 10, "re-INVITE", reinvites=12)
            made.append(telephone(client, service, "unicast", tmp_path, cell))
        done = together(made, service)
    print("\n" + "\n".join(f"{cell.codec}/10: {cell}, late {cell.late_ms:.0f}" for cell in done))
    for cell in done:
        assert not cell.trouble, cell
        assert (cell.lost_ms, cell.doubled_ms, cell.lost_packets) == (0.0, 0.0, 0), cell


@pytest.mark.parametrize("sends_ms", [40, 60])
def test_of_longer_opus_packets_the_provider_hears_the_caller_alone(
    serve: Any, sends_ms: int
) -> None:
    """FreeSWITCH puts silence of its own between them: a second of call was 1.4 s and more."""
    emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
    service = serve(emulator=emulator, secretary={"first_message": SHORT}, media=media("unicast"))
    with engine_client() as client, closing(Phone("opus", 20, sends_ms)) as phone:
        dial(client, service, phone, "unicast", codecs=ALL_CODECS)
        gevent.sleep(SETTLED_S)
        record, began = service.tenant.record, time.monotonic()
        before_ms = record.audio_in_ms
        phone.say(speech.synthetic(1.0).frames(phone.format.rate_hz))
        gevent.sleep(2.0)
        pace = (record.audio_in_ms - before_ms) / (time.monotonic() - began) / 1000
        print(f"packets of {sends_ms} ms: {pace:.2f} s of audio a second")
        assert 0.9 < pace < 1.1
        wait_for(lambda: record.turns == 1, CALL_S, "not understood")
        phone.hang_up()
