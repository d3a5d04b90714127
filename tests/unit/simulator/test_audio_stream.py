"""mod_audio_stream: what the server gets, how connections fail and end."""

from __future__ import annotations

import array
import json
import socket

import gevent
import pytest

from esl_controller.simulator import speech
from esl_controller.simulator.caller_script import At, Say, Step
from esl_controller.simulator.hearing_report import compare
from tests.integration.simulator_media import BINARY, CLOSE, TEXT
from tests.integration.simulator_replay import execute

FAILED = "-ERR Operation Failed\n"


def bodies(desk, name: str) -> list[object]:
    return [
        json.loads(seen.body) for seen in desk.app.seen if seen.event == f"mod_audio_stream::{name}"
    ]


def test_hand_shake_is_written_like_the_modules(call_desk) -> None:
    desk = call_desk()
    desk.answer('STREAM_EXTRA_HEADERS={"X-Tenant":"t","X-Api-Key":"k","n":1}')
    lines = desk.stream().request.decode().split("\r\n")
    assert lines[0] == "GET /stream/x HTTP/1.1"
    assert lines[1:4] == [
        f"Host:127.0.0.1:{desk.media.port}",
        "Upgrade:websocket",
        "Connection:upgrade",
    ]
    assert lines[4].startswith("Sec-WebSocket-Key:")
    assert lines[5:] == [
        "Sec-WebSocket-Version:13",
        f"Origin:http://127.0.0.1:{desk.media.port}",
        "X-Api-Key:k",
        "X-Tenant:t",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ("mono 8k m", 320),
        ("mono 16k m", 640),
        ("mixed 24000 m", 960),
        ("mono 48000 m", 1920),
        ("stereo 16000 m", 1280),
        ("mono", 320),
    ],
)
def test_frame_sizes(call_desk, options: str, size: int) -> None:
    desk = call_desk()
    desk.answer()
    frames = desk.stream(options).wait_frames(4)
    assert {len(frame) for frame in frames} == {size}


@pytest.mark.parametrize(("text", "size"), [("40", 640), ("100", 1600), ("30", 320), ("x", 320)])
def test_buffer_size(call_desk, text: str, size: int) -> None:
    desk = call_desk(speed=3)
    desk.answer(f"STREAM_BUFFER_SIZE={text}")
    assert {len(frame) for frame in desk.stream().wait_frames(3)} == {size}


def test_stereo_has_the_caller_first(call_desk) -> None:
    desk = call_desk([Step(At(0.0), Say(speech.beep(2.0)))])
    desk.answer()
    frame = array.array("h", desk.stream("stereo 8k m").wait_frames(8)[-1])
    assert max(frame[::2]) > 5000
    assert not any(frame[1::2])


def test_mono_is_the_caller_through_the_codec(call_desk) -> None:
    clip = speech.synthetic(1.0)
    desk = call_desk([Step(At(0.1), Say(clip))], speed=1)
    desk.answer()
    stream = desk.stream("mono 8k m")
    heard = b"".join(stream.wait_frames(60))
    assert compare(heard, 8000, clip) == (0.0, 0.0, 0.0)


def test_queued_audio_comes_before_the_metadata(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream(delay_s=0.1)
    stream.wait_frames(1, TEXT)
    kinds = [kind for kind, _ in stream.frames]
    assert kinds.index(TEXT) >= 4
    desk.api(f"uuid_audio_stream {desk.uuid} stop")


def test_metadata_first_when_the_quirk_is_off(call_desk) -> None:
    desk = call_desk(late_metadata=False)
    desk.answer()
    stream = desk.stream(delay_s=0.1)
    stream.wait_frames(3)
    assert stream.frames[0] == (TEXT, b"meta")


@pytest.mark.parametrize(
    ("argument", "arrives"),
    [
        (
            '{"name": "José O\'Brien", "two":  "spaces"}',
            '{"name": "José O\'Brien", "two":  "spaces"}',
        ),
        (r'{"a": "back\\slash \"q\""}', r'{"a": "back\slash "q""}'),
        ("eyJ1IjogIngifQ==", "eyJ1IjogIngifQ=="),
    ],
)
def test_metadata_is_the_rest_of_the_line_without_backslashes(
    call_desk, argument: str, arrives: str
) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream(f"mono 8k {argument}")
    assert stream.wait_frames(1, TEXT)[0].decode() == arrives


def test_send_text_ends_at_the_first_space_unless_quoted(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream("mono 8k")
    for text in ("one two", "'one two'"):
        assert desk.api(f"uuid_audio_stream {desk.uuid} send_text {text}") == "+OK Success\n"
    assert stream.wait_frames(2, TEXT) == [b"one", b"one two"]


def test_pause_and_resume(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream()
    stream.wait_frames(2)
    desk.api(f"uuid_audio_stream {desk.uuid} pause")
    count = len(stream.of_kind(BINARY))
    gevent.sleep(0.1)
    assert len(stream.of_kind(BINARY)) <= count + 1
    desk.api(f"uuid_audio_stream {desk.uuid} resume")
    stream.wait_frames(count + 4)


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("start ws://127.0.0.1:1/x mono 11025", FAILED),
        ("start ws://127.0.0.1:1/x both 16k", "-ERR no reply"),
        ("start http://127.0.0.1:1/x mono 16k", FAILED),
        ("start ws://my_host:1/x mono 16k", FAILED),
        ("stop", FAILED),
        ("send_text x", FAILED),
        ("pause", FAILED),
        ("break", FAILED),
    ],
)
def test_refusals(call_desk, arguments: str, answer: str) -> None:
    desk = call_desk()
    assert desk.api(f"uuid_audio_stream {desk.uuid} {arguments}") == answer


def test_usage_and_unknown_call(call_desk) -> None:
    desk = call_desk()
    usage = desk.api("uuid_audio_stream")
    assert usage.startswith("-USAGE: <uuid> [start | stop | send_text | pause | resume | grace")
    assert desk.api(f"uuid_audio_stream {desk.uuid} start ws://127.0.0.1:1/x") == usage
    assert desk.api("uuid_audio_stream nobody start ws://127.0.0.1:1/x mono") == FAILED


def test_server_close_leaves_the_bug_attached(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream()
    stream.send(CLOSE, (1000).to_bytes(2, "big") + b"bye")
    desk.app.wait_event("mod_audio_stream::disconnect")
    message = {"code": 1000, "reason": "bye"}
    assert bodies(desk, "disconnect") == [{"status": "disconnected", "message": message}]
    start = f"uuid_audio_stream {desk.uuid} start {desk.media.url()} mono 8k again"
    assert desk.api(start) == FAILED
    stream.wait_ended()
    assert desk.api(f"uuid_audio_stream {desk.uuid} stop") == "+OK Success\n"
    desk.stream()


def test_stop_waits_without_limit_when_the_server_closed_first(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream(close_tcp=False)
    stream.send(CLOSE, b"")
    desk.app.wait_event("mod_audio_stream::disconnect")
    desk.app.send(f"bgapi uuid_audio_stream {desk.uuid} stop\n\n")
    gevent.sleep(1.1)
    assert desk.app.events().count("BACKGROUND_JOB") == 1
    stream.close()
    desk.app.wait_event("BACKGROUND_JOB", 2)


def test_codes_that_may_not_travel_are_reported_as_1002(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.stream().send(CLOSE, (1012).to_bytes(2, "big"))
    desk.app.wait_event("mod_audio_stream::disconnect")
    assert bodies(desk, "disconnect")[0]["message"]["code"] == 1002


@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        (lambda s: s.close(), 1, "Connection closed without WebSocket CLOSE (abnormal EOF)"),
        (lambda s: s.send(TEXT, b"x", masked=True), 11, "WebSocket protocol error (1002): Masked"),
        (lambda s: s.send(TEXT, b"\xff\xfe"), 11, "WebSocket invalid UTF-8 (1007)"),
    ],
)
def test_errors_remove_the_bug(call_desk, fault, code: int, text: str) -> None:
    desk = call_desk()
    desk.answer()
    fault(desk.stream())
    desk.app.wait_event("mod_audio_stream::error")
    message = bodies(desk, "error")[0]["message"]
    assert message["code"] == code
    assert message["error"].startswith(text)
    assert desk.api(f"uuid_audio_stream {desk.uuid} stop") == FAILED
    desk.stream()


def test_nobody_listens_and_nobody_answers(call_desk) -> None:
    desk = call_desk(stream_connect_timeout_s=0.05)
    desk.answer()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert desk.api(f"uuid_audio_stream {desk.uuid} start ws://127.0.0.1:{port}/x mono 8k") == (
        "+OK Success\n"
    )
    desk.app.wait_event("mod_audio_stream::error")
    desk.api(f"uuid_audio_stream {desk.uuid} start {desk.media.url()} mono 8k")
    desk.app.wait_event("mod_audio_stream::error", 2)
    refused, silent = bodies(desk, "error")
    assert refused["message"] == {"code": 6, "error": "Connection refused (system error 111)"}
    assert silent["message"] == {"code": 10, "error": "Timeout"}


def test_http_error_instead_of_the_upgrade(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    desk.app.send(f"bgapi uuid_audio_stream {desk.uuid} start {desk.media.url()} mono 8k\n\n")
    sock, _ = desk.media.listener.accept()
    sock.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    desk.app.wait_event("mod_audio_stream::error")
    sock.close()
    assert bodies(desk, "error")[0]["message"] == {"code": 6, "error": "WebSocket upgrade failed"}


def test_hang_up_closes_the_stream_first(call_desk) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream()
    desk.caller.hang_up()
    assert stream.wait_frames(1, CLOSE) == [b"\x03\xe8Normal closure"]
    desk.app.wait_event("CHANNEL_HANGUP_COMPLETE")
    assert "mod_audio_stream::disconnect" not in desk.app.events()


def test_files_and_play_events(call_desk, tmp_path) -> None:
    desk = call_desk()
    desk.answer()
    stream = desk.stream()
    audio = {"audioDataType": "raw", "sampleRate": 16000, "id": 7, "audioData": "AAAA"}
    stream.send(TEXT, json.dumps({"type": "streamAudio", "data": audio}).encode())
    desk.app.wait_event("mod_audio_stream::play")
    file = tmp_path / f"{desk.uuid}_0.tmp.r16"
    expected = {"audioDataType": "raw", "sampleRate": 16000, "id": 7, "file": str(file)}
    assert bodies(desk, "play") == [expected]
    assert file.read_bytes() == b"\0\0\0"
    desk.app.send(f"bgapi uuid_audio_stream {desk.uuid} stop\n\n")
    desk.app.wait_event("BACKGROUND_JOB", 2)
    assert not file.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"audioDataType": "raw", "sampleRate": 44100, "audioData": "AAAA"},
        {"audioDataType": "raw", "sampleRate": "16000", "audioData": "AAAA"},
        {"audioDataType": "flac", "audioData": "AAAA"},
        {"audioDataType": "raw", "sampleRate": 8000, "audioData": "no base64!"},
        {"audioDataType": "raw", "sampleRate": 8000},
    ],
)
def test_unusable_stream_audio_comes_back_as_text(call_desk, data: dict[str, object]) -> None:
    desk = call_desk()
    desk.answer()
    text = json.dumps({"type": "streamAudio", "data": data})
    desk.stream().send(TEXT, text.encode())
    assert desk.app.wait_event("mod_audio_stream::json").body.decode() == text


def test_binary_is_dropped_by_the_open_edition(call_desk) -> None:
    desk = call_desk()
    desk.answer("send_silence_when_idle=-1")
    stream = desk.stream()
    stream.send(BINARY, speech.beep(0.1).pcm)
    stream.send(TEXT, b"after it")
    desk.app.wait_event("mod_audio_stream::json")
    assert desk.caller.hearing.first_sound_at() is None


def test_files_of_wrong_kind_and_noise(call_desk, tmp_path) -> None:
    """24 and 32 kHz raw files are read as wider samples and are shorter; 48 kHz plays nothing."""
    desk = call_desk(speed=5)
    desk.answer()
    lengths = {}
    for rate in (8, 16, 24, 32, 48):
        file = tmp_path / f"x.r{rate}"
        file.write_bytes(speech.beep(0.6, rate_hz=rate * 1000).pcm)
        before = len(desk.caller.hearing.times)
        desk.app.send(execute("playback", str(file), uuid=f"r{rate}"))
        desk.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID=f"r{rate}")
        lengths[rate] = (len(desk.caller.hearing.times) - before) * 20
    assert lengths == {8: 600, 16: 600, 24: 400, 32: 300, 48: 0}
