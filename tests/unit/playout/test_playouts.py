"""Each way of playing says exactly what its module understands."""

import json
from base64 import b64decode

import pytest

from bridge.audio.formats import L16_8K, L16_16K, L16_48K, PCMU_8K
from bridge.audio.pacer import Pacer
from bridge.errors import LocalProtocolError
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.editions import fits_packets, flavours, needs_idle_silence
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.playout.registry import make_playout
from bridge.playout.stream import PlayoutStream
from bridge.playout.unicast import UnicastPlayout

from .far_side import speech


class Wire:
    """Notes everything a playout does."""

    def __init__(self) -> None:
        self.log: list[tuple[str, object]] = []

    @property
    def sinks(self) -> PlayoutSinks:
        return PlayoutSinks(
            send_binary=lambda data: self.log.append(("binary", data)),
            send_text=lambda data: self.log.append(("text", json.loads(data))),
            send_datagram=lambda data: self.log.append(("datagram", data)),
            execute_playback=lambda path, gen, _: self.log.append(("playback", (path, gen))),
            break_playback=lambda: self.log.append(("uuid_break", None)),
            stream_break=lambda: self.log.append(("stream_break", None)),
        )


EVERY_ONE = [(mode, flavour) for mode in PlayoutMode for flavour in flavours(mode)]


def made(mode: PlayoutMode, flavour: Flavour, fmt=L16_8K) -> tuple[Wire, Playout]:
    wire = Wire()
    return wire, make_playout(mode, flavour, fmt, wire.sinks)


@pytest.mark.parametrize(("mode", "flavour"), EVERY_ONE)
def test_every_playout_carries_an_answer_through_a_stream(mode, flavour) -> None:
    wire, playout = made(mode, flavour)
    pacer = Pacer()
    stream = PlayoutStream(playout, pacer)
    stream.write("a", speech(L16_8K, 1000), 0.0)
    stream.finish(0.0)
    while (deadline := pacer.next_deadline()) is not None:
        pacer.tick(deadline)
    carried = b""
    for kind, what in wire.log:
        if kind in ("binary", "datagram"):
            carried += what
        elif kind == "text" and what["type"] == "streamAudio":
            assert what["data"]["audioDataType"] == "raw"
            assert what["data"]["sampleRate"] == 8000
            carried += b64decode(what["data"]["audioData"])
    by_module = mode in (PlayoutMode.BINARY, PlayoutMode.JSON)
    lost = L16_8K.silence(20 if by_module and flavour is Flavour.ALCHEMILLA else 0)
    assert carried == lost + speech(L16_8K, 1000) + L16_8K.silence(playout.tail_padding_ms)


@pytest.mark.parametrize(("mode", "flavour"), EVERY_ONE)
def test_traits_make_sense(mode, flavour) -> None:
    _, playout = made(mode, flavour)
    assert playout.frame_ms == 20
    assert 0 < playout.first_chunk_ms <= playout.chunk_ms <= 200
    for span in (playout.first_chunk_ms, playout.chunk_ms, playout.tail_padding_ms):
        assert span % playout.frame_ms == 0
    assert 20 <= playout.lead_ms <= 440
    assert playout.format == L16_8K


@pytest.mark.parametrize(("mode", "flavour"), EVERY_ONE)
def test_the_lead_can_be_set(mode, flavour) -> None:
    assert make_playout(mode, flavour, L16_8K, Wire().sinks, lead_ms=33).lead_ms == 33
    assert make_playout(mode, flavour, L16_8K, Wire().sinks, lead_ms=0).lead_ms == 0


@pytest.mark.parametrize(
    ("mode", "flavour", "action"),
    [
        (PlayoutMode.UNICAST, Flavour.OPEN, []),
        (PlayoutMode.BINARY, Flavour.CLOSED_1_0_3, [("stream_break", None)]),
        (PlayoutMode.BINARY, Flavour.ALCHEMILLA, [("stream_break", None)]),
        (PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ, [("text", {"type": "clearAudio"})]),
        (PlayoutMode.BINARY, Flavour.JAMBONZ, [("text", {"type": "killAudio"})]),
        (PlayoutMode.JSON, Flavour.CLOSED_1_0_3, [("stream_break", None)]),
        (PlayoutMode.JSON, Flavour.ALCHEMILLA, [("stream_break", None)]),
        (PlayoutMode.JSON, Flavour.VOXCOM_US, []),
        (PlayoutMode.JSON, Flavour.JULIANOTARGA, [("text", {"type": "stopAudio"})]),
    ],
)
def test_how_each_is_silenced(mode, flavour, action) -> None:
    wire, playout = made(mode, flavour)
    playout.clear(0, 1.0)
    assert wire.log == action
    assert playout.recalls == bool(action)


@pytest.mark.parametrize(("mode", "flavour"), EVERY_ONE)
def test_only_one_writes_the_channel(mode: PlayoutMode, flavour: Flavour) -> None:
    """FreeSWITCH's idle silence and frames of ours or a module's would put one another out; and in
    front of files it piles up where the channel's packets become shorter."""
    _, playout = made(mode, flavour)
    writes_itself = mode in (PlayoutMode.UNICAST, PlayoutMode.FILE) or flavour in (
        Flavour.VOXCOM_US,
        Flavour.JULIANOTARGA,
    )
    assert needs_idle_silence(mode, flavour) == (not writes_itself)
    if playout.silence_every_s is not None:
        assert writes_itself


@pytest.mark.parametrize("flavour", Flavour)
@pytest.mark.parametrize("mode", PlayoutMode)
def test_what_a_module_cannot_do_is_refused(mode: PlayoutMode, flavour: Flavour) -> None:
    if (mode, flavour) not in EVERY_ONE:
        with pytest.raises(LocalProtocolError):
            made(mode, flavour)


@pytest.mark.parametrize("flavour", [Flavour.CLOSED_1_0_3, Flavour.ALCHEMILLA])
def test_the_rate_is_told_once_before_the_first_binary(flavour: Flavour) -> None:
    wire, playout = made(PlayoutMode.BINARY, flavour, L16_16K)
    playout.play(bytes(640), 0)
    playout.clear(0, 1.0)
    playout.play(bytes(640), 1)
    sent = [kind for kind, _ in wire.log]
    lost = ["binary"] if flavour is Flavour.ALCHEMILLA else []
    assert sent == ["text", *lost, "binary", "stream_break", "binary"]
    assert wire.log[0][1] == {"type": "rawAudio", "data": {"sampleRate": 16000}}


@pytest.mark.parametrize("flavour", [Flavour.CLOUDFIELDCZ, Flavour.JAMBONZ])
def test_others_are_told_nothing(flavour: Flavour) -> None:
    wire, playout = made(PlayoutMode.BINARY, flavour)
    playout.play(bytes(320), 0)
    assert wire.log == [("binary", bytes(320))]


def test_binary_is_linear() -> None:
    with pytest.raises(LocalProtocolError):
        made(PlayoutMode.BINARY, Flavour.JAMBONZ, PCMU_8K)


def test_stream_audio_is_numbered() -> None:
    wire, playout = made(PlayoutMode.JSON, Flavour.CLOSED_1_0_3)
    playout.play(bytes(320), 4)
    playout.play(bytes(320), 5)
    numbers = [(w["data"]["generation"], w["data"]["seq"]) for _, w in wire.log]
    assert numbers == [(4, 1), (5, 2)]


@pytest.mark.parametrize(
    ("fmt", "size"), [(PCMU_8K, 160), (L16_8K, 320), (L16_16K, 640), (L16_48K, 1920)]
)
def test_a_datagram_is_one_frame(fmt, size: int) -> None:
    wire = Wire()
    playout = UnicastPlayout(fmt, wire.sinks)
    playout.play(bytes(size), 0)
    assert wire.log == [("datagram", bytes(size))]
    for wrong in (0, size // 2, size - 1, size + 1, size * 2):
        with pytest.raises(LocalProtocolError):
            playout.play(bytes(wrong), 0)
    assert len(wire.log) == 1


def test_a_sink_that_was_not_given_is_our_mistake() -> None:
    playout = make_playout(PlayoutMode.UNICAST, Flavour.OPEN, L16_8K, PlayoutSinks())
    with pytest.raises(LocalProtocolError):
        playout.play(bytes(320), 0)


def test_a_module_may_fit_channels_of_one_packet_time_only() -> None:
    """`unicast` fits each, whatever module is there."""
    for ptime_ms in (10, 20, 60):
        assert fits_packets(PlayoutMode.BINARY, Flavour.ALCHEMILLA, ptime_ms) == (ptime_ms == 20)
        assert fits_packets(PlayoutMode.UNICAST, Flavour.ALCHEMILLA, ptime_ms)
        assert fits_packets(PlayoutMode.BINARY, Flavour.CLOUDFIELDCZ, ptime_ms)
