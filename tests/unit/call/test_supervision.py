"""Acts on a call that ends in the same moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from bridge.playout.modes import Flavour, PlayoutMode
from bridge.session.media_plan import Leg, PlayoutChoice
from esl_controller.calls import listening
from esl_controller.calls.leg_codec import DEFAULT_LEG
from esl_controller.calls.listening import NOT_HEARD, can_be_heard, is_listened_to
from esl_controller.calls.supervised import Act, Action, Result
from esl_controller.calls.supervision import Supervision
from esl_controller.esl.errors import CallGone

L16 = Leg("L16", 8000)
FILES = PlayoutChoice(PlayoutMode.FILE, Flavour.OPEN)


class Media:
    """Plays by unicast, until told; by the module then, where there is one."""

    def __init__(self, *, module: bool = True, choice: PlayoutChoice | None = None) -> None:
        self.choice = choice or PlayoutChoice(PlayoutMode.UNICAST)
        self.told = 0
        self._module = module

    def leave_unicast(self) -> bool:
        self.told += 1
        gevent.spawn(self._leave)
        return self._module

    def _leave(self) -> None:
        if self._module:
            self.choice = FILES


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_S", "QUEUE_S"):
        monkeypatch.setattr(listening, name, 0.001)


@pytest.mark.parametrize(
    ("media", "codec", "heard", "told"),
    [
        (Media(), L16, True, 1),
        (Media(module=False), L16, False, 1),
        (Media(choice=FILES), L16, True, 0),
        (Media(module=False), DEFAULT_LEG, True, 0),
        (Media(module=False), Leg("G722", 16000), True, 0),
    ],
)
def test_a_call_of_l16_leaves_unicast_before_somebody_listens(
    media: Media, codec: Leg, heard: bool, told: int
) -> None:
    assert (can_be_heard(media, codec), media.told) == (heard, told)


@pytest.mark.parametrize(
    ("codec", "bugs", "listened"),
    [
        (L16, "<media-bugs>\n <media-bug>\n  <function>eavesdrop</function>\n", True),
        (L16, "<media-bugs>\n</media-bugs>\n", False),
        (L16, "-ERR uuid_buglist Command not found!\n", False),
        (DEFAULT_LEG, "<function>eavesdrop</function>", False),
    ],
)
def test_freeswitch_is_asked_whether_somebody_listens(
    codec: Leg, bugs: str, listened: bool
) -> None:
    esl = SimpleNamespace(api=lambda *_, check: bugs)
    leg: Any = SimpleNamespace(codec=codec, uuid="u", esl=esl)
    assert is_listened_to(leg) is listened


def test_a_call_that_does_not_leave_unicast_in_time_is_not_listened_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "LEAVES_WITHIN_S", 0.01)
    media = Media()
    monkeypatch.setattr(media, "_leave", lambda: None)
    assert not can_be_heard(media, L16)


def test_who_cannot_listen_is_told_why_and_no_telephone_rings() -> None:
    told: list[Any] = []
    call = SimpleNamespace(
        talk=SimpleNamespace(entry=None, media=Media(module=False)),
        leg=SimpleNamespace(codec=L16),
    )
    calls: Any = SimpleNamespace(find=lambda *_: call)
    act = Act(Action.LISTEN, "maria", extension="201")
    Supervision(calls, None).do("d", "u", act, lambda *how: told.append(how))  # type: ignore[arg-type]
    gevent.sleep(0)
    assert told == [(Result.FAILED, NOT_HEARD)]


def test_who_wants_to_listen_to_a_call_that_is_over_is_told_so() -> None:
    def gone(*_: Any) -> None:
        raise CallGone("the call was hung up")

    esl = SimpleNamespace(bgapi=gone, send=gone)
    entry = SimpleNamespace(extension="8001", domain_uuid="d", domain_name="d.example.com")
    call = SimpleNamespace(
        talk=SimpleNamespace(entry=entry, media=Media()),
        leg=SimpleNamespace(esl=esl, uuid="u", codec=DEFAULT_LEG),
    )
    calls: Any = SimpleNamespace(find=lambda *_: call)
    told: list[Any] = []
    act = Act(Action.LISTEN, "maria", extension="201")
    asked = Supervision(calls, None).do("d", "u", act, lambda *how: told.append(how))  # type: ignore[arg-type]
    call.talk = None  # as `Call.run` leaves it
    gevent.sleep(0)
    assert (asked, told) == (Result.ASKED, [(Result.FAILED, "the call was hung up")])
