"""`originate`'s argument, against FreeSWITCH's own way of taking it apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.simulator.switch import originate
from esl_controller.simulator.switch.action import Action
from tests.unit.esl import freeswitch_parser

PIECES = st.sampled_from(
    ["a", "8001", " ", "  ", "\\s", "\\'", "\\\\", "'b c'", "''", "&x(y)", ","]
)


@given(st.lists(PIECES).map("".join))
def test_words_are_those_freeswitch_sees(text: str) -> None:
    words = [word for word in freeswitch_parser.separate(text, " ") if word]
    assert [word for word in originate.split_at_blanks(text) if word] == words


@given(st.text(max_size=80))
def test_anything_is_taken_apart_or_refused(text: str) -> None:
    wanted = originate.parse(text)
    assert wanted is None or (wanted.application is None) == bool(wanted.extension)


def test_arguments_stand_in_freeswitchs_order() -> None:
    wanted = originate.parse("{a=b}user/1@x 8001 XML pbx 'Some One' 5511 7")
    assert wanted == originate.Originate(
        "{a=b}user/1@x", "8001", None, "XML", "pbx", "Some One", "5511", 7.0
    )
    dial = wanted.dial_string()
    assert dial.variables["origination_caller_id_number"] == "5511"
    assert dial.timeout_s == 7


def test_variables_win_over_arguments() -> None:
    url = "{origination_caller_id_number=1,originate_timeout=3}user/1@x"
    wanted = originate.parse(f"{url} 8001 XML pbx Name 5511 7")
    assert wanted is not None
    assert wanted.dial_string().variables["origination_caller_id_number"] == "1"
    assert wanted.dial_string().timeout_s == 3


@pytest.mark.parametrize("data", ["/tmp/a b.wav", "it's", "", "a\\b"])
def test_what_our_builder_writes_arrives(data: str) -> None:
    dial = DialString([Leg("user/1@x")], {"domain_name": "pbx.example.com"})
    target = dialstring.run(Application.PLAYBACK, data)
    wanted = originate.parse(dialstring.originate(dial, target))
    assert wanted is not None
    assert wanted.application == Action("playback", data)
    assert wanted.dial_string().variables["domain_name"] == "pbx.example.com"
    wanted = originate.parse(dialstring.originate(dial, dialstring.extension("8001", "pbx")))
    assert wanted is not None
    assert (wanted.extension, wanted.dialplan, wanted.context) == ("8001", "XML", "pbx")
