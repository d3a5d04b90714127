"""Acts on a call that ends in the same moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent

from esl_controller.calls.supervised import Act, Action, Result
from esl_controller.calls.supervision import Supervision
from esl_controller.esl.errors import CallGone


def test_who_wants_to_listen_to_a_call_that_is_over_is_told_so() -> None:
    def gone(*_: Any) -> None:
        raise CallGone("the call was hung up")

    esl = SimpleNamespace(bgapi=gone, send=gone)
    entry = SimpleNamespace(extension="8001", domain_uuid="d", domain_name="d.example.com")
    call = SimpleNamespace(
        talk=SimpleNamespace(entry=entry), leg=SimpleNamespace(esl=esl, uuid="u")
    )
    calls: Any = SimpleNamespace(find=lambda *_: call)
    told: list[Any] = []
    act = Act(Action.LISTEN, "maria", extension="201")
    asked = Supervision(calls, None).do("d", "u", act, lambda *how: told.append(how))  # type: ignore[arg-type]
    call.talk = None  # as `Call.run` leaves it
    gevent.sleep(0)
    assert (asked, told) == (Result.ASKED, [(Result.FAILED, "the call was hung up")])
