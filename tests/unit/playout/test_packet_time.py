"""Channels whose packets are not 20 ms."""

import pytest

from bridge.audio.formats import L16_8K, L16_16K, AudioFormat
from bridge.audio.pacer import Pacer
from bridge.errors import LocalProtocolError
from bridge.playout.base import PlayoutSinks
from bridge.playout.modes import Flavour, PlayoutMode
from bridge.playout.registry import make_playout
from bridge.playout.stream import PlayoutStream
from bridge.playout.unicast import UnicastPlayout

PTIMES_MS = [10, 20, 30, 40, 50, 60]


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
@pytest.mark.parametrize("audio_format", [L16_8K, L16_16K], ids=str)
def test_datagrams_are_packets_in_time_and_few_are_ahead(
    ptime_ms: int, audio_format: AudioFormat
) -> None:
    """Two seconds, sent by the pacer: never late, and at most one whole packet waits."""
    sent: list[tuple[float, int]] = []
    pacer, now = Pacer(), 100.0
    sinks = PlayoutSinks(send_datagram=lambda data: sent.append((now, len(data))))
    playout = make_playout(
        PlayoutMode.UNICAST, Flavour.OPEN, audio_format, sinks, ptime_ms=ptime_ms
    )
    stream = PlayoutStream(playout, pacer)
    stream.write("a", bytes(audio_format.bytes_for_ms(2010)), now)
    stream.finish(now)
    while (due := pacer.next_deadline()) is not None:
        now = due + 0.002
        pacer.tick(now)
    assert {size for _, size in sent} == {audio_format.bytes_for_ms(ptime_ms)}
    assert len(sent) == -(-2010 // ptime_ms)
    assert stream.counters.underruns == 0
    ahead_ms = [100_000 + n * ptime_ms - at * 1000 for n, (at, _) in enumerate(sent)]
    assert min(ahead_ms[1:]) >= 0
    assert max(ahead_ms) <= max(ptime_ms, 20) + 0.001


def test_any_other_length_is_refused() -> None:
    playout = UnicastPlayout(L16_8K, PlayoutSinks(send_datagram=lambda data: None), ptime_ms=30)
    with pytest.raises(LocalProtocolError):
        playout.play(bytes(320), 0)


@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_files_hold_whole_packets(ptime_ms: int) -> None:
    """FreeSWITCH fills up the last one of a file with silence: a click at each seam."""
    playout = make_playout(
        PlayoutMode.FILE, Flavour.OPEN, L16_8K, PlayoutSinks(), ptime_ms=ptime_ms
    )
    for length_ms in (playout.frame_ms, playout.first_chunk_ms, playout.chunk_ms):
        assert length_ms % ptime_ms == 0
    assert 100 <= playout.first_chunk_ms < 100 + ptime_ms
    assert 200 <= playout.chunk_ms < 200 + ptime_ms


@pytest.mark.parametrize("flavour", [Flavour.CLOUDFIELDCZ, Flavour.CLOSED_1_0_3, Flavour.EARSHOT])
@pytest.mark.parametrize("ptime_ms", PTIMES_MS)
def test_a_module_that_takes_whole_packets_finds_each_of_them_filled(
    flavour: Flavour, ptime_ms: int
) -> None:
    """On a hub that is up to 35 ms late; else it fills up with silence in the middle of a word."""
    sent: list[tuple[float, int]] = []
    pacer, now = Pacer(), 100.0
    sinks = PlayoutSinks(
        send_binary=lambda data: sent.append((now, len(data))), send_text=lambda data: None
    )
    playout = make_playout(PlayoutMode.BINARY, flavour, L16_8K, sinks, ptime_ms=ptime_ms)
    stream = PlayoutStream(playout, pacer)
    stream.write("a", bytes(L16_8K.bytes_for_ms(1800)), now)
    while (due := pacer.next_deadline()) is not None and due < 102:
        now = due + 0.035 * (len(sent) % 3) / 2
        pacer.tick(now)
    packet = L16_8K.bytes_for_ms(ptime_ms)
    for n in range(1800 // ptime_ms):
        taken_at = 100 + n * ptime_ms / 1000
        assert sum(size for at, size in sent if at <= taken_at) >= (n + 1) * packet
