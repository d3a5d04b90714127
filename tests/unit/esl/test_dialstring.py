from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from esl_controller.esl import dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.dialstring import DialString, Leg
from esl_controller.esl.errors import LocalProtocolError

from . import freeswitch_parser as freeswitch

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
nasty = st.text(alphabet="ab ,=|'\"\\^{}[]()<>&:_$%sntr1é", max_size=12)
values = st.one_of(nasty, st.text(max_size=12))
variables = st.dictionaries(names, values, max_size=4)
endpoints = st.sampled_from(
    ["user/1001@example.com", "sofia/gateway/gw/+4930123", "loopback/8001/default"]
)


@st.composite
def legs(draw):
    try:
        return Leg(draw(endpoints), draw(variables))
    except LocalProtocolError:
        assume(False)


def build(*arguments):
    try:
        return DialString(*arguments)
    except LocalProtocolError:
        assume(False)


def check(dial: DialString, text: str) -> None:
    found, alternatives = freeswitch.dial(text)
    assert found == {name: value for name, value in dial.variables.items() if value}
    expected = [
        (leg.endpoint, {name: value for name, value in leg.variables.items() if value})
        for leg in dial.legs
    ]
    assert alternatives == ([[leg] for leg in expected] if dial.in_turn else [expected])


@settings(deadline=None, max_examples=60)
@given(st.lists(legs(), min_size=1, max_size=3), variables, st.booleans())
def test_freeswitch_reads_back_what_was_given(legs, variables, in_turn):
    dial = build(legs, variables, in_turn)
    words = freeswitch.separate(dialstring.originate(dial, "&park()"), " ")
    assert words[1:] == ["&park()"]
    check(dial, words[0])


@settings(deadline=None)
@given(nasty)
def test_argument_of_the_application_arrives_whole(argument):
    try:
        target = dialstring.run(Application.PLAYBACK, argument)
    except LocalProtocolError:
        assume(False)
    words = freeswitch.separate(dialstring.originate(DialString([Leg("user/1@a")]), target), " ")
    assert words[1:] == [f"&playback({argument})"]


def test_plain_values_stay_plain():
    dial = DialString(
        [Leg("sofia/internal/1004@127.0.0.1:5080")],
        {"origination_uuid": "c360af33-e60e-47d6-a486-33f503a38625", "originate_timeout": "20"},
    )
    assert dialstring.originate(dial, dialstring.run(Application.PARK)) == (
        "{origination_uuid=c360af33-e60e-47d6-a486-33f503a38625,originate_timeout=20}"
        "sofia/internal/1004@127.0.0.1:5080 &park()"
    )


@pytest.mark.parametrize("value", ["a\nb", "a\0", "${system id}", "{", "}{", "a:_:b", "\x02"])
def test_values_no_escape_can_carry_are_refused(value):
    with pytest.raises(LocalProtocolError):
        DialString([Leg("user/1@a")], {"name": value})


@pytest.mark.parametrize("value", ["[", "][", "it's", "a\\b"])
def test_values_a_leg_cannot_carry_are_refused(value):
    with pytest.raises(LocalProtocolError):
        Leg("user/1@a", {"name": value})


@pytest.mark.parametrize(
    "endpoint",
    ["", "user/1 &park()", "a,b", "a|b", "user/'1'", "user/1:_:user/2", "{a=b}user/1", "user/${x}"],
)
def test_what_is_no_endpoint_is_refused(endpoint):
    with pytest.raises(LocalProtocolError):
        Leg(endpoint)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a,b", "1a", "é"])
def test_what_is_no_variable_name_is_refused(name):
    with pytest.raises(LocalProtocolError):
        DialString([Leg("user/1@a")], {name: "value"})


def test_endpoints():
    assert dialstring.user("1001", "example.com") == "user/1001@example.com"
    assert dialstring.loopback("8001", "default") == "loopback/8001/default"
    assert dialstring.extension("1004", "default") == "1004 XML default"


@pytest.mark.parametrize(
    "make",
    [
        lambda: dialstring.user("1 &park()", "a"),
        lambda: dialstring.extension("1 XML", "default"),
        lambda: dialstring.run(Application.PLAYBACK, "x) y"),
        lambda: dialstring.run(Application.PLAYBACK, "${system id}"),
        lambda: DialString([]),
    ],
)
def test_misuse_is_refused(make):
    with pytest.raises(LocalProtocolError):
        make()


@pytest.mark.parametrize("number", ["-bleg", "", "1 2", "&park()"])
def test_number_that_would_be_read_as_something_else_is_refused(number):
    with pytest.raises(LocalProtocolError):
        dialstring.extension(number, "default")


def test_a_loopback_is_not_taken_out_and_its_far_half_offers_its_own_codecs() -> None:
    variables = dialstring.through_dialplan("domain_uuid")
    exported = variables["loopback_export"].split(",")
    assert exported == ["domain_uuid", "media_mix_inbound_outbound_codecs", "export_vars"]
    assert (variables["loopback_bowout"], variables["export_vars"]) == ("false", exported[1])
