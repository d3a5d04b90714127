"""A line that is lost in the middle of an answer: the next one goes on where it was last heard."""

import pytest

from bridge.providers import base as p
from tests.unit.bridge.session_kit import FRAME


def test_a_new_line_goes_on_where_the_old_one_was_last_heard(stage):
    s = stage().talking()
    s.turn()
    s.answer("r1", ms=3000, done=False)
    s.after(1.0)
    s.session.lose_media(heard_until=s.now - 0.2)  # what was sent since then was not heard
    s.events(p.Audio("r1", "item-r1", FRAME * 50), p.ResponseDone("r1", "completed"))
    s.after(0.5)
    before = len(s.datagrams)
    s.join()
    s.after(3.5)
    assert s.heard(before) == pytest.approx(3200, abs=60)
    assert s.cuts() == []
    assert not s.session.agent_speaking


def test_what_was_heard_on_both_lines_counts_when_the_caller_interrupts(stage):
    s = stage().talking()
    s.turn()
    s.answer("r1", ms=4000)
    s.after(1.0)
    s.session.lose_media()
    s.after(0.3)
    s.join()
    s.after(1.0)
    s.events(p.CallerStarted())
    ((item, heard_ms),) = s.cuts()[-1].items()
    assert item == "item-r1"
    assert heard_ms == pytest.approx(2000, abs=100)


def test_the_caller_may_interrupt_while_there_is_no_line(stage):
    s = stage().talking()
    s.turn()
    s.answer("r1", ms=4000)
    s.after(1.0)
    s.session.lose_media()
    s.events(p.CallerStarted())
    ((item, heard_ms),) = s.cuts()[-1].items()
    assert (item, heard_ms) == ("item-r1", pytest.approx(1000, abs=60))
    before = len(s.datagrams)
    s.join()
    s.after(1.0)
    assert s.heard(before) == 0
