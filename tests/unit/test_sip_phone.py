"""The telephone of the tests with a real FreeSWITCH: SIP, SDP, RTP, and how it judges sound."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from bridge.audio.formats import L16_16K, PCMU_8K
from esl_controller.simulator.service.voice import synthetic_speech
from esl_controller.simulator.switch.sound import through_codec
from tests.integration import rtp, sip_wire
from tests.integration.wire_codecs import CODECS

OFFER = (
    "v=0\r\no=FreeSWITCH 1 2 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 23456 RTP/AVP 0 97 101 102\r\na=rtpmap:97 L16/16000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:102 telephone-event/16000\r\na=ptime:20\r\n"
)
INVITE = (
    "INVITE sip:phone@127.0.0.1:5555 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0\r\n"
    "Record-Route: <sip:192.0.2.1;lr>\r\n"
    "From: <sip:0@127.0.0.1>;tag=far\r\nTo: <sip:phone@127.0.0.1:5555>\r\n"
    "Call-ID: abc\r\nCSeq: 7 INVITE\r\nContact: <sip:mod_sofia@127.0.0.1:5060>\r\n\r\n" + OFFER
)


def invite() -> sip_wire.SipMessage:
    return sip_wire.parse(INVITE.encode())


def test_a_reply_repeats_what_belongs_to_the_request() -> None:
    request = invite()
    assert (request.method, request.body) == ("INVITE", OFFER)
    answer = sip_wire.parse(sip_wire.reply(request, "200 OK", "near", "sip:phone@here", "v=0\r\n"))
    assert answer.start == "SIP/2.0 200 OK"
    for name in ("Via", "Record-Route", "From", "Call-ID", "CSeq"):
        assert answer.all(name) == request.all(name)
    assert answer.one("To") == "<sip:phone@127.0.0.1:5555>;tag=near"
    assert (answer.contact, answer.one("Content-Length")) == ("sip:phone@here", "5")
    assert sip_wire.tagged(answer.one("To"), "other") == answer.one("To")


def test_bye_of_the_called_one() -> None:
    bye = sip_wire.parse(sip_wire.request("BYE", invite(), "near", "2", "127.0.0.1:5555", 1))
    assert bye.start == "BYE sip:mod_sofia@127.0.0.1:5060 SIP/2.0"
    assert bye.one("From") == "<sip:phone@127.0.0.1:5555>;tag=near"
    assert bye.one("To") == "<sip:0@127.0.0.1>;tag=far"
    assert bye.all("Route") == ["<sip:192.0.2.1;lr>"]
    assert (bye.one("CSeq"), bye.one("Content-Length")) == ("1 BYE", "0")


def test_what_is_no_sip() -> None:
    with pytest.raises(ValueError, match="no SIP"):
        sip_wire.parse(b"\x80\x00\xff")
    with pytest.raises(ValueError, match="no Contact"):
        _ = sip_wire.parse(b"OPTIONS sip:a SIP/2.0\r\n\r\n").contact


@pytest.mark.parametrize(
    ("codec", "line"),
    [("PCMU", "m=audio 4000 RTP/AVP 0 101"), ("L16", "m=audio 4000 RTP/AVP 97 102")],
)
def test_the_answer_takes_one_codec_and_its_digits(codec: str, line: str) -> None:
    offer = sip_wire.parse_offer(OFFER)
    assert offer.address == ("127.0.0.1", 23456)
    answer = sip_wire.answer(offer, codec, "127.0.0.1", 4000)
    assert line in answer.split("\r\n")
    taken = sip_wire.parse_offer(answer).payload_types
    assert list(taken) == [
        (codec, CODECS[codec].clock_hz),
        ("telephone-event", CODECS[codec].clock_hz),
    ]


def test_a_codec_that_is_not_offered() -> None:
    with pytest.raises(ValueError, match="PCMA/8000 is not offered"):
        sip_wire.answer(sip_wire.parse_offer(OFFER), "PCMA", "127.0.0.1", 4000)
    with pytest.raises(ValueError, match="no audio"):
        sip_wire.parse_offer("v=0\r\n")


def test_digits_of_another_rate_than_the_codecs() -> None:
    offer = sip_wire.parse_offer(OFFER.replace("a=rtpmap:102 telephone-event/16000\r\n", ""))
    assert offer.digits(16000) == (101, 8000)
    assert sip_wire.parse_offer(OFFER.replace("telephone-event", "x")).digits(8000) is None


def sent(mouth: rtp.Mouth, ticks: int) -> list[rtp.Packet]:
    return [rtp.parse(data, 1 + number / 50) for number in range(ticks) for data in mouth.tick()]


def test_the_mouth_speaks_and_is_silent_between() -> None:
    mouth = rtp.Mouth(CODECS["L16"], 97)
    mouth.say([b"\x01\x02" * 320])
    first, second = sent(mouth, 2)
    assert (first.payload_type, first.payload) == (97, b"\x02\x01" * 320)
    assert rtp.from_wire(first, L16_16K) == b"\x01\x02" * 320
    assert second.payload == bytes(640)
    assert (second.sequence - first.sequence, second.timestamp - first.timestamp) == (1, 320)
    with pytest.raises(ValueError, match="no digits"):
        mouth.press("1")


def test_keys_are_rfc_4733_events() -> None:
    mouth = rtp.Mouth(CODECS["PCMU"], 0, (101, 8000))
    mouth.press("1#")
    packets = sent(mouth, 18)
    assert rtp.lost(packets) == 0
    events = [packet for packet in packets if packet.payload_type == 101]
    keys = [struct.unpack("!BBH", packet.payload) for packet in events]
    assert keys[:8] == [(1, 0x0A, 160 * step) for step in range(1, 6)] + [(1, 0x8A, 960)] * 3
    assert [key for key, flags, _ in keys if flags & 0x80] == [1, 1, 1, 11, 11, 11]
    assert len({packet.timestamp for packet in events}) == 2
    quiet = [packet.timestamp for packet in packets if packet.payload_type == 0]
    assert quiet == [960, 1120, 1280, 2400, 2560, 2720]


@pytest.mark.parametrize("data", [b"", bytes(20), b"\x90" + bytes(20)])
def test_what_is_no_plain_rtp(data: bytes) -> None:
    with pytest.raises(ValueError, match="no plain RTP"):
        rtp.parse(data, 0.0)


SPEECH = synthetic_speech("one two")[: 24000 // 50 * 2 * 20]


def packets(pcm: bytes, codec: str = "PCMU") -> list[rtp.Packet]:
    """What arrives when `pcm` is sent evenly."""
    size = CODECS[codec].format.rate_hz // 50 * 2
    frames = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    mouth = rtp.Mouth(CODECS[codec], 0)
    mouth.say(frames)
    return sent(mouth, len(frames) + 3)


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "L16"])
def test_sound_that_came_whole(codec: str) -> None:
    audio_format = CODECS[codec].format
    wanted = through_codec(SPEECH, audio_format.encoding)
    pause = bytes(audio_format.rate_hz // 50 * 2)
    received = packets(pause * 5 + SPEECH, codec)
    found = rtp.match(received, audio_format, wanted)
    assert found.whole
    assert found.wanted_ms == len(wanted) / audio_format.rate_hz * 500
    assert found.inserted_ms == 0
    assert found.largest_gap_ms == pytest.approx(20)
    assert found.last_at == received[-4].at


def test_sound_with_a_frame_too_many_one_lost_and_one_late() -> None:
    wanted = through_codec(SPEECH, PCMU_8K.encoding)
    frames = [SPEECH[at : at + 320] for at in range(0, len(SPEECH), 320)]
    received = packets(b"".join([*frames[:5], bytes(320), *frames[5:9], *frames[10:]]))
    found = rtp.match(received, PCMU_8K, wanted)
    assert (found.wanted_ms - found.exact_ms, found.inserted_ms) == (20, 20)
    assert not found.whole
    late = [packet for packet in packets(SPEECH) if packet.sequence != 8]
    found = rtp.match(late, PCMU_8K, wanted)
    assert rtp.lost(late) == 1
    assert found.largest_gap_ms == pytest.approx(40)


def test_sound_that_never_came() -> None:
    found = rtp.match(packets(bytes(3200)), PCMU_8K, through_codec(SPEECH, PCMU_8K.encoding))
    assert (found.exact_ms, found.last_at, found.whole) == (0.0, 0.0, False)
    received = packets(SPEECH)
    end = received[-1].at
    assert rtp.match(received, PCMU_8K, SPEECH, after=end).last_at == end


def test_sequence_numbers_begin_anew_after_65535() -> None:
    received = [rtp.Packet(0.0, number & 0xFFFF, 0, 0, b"") for number in range(65534, 65538)]
    assert rtp.lost(received) == 0
    assert all(b.sequence != a.sequence for a, b in pairwise(received))
    assert rtp.lost([received[0], received[2]]) == 1
