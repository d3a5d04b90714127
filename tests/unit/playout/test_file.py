import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_8K
from bridge.errors import RemoteProtocolError
from bridge.playout.file import MAX_QUEUED, FilePlayout

from .test_playouts import Wire


def made() -> tuple[Wire, FilePlayout]:
    wire = Wire()
    return wire, FilePlayout(L16_8K, wire.sinks)


def event(generation: int, number: int = 0) -> bytes:
    """As mod_audio_stream sends it: the data object without its audio, and the file."""
    data = {"audioDataType": "raw", "sampleRate": 8000, "generation": generation, "seq": number}
    return json.dumps(data | {"file": f"/tmp/0f3c_{number}.tmp.r8"}).encode()


def test_a_chunk_becomes_a_file_becomes_a_playback() -> None:
    wire, playout = made()
    playout.play(bytes(1600), 3)
    assert wire.log[0][1]["data"]["generation"] == 3
    assert playout.on_play_event(event(3, 7))
    assert wire.log[1] == ("playback", ("/tmp/0f3c_7.tmp.r8", 3))
    assert playout.queued == 1
    playout.on_execute_complete(3, 7)
    assert playout.queued == 0


def test_files_of_a_given_up_answer_are_never_played() -> None:
    wire, playout = made()
    playout.on_play_event(event(1, 0))
    playout.clear(1, 5.0)
    assert not playout.on_play_event(event(1, 1))
    assert not playout.on_play_event(event(0, 2))
    assert playout.on_play_event(event(2, 3))
    assert [kind for kind, _ in wire.log] == ["playback", "uuid_break", "playback"]


def test_nothing_queued_is_nothing_to_break() -> None:
    """`uuid_break all` would also drop a transfer that somebody queued."""
    wire, playout = made()
    playout.play(bytes(1600), 0)
    playout.clear(0, 5.0)
    assert [kind for kind, _ in wire.log] == ["text"]
    assert not playout.on_play_event(event(0))


def test_an_old_playback_that_slipped_through_is_broken_again_once() -> None:
    wire, playout = made()
    playout.on_play_event(event(1))
    playout.clear(1, 5.0)
    assert playout.on_execute(1, 0, 5.03)
    assert not playout.on_execute(1, 0, 5.035)
    assert [kind for kind, _ in wire.log] == ["playback", "uuid_break", "uuid_break"]


def test_but_not_when_it_is_too_late_to_be_one() -> None:
    _, playout = made()
    playout.on_play_event(event(1))
    playout.clear(1, 5.0)
    assert not playout.on_execute(1, 0, 5.05)


def test_and_not_when_new_sound_is_queued() -> None:
    _, playout = made()
    playout.on_play_event(event(1))
    playout.clear(1, 5.0)
    playout.on_play_event(event(2))
    assert not playout.on_execute(1, 0, 5.01)


def test_and_not_for_the_new_answer() -> None:
    _, playout = made()
    playout.on_play_event(event(1))
    playout.clear(1, 5.0)
    assert not playout.on_execute(2, 0, 5.01)
    assert not made()[1].on_execute(0, 0, 5.0)


def test_completions_of_a_broken_answer_do_not_count() -> None:
    _, playout = made()
    playout.on_play_event(event(1))
    playout.clear(1, 5.0)
    playout.on_play_event(event(2))
    playout.on_execute_complete(1, 0)
    assert playout.queued == 1
    playout.on_execute_complete(2, 0)
    playout.on_execute_complete(2, 0)
    assert playout.queued == 0


def test_never_more_queued_than_the_event_socket_stands() -> None:
    wire, playout = made()
    for number in range(MAX_QUEUED + 10):
        playout.on_play_event(event(0, number))
    assert len(wire.log) == playout.queued == MAX_QUEUED
    assert playout.refused == 10


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"file": 3}',
        b'{"file": "x.r8", "generation": 0}',
        b'{"file": "/tmp/a\\nb", "generation": 0}',
        b'{"file": "/tmp/a\\u0000", "generation": 0}',
        b'{"file": "/' + b"a" * 600 + b'", "generation": 0}',
        b'{"file": "/tmp/a", "generation": "0"}',
        b'{"file": "/tmp/a", "generation": 0, "more": "' + b"a" * 5000 + b'"}',
        b'{"file": "/tmp/a", "generation": 0' + b"[" * 3000,
        b"\xff\xfe",
    ],
)
def test_bad_bodies_are_the_switchs_mistake(body: bytes) -> None:
    wire, playout = made()
    with pytest.raises(RemoteProtocolError):
        playout.on_play_event(body)
    assert wire.log == []


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_garbage_never_becomes_anything_else(body) -> None:
    wire, playout = made()
    with pytest.raises(RemoteProtocolError):
        playout.on_play_event(body)
    assert wire.log == []


def test_an_event_without_our_number_is_not_ours() -> None:
    wire, playout = made()
    assert not playout.on_play_event(b'{"file": "/tmp/other.wav"}')
    assert wire.log == []


def test_the_next_one_ignores_files_of_the_one_before_it_that_were_broken_off() -> None:
    wire, before = made()
    for number in (1, 2, 3):
        before.play(bytes(1600), 1)
        if number < 3:
            before.on_play_event(event(1, number))
    before.clear(1, 5.0)
    after = FilePlayout(L16_8K, wire.sinks)
    after.follow(before, same_stream=True)
    assert after.on_execute(1, 2, 5.03), "one that slipped past the break is broken off too"
    after.play(bytes(1600), 1)
    assert not after.on_play_event(event(1, 3))
    assert after.on_play_event(event(1, 4))
    after.on_execute_complete(1, 1)
    assert after.queued == 1
    after.on_execute_complete(1, 4)
    assert after.queued == 0


def test_what_was_heard_of_the_files_is_counted() -> None:
    """At the rate of the channel, which may be another one since it changed."""
    _, playout = made()
    for number in (1, 2, 3):
        playout.play(bytes(1600), 0)
        playout.on_play_event(event(0, number))
    playout.on_execute(0, 1, 5.0, 8000)
    playout.on_execute_complete(0, 1, 800)
    assert playout.heard_bytes == 1600
    playout.on_execute(0, 2, 5.1, 48000)
    assert playout.break_off()
    playout.on_execute_complete(0, 2, 2400)
    assert playout.heard_bytes == 1600 + 800
    assert playout.queued == 0


def test_a_line_that_goes_plays_nothing_more() -> None:
    wire, playout = made()
    assert not playout.break_off()
    playout.play(bytes(1600), 0)
    assert not playout.on_play_event(event(0, 1))
    playout.on_execute_complete(0, 1)
    assert playout.heard_bytes == 0
    assert [kind for kind, _ in wire.log] == ["text"]
