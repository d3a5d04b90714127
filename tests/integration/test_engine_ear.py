"""What the caller's telephone gets from a real FreeSWITCH, packet by packet.

FreeSWITCH calls a telephone of ours on this host; `-s` shows each test's figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge.playout.base import Fade
from bridge.playout.editions import way_of
from bridge.playout.modes import PlayoutMode
from esl_controller.simulator.openai.config import EmulatorConfig
from tests.integration import rtp
from tests.integration.engine_kit import ENGINE_MARKS, engine_client
from tests.integration.engine_line import (
    ANSWER,
    GOOD_BYE,
    GREETING,
    LONG_GREETING,
    MODULE,
    REMEMBERED_MS,
    SCRIPT,
    SILENT_MS,
    WAYS,
    Line,
    dial,
    media,
)
from tests.integration.hub_watch import HubWatch
from tests.integration.sip_phone import Phone

pytestmark = ENGINE_MARKS

STEP_MS, HEAD, SHIFT_MS = 4, 400, 60
"""Of the curve; samples by which the beginning is found; and how far on the end is looked for."""


@pytest.fixture(params=["PCMU", "PCMA", "L16"])
def codec(request: Any) -> str:
    """Those that bring each sample as it was sent; the others are in `test_engine_telephones`."""
    return str(request.param)


@pytest.fixture(params=WAYS)
def way(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def call(serve: Any, way: str, codec: str) -> Iterator[Callable[..., Line]]:
    """Makes the call, with a greeting of one's choice."""
    with ExitStack() as stack:

        def call(greeting: str) -> Line:
            emulator = EmulatorConfig(script=SCRIPT, think_s=0.05)
            secretary = {"first_message": greeting}
            service = serve(emulator=emulator, secretary=secretary, media=media(way))
            client = stack.enter_context(engine_client())
            phone = stack.enter_context(closing(Phone(codec)))
            line = Line(service, phone, way, stack.enter_context(HubWatch()))
            dial(client, service, phone, way)
            return line

        yield call


def test_every_sample_in_time_and_the_good_bye(call: Callable[..., Line]) -> None:
    line = call(GREETING)
    line.listen(GREETING)
    line.say()
    line.listen(ANSWER)
    line.phone.press("1#")
    line.listen(GOOD_BYE)
    line.wait(line.phone.over.is_set, "no BYE")
    assert line.phone.hung_up_by_far_end
    assert line.service.tenant.record.texts == ["[The caller pressed on the keypad: 1]"]
    line.report(line.judge(GREETING, ANSWER, GOOD_BYE))


def test_silence_once_the_caller_interrupts(call: Callable[..., Line]) -> None:
    line = call(LONG_GREETING)
    hearing = line.phone.hearing
    line.wait(lambda: hearing.heard_for(time.monotonic()) > 1.0, "no greeting")
    line.say()
    line.listen(ANSWER)
    line.phone.hang_up()
    ((_, truncated_ms),) = line.service.tenant.record.truncations
    (detected,) = line.moments("speech_started")
    silent_ms = hearing.silence_after_ms(detected)
    heard_ms = line.match(LONG_GREETING).exact_ms
    figures = (
        f"silent after {silent_ms:.1f} ms, {heard_ms:.0f} ms heard, {truncated_ms} ms remembered; "
        f"then {line.judge(ANSWER, after=detected)}"
    )
    line.report(figures)
    assert silent_ms <= SILENT_MS + line.late_ms, figures
    assert abs(heard_ms - truncated_ms) <= REMEMBERED_MS + line.late_ms, figures


@pytest.mark.parametrize("codec", ["PCMU", "L16"], indirect=True)
def test_how_the_end_of_what_was_interrupted_sounds(call: Callable[..., Line], way: str) -> None:
    """Sample by sample: behind the last whole one the same sound falls to silence, or is cut."""
    line = call(LONG_GREETING)
    hearing = line.phone.hearing
    line.wait(lambda: hearing.heard_for(time.monotonic()) > 1.0, "no greeting")
    line.say()
    line.listen(ANSWER)
    line.phone.hang_up()
    (detected,) = line.moments("speech_started")
    silent_ms = hearing.silence_after_ms(detected)
    reach_ms = SHIFT_MS if fade_of(way) is Fade.AFTER_CLEAR else 0
    until = detected + silent_ms / 1000 + 0.1
    further_ms, curve = envelope(line, LONG_GREETING, until, reach_ms)
    line.report(
        f"silent after {silent_ms:.1f} ms, hub late {line.late_ms:.1f} ms, each {STEP_MS} ms "
        f"behind the last whole sample: {' '.join(f'{value:.2f}' for value in curve)}, "
        f"of what is {further_ms:.1f} ms further on"
    )
    if fade_of(way) is not Fade.NONE:
        assert 16 <= fall_ms(curve) <= 40  # half a cosine: of its last fifth 2 % are left
        assert all(late <= early + 0.1 for early, late in pairwise(curve))
    else:
        assert fall_ms(curve) <= STEP_MS


def envelope(line: Line, text: str, until: float, reach_ms: int) -> tuple[float, list[float]]:
    """How loud what came is beside what should have come, for 60 ms from where they differ.

    A module that drops what it has is sent the end of where the caller's ear was believed to be:
    how much further on that is comes first.
    """
    packets = [packet for packet in line.phone.packets if packet.at < until]
    heard = samples(b"".join(rtp.from_wire(packet, line.phone.format) for packet in packets))
    wanted = samples(line.as_heard(text))
    first = heard.tobytes().find(wanted[HEAD : 2 * HEAD].tobytes()) // 2 - HEAD
    heard = np.concatenate([heard[first:], np.zeros(len(wanted), "<i2")])[: len(wanted)]
    end = int(np.argmax(heard != wanted))
    step = line.phone.format.rate_hz * STEP_MS // 1000
    reach = range(reach_ms * line.phone.format.rate_hz // 1000 + 1)
    ahead = max(reach, key=lambda ahead: alike(heard[end:], wanted[end + ahead :], 5 * step))
    blocks = range(end, end + 60 // STEP_MS * step, step)
    curve = [beside(heard[at : at + step], wanted[at + ahead : at + ahead + step]) for at in blocks]
    return ahead * 1000 / line.phone.format.rate_hz, curve


def alike(heard: NDArray[np.int16], wanted: NDArray[np.int16], count: int) -> float:
    """How much the one is the other, falling: 1 is all."""
    falling = wanted[:count] * np.linspace(1.0, 0.0, count)
    as_numbers = heard[:count].astype(np.float64)
    both = (as_numbers @ as_numbers) * (falling @ falling)
    return float(as_numbers @ falling / np.sqrt(both)) if both else 0.0


def beside(heard: NDArray[np.int16], wanted: NDArray[np.int16]) -> float:
    """The one as a share of the other."""
    as_numbers = wanted.astype(np.float64)
    return float(heard @ as_numbers / max(1.0, as_numbers @ as_numbers))


def fall_ms(curve: list[float]) -> int:
    """Until next to nothing is left."""
    return STEP_MS * next(n for n, value in enumerate([*curve, 0.0]) if abs(value) < 0.02)


def samples(pcm: bytes) -> NDArray[np.int16]:
    """16-bit PCM as numbers."""
    return np.frombuffer(pcm, "<i2")


def fade_of(way: str) -> Fade:
    """How this way of playing ends with this module."""
    mode = PlayoutMode(way.partition(" ")[0])
    by_module = way_of(mode, MODULE)
    if by_module is None:
        return Fade.BEHIND_SENT if mode is PlayoutMode.UNICAST else Fade.NONE
    return by_module.fade
