"""Unicast and the editions that play what the WebSocket sends, at the caller's ear."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator

import gevent
import pytest

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K, AudioFormat
from esl_controller.simulator import speech
from esl_controller.simulator.switch.quirks import Edition
from esl_controller.simulator.switch.sound import encode
from tests.integration.simulator_media import BINARY, TEXT
from tests.integration.simulator_replay import execute
from tests.unit.simulator.conftest import wait_until

CLIP = speech.synthetic(0.4)


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def pace(
    send: Callable[[bytes], None], frames: list[bytes], lead: int = 3, ptime_ms: int = 20
) -> None:
    """Send `lead` frames at once, the rest in their time."""
    began = time.monotonic()
    for number, frame in enumerate(frames):
        gevent.sleep(max(0.0, began + (number - lead) * ptime_ms / 1000 - time.monotonic()))
        send(frame)


def activate(desk, udp: socket.socket, flags: str = "") -> tuple[str, int]:
    port = udp.getsockname()[1]
    desk.app.ask(
        "sendmsg\ncall-command: unicast\nlocal-ip: 127.0.0.1\nlocal-port: 0\n"
        f"remote-ip: 127.0.0.1\nremote-port: {port}\ntransport: udp\n{flags}\n"
    )
    wait_until(lambda: desk.call.media.unicast is not None)
    return desk.call.media.unicast.local_address


@pytest.mark.parametrize("codec", [PCMU_8K, PCMA_8K, L16_16K], ids=str)
def test_unicast_both_ways(call_desk, udp: socket.socket, codec: AudioFormat) -> None:
    desk = call_desk(speed=1, codec=codec)
    desk.answer()
    address = activate(desk, udp)
    size = codec.rate_hz // 50 * 2
    assert len(udp.recv(4096)) == size
    pace(lambda frame: udp.sendto(frame, address), CLIP.frames(codec.rate_hz))
    wait_until(lambda: desk.call.media.unicast.received == len(CLIP.frames(codec.rate_hz)))
    report = desk.caller.report(CLIP)
    assert (report.lost_ms, report.doubled_ms, report.inserted_ms) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("quirk", [True, False])
def test_idle_silence_puts_unicast_out(call_desk, udp: socket.socket, quirk: bool) -> None:
    desk = call_desk(silence_wins=quirk)
    desk.answer("send_silence_when_idle=-1")
    udp.sendto(speech.beep(0.02).pcm, activate(desk, udp))
    wait_until(lambda: desk.call.media.unicast.received == 1)
    assert (desk.caller.hearing.first_sound_at() is None) == quirk


def test_idle_silence_puts_out_a_module_that_writes_frames(call_desk) -> None:
    desk = call_desk(speed=5, edition=Edition.JSON)
    desk.answer("send_silence_when_idle=-1")
    stream = desk.stream("mono 8k m")
    stream.send(TEXT, stream_audio(speech.beep(0.02).pcm, 8000))
    stream.wait_frames(len(stream.of_kind(BINARY)) + 10)
    assert desk.caller.hearing.first_sound_at() is None


def test_native_unicast_carries_the_codec(call_desk, udp: socket.socket) -> None:
    desk = call_desk()
    desk.answer()
    address = activate(desk, udp, "flags: native\n")
    assert udp.recv(4096) == b"\xff" * 160
    frame = speech.beep(0.02).pcm
    udp.sendto(encode(frame, PCMU_8K.encoding), address)
    wait_until(lambda: desk.call.media.unicast.received == 1)
    assert desk.caller.hearing.levels[-1] > 5000


@pytest.mark.parametrize(("quirk", "share"), [(True, 0.5), (False, 0.9)])
def test_native_unicast_starves_the_caller(call_desk, udp, quirk: bool, share: float) -> None:
    desk = call_desk(native_starves=quirk, speed=1)
    desk.answer()
    address = activate(desk, udp, "flags: native\n")
    stream = desk.stream()
    before = len(stream.of_kind(BINARY))
    pace(lambda frame: udp.sendto(frame, address), [b"\xff" * 160] * 30)
    frames = len(stream.of_kind(BINARY)) - before
    assert (frames < 27 * share) == quirk


@pytest.mark.parametrize("ptime_ms", [10, 30, 40, 60])
def test_datagrams_of_the_channels_own_length_are_heard(
    call_desk, udp: socket.socket, ptime_ms: int
) -> None:
    desk = call_desk(speed=1, ptime_ms=ptime_ms)
    desk.answer()
    address = activate(desk, udp)
    assert len(udp.recv(4096)) == 16 * ptime_ms
    packets = CLIP.frames(8000, ptime_ms)
    pace(lambda packet: udp.sendto(packet, address), packets, 2, ptime_ms)
    wait_until(lambda: desk.call.media.unicast.received == len(packets))
    gevent.sleep(0.1)
    report = desk.caller.report(CLIP)
    assert max(report.lost_ms, report.doubled_ms, report.inserted_ms) == 0.0


@pytest.mark.parametrize(("ptime_ms", "heard"), [(30, True), (40, False), (60, False)])
def test_packets_of_20_ms_are_noise_or_nothing_on_other_channels(
    call_desk, udp: socket.socket, ptime_ms: int, heard: bool
) -> None:
    desk = call_desk(speed=1, ptime_ms=ptime_ms)
    desk.answer()
    address = activate(desk, udp)
    pace(lambda packet: udp.sendto(packet, address), CLIP.frames(8000)[:20])
    wait_until(lambda: desk.call.media.unicast.malformed == 20)
    assert (desk.caller.report().sound_ms > 0) == heard


def test_a_change_of_codec_ends_unicast_and_is_told(call_desk, udp: socket.socket) -> None:
    desk = call_desk(greeting="connect\n\nmyevents\n\nevent plain CODEC\n\n")
    desk.answer()
    activate(desk, udp)
    desk.call.change_codec(PCMA_8K, 40)
    event = desk.app.wait_event("CODEC")
    assert event.headers["variable_rtp_last_audio_codec_string"] == "PCMA@8000h@40i@1c"
    assert desk.call.media.unicast is None
    said = desk.api(f"uuid_getvar {desk.uuid} rtp_last_audio_codec_string")
    assert said == "PCMA@8000h@40i@1c"


@pytest.mark.parametrize(("rate", "share"), [("8k", 1.0), ("16k", 0.5)])
def test_a_stream_at_another_rate_gets_20_ms_of_each_packet(
    call_desk, rate: str, share: float
) -> None:
    desk = call_desk(speed=1, ptime_ms=40)
    desk.answer()
    stream = desk.stream(f"mono {rate} m")
    wait_until(lambda: len(stream.of_kind(BINARY)) > 2)
    samples = len(stream.of_kind(BINARY)[-1]) // 2
    assert samples == int(rate[:-1]) * 40 * share


def test_a_playback_ends_unicast_for_good(call_desk, udp: socket.socket) -> None:
    desk = call_desk(speed=5)
    desk.answer()
    address = activate(desk, udp)
    desk.app.send(execute("playback", "tone_stream://%(40,0,500)"))
    desk.app.wait_event("PLAYBACK_STOP")
    heard = desk.call.media.frames_out
    udp.sendto(bytes(320), address)
    desk.app.ask("sendmsg\ncall-command: unicast\nlocal-port: 0\nremote-port: 9\n\n")
    gevent.sleep(0.05)
    assert desk.call.media.unicast is None
    assert desk.call.media.frames_out == heard


def test_an_empty_datagram_ends_unicast(call_desk, udp: socket.socket) -> None:
    desk = call_desk()
    desk.answer()
    udp.sendto(b"", activate(desk, udp))
    wait_until(lambda: desk.call.media.unicast is None)


def test_wrong_sizes_are_counted_and_a_taken_port_is_silent(call_desk, udp: socket.socket) -> None:
    desk = call_desk()
    desk.answer()
    udp.sendto(b"abc", activate(desk, udp))
    wait_until(lambda: desk.call.media.unicast.malformed == 1)
    other = call_desk()
    other.answer()
    port = udp.getsockname()[1]
    reply = other.app.ask(f"sendmsg\ncall-command: unicast\nlocal-port: {port}\n\n")
    assert reply.headers["Reply-Text"] == "+OK"
    gevent.sleep(0.05)
    assert other.call.media.unicast is None


def test_idle_silence_needs_the_variable_in_time(call_desk) -> None:
    late = call_desk(speed=5)
    late.answer()
    late.app.send(execute("set", "send_silence_when_idle=-1"))
    early = call_desk(speed=5)
    early.answer("send_silence_when_idle=-1")
    wait_until(lambda: len(early.caller.hearing.times) > 5)
    assert len(late.caller.hearing.times) == 0


def stream_audio(frame: bytes, rate_hz: int) -> bytes:
    data = {"audioDataType": "raw", "sampleRate": rate_hz}
    data["audioData"] = base64.b64encode(frame).decode()
    return json.dumps({"type": "streamAudio", "data": data}).encode()


@pytest.mark.parametrize(
    ("edition", "rate_hz"),
    [(Edition.BINARY, 16000), (Edition.CLOSED, 8000), (Edition.JSON, 8000)],
)
def test_paced_audio_is_heard_whole(call_desk, edition: Edition, rate_hz: int) -> None:
    desk = call_desk(speed=1, edition=edition)
    if edition is Edition.JSON:  # writes the channel itself
        desk.answer()
    else:
        desk.answer("send_silence_when_idle=-1", "STREAM_PLAYBACK=true")
    stream = desk.stream(f"mono {rate_hz // 1000}k m")
    if edition is Edition.CLOSED:
        message = {"type": "rawAudio", "data": {"sampleRate": rate_hz}}
        stream.send(TEXT, json.dumps(message).encode())

    def send(frame: bytes) -> None:
        if edition is Edition.JSON:
            stream.send(TEXT, stream_audio(frame, rate_hz))
        else:
            stream.send(BINARY, frame)

    pace(send, CLIP.frames(rate_hz))
    frames = len(CLIP.frames(8000))
    wait_until(lambda: (desk.caller.hearing.silent_for(desk.switch.now()) or 0) > 0.1)
    report = desk.caller.report(CLIP)
    # one sample may go under when the rate is changed
    assert max(report.lost_ms, report.doubled_ms, report.inserted_ms) <= 0.125
    assert report.frames >= frames


def test_clear_audio_of_the_binary_edition(call_desk) -> None:
    desk = call_desk(speed=1, edition=Edition.BINARY)
    desk.answer("send_silence_when_idle=-1")
    stream = desk.stream()
    stream.send(BINARY, speech.beep(5.0).pcm)
    wait_until(lambda: desk.caller.hearing.first_sound_at() is not None)
    moment = desk.switch.now()
    stream.send(TEXT, b'{"type":"clearAudio"}')
    assert desk.app.wait_event("mod_audio_stream::json").body == b'{"type":"clearAudio"}'
    wait_until(lambda: desk.caller.hearing.silent_for(desk.switch.now()) > 0.1)
    assert desk.caller.hearing.silence_after_ms(moment, 0.08) < 100


def test_binary_edition_is_silent_on_an_idle_call_and_covers_files(call_desk) -> None:
    desk = call_desk(edition=Edition.BINARY, speed=5)
    desk.answer()
    stream = desk.stream()
    stream.send(BINARY, speech.beep(0.1).pcm)
    stream.wait_frames(len(stream.of_kind(BINARY)) + 10)
    assert desk.caller.hearing.first_sound_at() is None
    desk.app.send(execute("playback", "tone_stream://%(400,0,500)"))
    desk.app.wait_event("PLAYBACK_STOP")
    assert desk.caller.report().sound_ms == 100  # the stream's, then silence instead of the file


def test_closed_edition_reports_progress_and_can_break(call_desk) -> None:
    desk = call_desk(speed=1, edition=Edition.CLOSED)
    desk.answer("STREAM_PLAYBACK=true", "STREAM_SAMPLE_RATE=8000")
    stream = desk.stream()
    for _ in range(3):
        stream.send(BINARY, speech.beep(0.02).pcm)
    desk.app.wait_event("mod_audio_stream::playback", 4)
    progress = [
        json.loads(seen.body)
        for seen in desk.app.seen
        if seen.event == "mod_audio_stream::playback"
    ]
    assert [item["event"] for item in progress] == ["chunk_played"] * 3 + ["queue_completed"]
    assert progress[0] | {"remaining": 0} == {
        "event": "chunk_played",
        "seq": 1,
        "size": 320,
        "remaining": 0,
    }
    assert progress[3]["total_chunks"] == 3
    stream.send(BINARY, speech.beep(5.0).pcm)
    wait_until(lambda: desk.caller.hearing.heard_for(desk.switch.now()) > 0.05)
    moment = desk.switch.now()
    assert desk.api(f"uuid_audio_stream {desk.uuid} break") == "+OK Success\n"
    wait_until(lambda: desk.caller.hearing.silent_for(desk.switch.now()) > 0.1)
    assert desk.caller.hearing.silence_after_ms(moment, 0.08) < 100


def test_closed_edition_plays_json_and_reports_it(call_desk) -> None:
    desk = call_desk(edition=Edition.CLOSED)
    desk.answer("STREAM_PLAYBACK=1")
    stream = desk.stream()
    stream.send(TEXT, stream_audio(speech.beep(0.06, rate_hz=24000).pcm, 24000))
    play = json.loads(desk.app.wait_event("mod_audio_stream::play").body)
    assert play == {"audioDataType": "raw", "sampleRate": 24000}
    wait_until(lambda: len(desk.caller.hearing.times) == 3)


def test_json_edition_with_a_backlog_never_stops(call_desk) -> None:
    desk = call_desk(edition=Edition.JSON)
    desk.answer()
    stream = desk.stream()
    stream.send(TEXT, stream_audio(speech.beep(30.0).pcm, 8000))
    wait_until(lambda: desk.caller.hearing.first_sound_at() is not None)
    desk.caller.hang_up()
    desk.app.wait_event("CHANNEL_HANGUP")
    assert not desk.call.ended.wait(0.3)
    assert "CHANNEL_HANGUP_COMPLETE" not in desk.app.events()


def test_json_edition_leaves_a_backlog_in_the_socket(call_desk) -> None:
    desk = call_desk(edition=Edition.JSON)
    desk.answer()
    stream = desk.stream()
    stream.send(TEXT, stream_audio(speech.beep(1.0).pcm, 8000))
    wait_until(lambda: desk.caller.hearing.first_sound_at() is not None)
    stream.send(TEXT, b"behind it")
    desk.app.wait_event("mod_audio_stream::json")
    assert len(desk.caller.hearing.times) >= 48


def test_without_a_module_the_command_does_not_exist(call_desk) -> None:
    desk = call_desk(edition=Edition.NONE)
    assert desk.api("uuid_audio_stream") == "-ERR uuid_audio_stream Command not found!\n"
    assert desk.api("module_exists mod_audio_stream") == "false"
