"""The caller's codec, from what FreeSWITCH writes."""

import pytest

from bridge.session.media_plan import Leg
from esl_controller.calls.leg_codec import (
    answered_leg,
    event_age_s,
    offered_leg,
    packets_may_differ,
    parse_codec,
)
from esl_controller.esl.events import ChannelData, Event, Headers


def data(**values: str) -> Headers:
    lines = "".join(f"{name.replace('__', '-')}: {value}\n" for name, value in values.items())
    return Headers(lines.encode(), percent_encoded=True)


@pytest.mark.parametrize(
    ("text", "leg"),
    [
        ("CORE_PCM_MODULE.PCMU@8000h@20i@64000b", Leg("PCMU", 8000)),
        ("mod_spandsp.G722@8000h@20i@64000b,CORE_PCM_MODULE.PCMU@8000h", Leg("G722", 16000)),
        (" mod_spandsp.g722@8000h", Leg("g722", 16000)),
        ("G722@8000h@40i@1c", Leg("G722", 16000, 40)),
        ("mod_opus.opus@48000h@20i@2c", Leg("opus", 48000)),
        ("mod_amrwb.AMR-WB@16000h@20i", Leg("AMR-WB", 16000)),
        ("PCMA@8000h@30i@1c", Leg("PCMA", 8000, 30)),
        ("L16@16000h", Leg("L16", 16000)),
        ("PCMU@8000h@0i", Leg("PCMU", 8000)),
        ("PCMU@8000h@500i", Leg("PCMU", 8000)),
        ("PCMU@0h@20i", None),
        ("_undef_", None),
        ("-ERR No such channel!", None),
        ("", None),
    ],
)
def test_codec_strings(text: str, leg: Leg | None) -> None:
    assert parse_codec(text) == leg


def test_before_the_answer_the_first_offer_counts() -> None:
    offer = "mod_spandsp.G722@8000h@20i@64000b,CORE_PCM_MODULE.PCMU@8000h@20i@64000b"
    assert offered_leg(ChannelData(data(variable_ep_codec_string=offer))) == Leg("G722", 16000)
    assert offered_leg(ChannelData(data())) == Leg("PCMU", 8000)


def test_the_answer_tells_codec_rate_and_packet_time() -> None:
    known = {"Channel__Read__Codec__Name": "G722", "Channel__Read__Codec__Rate": "16000"}
    event = Event(data(**known, variable_rtp_use_codec_ptime="30"), b"")
    assert answered_leg(event, Leg("PCMU", 8000)) == Leg("G722", 16000, 30)
    assert answered_leg(Event(data(), b""), Leg("PCMA", 8000, 40)) == Leg("PCMA", 8000, 40)


def test_only_opus_may_be_written_in_other_packets_than_it_is_read() -> None:
    assert packets_may_differ(Leg("opus", 48000, 20))
    assert not packets_may_differ(Leg("PCMU", 8000, 20))


@pytest.mark.parametrize(("stamp", "age_s"), [("99900000", 0.1), ("90000000", 0.3), ("x", 0.0)])
def test_how_old_an_event_is(stamp: str, age_s: float) -> None:
    event = Event(Headers(f"Event-Date-Timestamp: {stamp}\n".encode(), percent_encoded=True), b"")
    assert event_age_s(event, 100.0) == pytest.approx(age_s)
    assert event_age_s(event, 80.0) == 0.0
