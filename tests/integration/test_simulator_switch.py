"""The simulated switch against conversations recorded with FreeSWITCH 1.11.1.

The same commands are sent at the same points; replies must be the same bytes and events the same
in name, order, key headers and header names, ids and clocks aside.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from esl_controller.simulator.caller import Caller
from esl_controller.simulator.speech import beep
from esl_controller.simulator.switch.core import Switch, SwitchConfig
from esl_controller.simulator.switch.quirks import CALM
from esl_controller.simulator.switch.session import Session
from tests.integration.simulator_media import TEXT, MediaServer, Stream
from tests.integration.simulator_replay import UUID, Application, Seen, anonymous, commands, parse
from tests.wire.esl import conversations

# They come with the caller's ACK, a moment sooner or later.
_OTHER_VARIABLES = {"variable_sip_to_tag", "variable_sip_cseq"}
# Answers that describe the machine.
_DESCRIPTIONS = ("api uuid_dump", "api strftime", "api status", "api show")


@dataclass
class Stage:
    """Everything one replay has in hand."""

    switch: Switch
    call: Session
    caller: Caller
    app: Application
    media: MediaServer
    streams: list[Stream] = field(default_factory=list)
    close_tcp: bool = True
    """Whether the media server closes TCP when it is sent Close."""

    def press(self, digit: str) -> None:
        self.caller.press(digit)

    def completed(self, count: int) -> None:
        self.app.wait(
            lambda: self.app.events().count("CHANNEL_EXECUTE_COMPLETE") >= count or self.app.closed
        )

    def complete(self, app_uuid: str) -> None:
        self.app.wait_event("CHANNEL_EXECUTE_COMPLETE", Application_UUID=app_uuid)

    def executing(self, app_uuid: str) -> None:
        self.app.wait_event("CHANNEL_EXECUTE", Application_UUID=app_uuid)

    def hang_up(self) -> None:
        self.caller.hang_up()
        self.app.wait_event("CHANNEL_HANGUP_COMPLETE")
        self.app.wait(
            lambda: any(seen.message.kind == "text/disconnect-notice" for seen in self.app.seen)
        )


After = Callable[[Stage], None]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def media() -> Iterator[MediaServer]:
    server = MediaServer()
    yield server
    server.close()


@pytest.fixture
def stage(listener: socket.socket, media: MediaServer, tmp_path) -> Iterator[Stage]:
    with Switch(SwitchConfig(quirks=CALM, temp_dir=tmp_path, speed=5)) as switch:
        caller = Caller()
        call = switch.originate_to_controller(*listener.getsockname(), caller=caller)
        app = Application.accept(listener)
        yield Stage(switch, call, caller, app, media)
        app.close()


def wait_for_nothing(stage: Stage) -> None:
    """The next command follows at once."""


def pipelined(stage: Stage) -> None:
    """Not called: the command goes out in one segment with the next one."""


def replay(
    stage: Stage, name: str, after: dict[int, After], last: After = wait_for_nothing
) -> None:
    """Send the recorded commands; `after` the n-th do this instead of waiting for its end;
    `last` comes before the final `exit`, or after everything."""
    sent = commands(conversations.sent()[name])
    waiting = ""
    for number, command in enumerate(sent):
        if command.startswith("exit"):
            last(stage)
        text = waiting + _adapted(command, stage)
        waiting = text if after.get(number) is pipelined else ""
        if waiting:
            continue
        completed = stage.app.events().count("CHANNEL_EXECUTE_COMPLETE")
        if " start ws://" in text:
            _start(stage, text)
        else:
            stage.app.ask(text, len(commands(text.encode())))
        if number in after:
            after[number](stage)
        elif "call-command: execute" in text:
            stage.completed(completed + 1)
    if not sent[-1].startswith("exit"):
        last(stage)
    stage.app.wait(lambda: stage.app.closed)


def _start(stage: Stage, text: str) -> None:
    stage.app.ask(text)
    stage.streams.append(stage.media.accept(close_tcp=stage.close_tcp))
    stage.app.wait_event("mod_audio_stream::connect", len(stage.streams))
    stage.streams[-1].wait_frames(1)


def _adapted(command: str, stage: Stage) -> str:
    own = [found for found in UUID.findall(command) if not found.startswith("00000000")]
    for found in own:
        if found not in stage.switch.sessions:
            command = command.replace(found, stage.call.uuid)
    command = command.replace("arg: /tmp/", f"arg: {stage.switch.temp_dir}/")
    return command.replace("127.0.0.1:8090", f"127.0.0.1:{stage.media.port}")


def assert_same(stage: Stage, name: str, *, header_names: bool = True) -> None:
    recorded = parse(conversations.received()[name])
    sent = commands(conversations.sent()[name])
    _assert_same_replies(recorded, stage.app.seen, sent)
    _assert_same_events(recorded, stage.app.seen, header_names)
    for kind in ("linger", "disconnect"):
        assert _notices(stage.app.seen, kind) == _notices(recorded, kind)


def _assert_same_replies(recorded: list[Seen], seen: list[Seen], sent: list[str]) -> None:
    theirs = [item for item in recorded if item.is_reply]
    ours = [item for item in seen if item.is_reply]
    assert len(ours) == len(theirs)
    for command, one, other in zip(sent, ours, theirs, strict=False):
        if command.startswith("connect"):
            assert _plain_names(one) == _plain_names(other)
            assert _variables(one) == _variables(other)
        elif not command.startswith(_DESCRIPTIONS):
            assert _bytes(one) == _bytes(other), command


def _assert_same_events(recorded: list[Seen], seen: list[Seen], header_names: bool) -> None:
    for jobs in (False, True):
        theirs = [item for item in recorded if _comparable(item, jobs)]
        ours = [item for item in seen if _comparable(item, jobs)]
        assert [item.shape() for item in ours] == [item.shape() for item in theirs]
        for one, other in zip(ours, theirs, strict=True) if header_names else ():
            assert _plain_names(one) == _plain_names(other), other.shape()
            assert _variables(one) == _variables(other), other.shape()


def _comparable(item: Seen, jobs: bool) -> bool:
    """CHANNEL_PARK is seen or not, by milliseconds; jobs finish in their own time."""
    return item.event not in ("", "CHANNEL_PARK") and (item.event == "BACKGROUND_JOB") == jobs


def _bytes(item: Seen) -> str:
    return anonymous((item.message.block + b"\n\n" + item.message.body).decode())


def _plain_names(item: Seen) -> list[str]:
    return [name for name in item.names if not name.startswith("variable_")]


def _variables(item: Seen) -> set[str]:
    return {name for name in item.names if name.startswith("variable_")} - _OTHER_VARIABLES


def _notices(items: list[Seen], kind: str) -> list[str]:
    notices = [item for item in items if item.message.kind == "text/disconnect-notice"]
    return [_bytes(item) for item in notices if item.headers["Content-Disposition"] == kind]


# the recordings


def test_whole_call_with_a_stream(stage: Stage) -> None:
    name = "s01_basic_16k_api.esl"

    def talk(stage: Stage) -> None:
        for digit in "12#":
            stage.press(digit)
        stage.app.wait_event("DTMF", 3)
        for count, text in enumerate((b'{"type":"foo","data":{"x":1}}', b"plain text, not JSON")):
            stage.streams[0].send(TEXT, text)
            stage.app.wait_event("mod_audio_stream::json", count + 1)

    # "hello with spaces" was sent unquoted: only the first word arrives
    replay(stage, name, {8: talk}, Stage.hang_up)
    assert_same(stage, name)
    texts = stage.streams[0].of_kind(TEXT)
    assert texts[1:] == [b'{"type":"note","text":"hello', b'{"type":"bye","reason":"done"}']


def test_background_jobs_and_metadata(stage: Stage) -> None:
    name = "s02_bgapi_8k_metadata.esl"
    jobs = range(5, 13)
    after = {n: (lambda stage, n=n: stage.app.wait_event("BACKGROUND_JOB", n - 4)) for n in jobs}
    replay(stage, name, after, Stage.hang_up)
    assert_same(stage, name)


def test_execute_semantics(stage: Stage) -> None:
    name = "s10_execute_semantics.esl"

    def dump_is_channel_data(stage: Stage) -> None:
        assert b"Channel-State: CS_EXECUTE" in stage.app.seen[-1].message.body

    def star_stops(stage: Stage) -> None:
        stage.executing("J1")
        stage.press("5")
        stage.press("*")
        stage.complete("J1")

    def star_does_not_stop(stage: Stage) -> None:
        stage.executing("K1")
        stage.press("*")
        stage.complete("K1")

    after: dict[int, After] = {
        7: wait_for_nothing,
        8: lambda stage: stage.complete("B1"),
        9: wait_for_nothing,
        10: lambda stage: stage.complete("C2"),
        11: lambda stage: stage.executing("D1"),
        12: lambda stage: stage.complete("D1"),
        13: lambda stage: stage.executing("E1"),
        14: lambda stage: stage.complete("E2"),
        22: wait_for_nothing,
        28: dump_is_channel_data,
        35: star_stops,
        37: star_does_not_stop,
        41: pipelined,
        42: pipelined,
        44: lambda stage: stage.app.wait_event("CHANNEL_HANGUP_COMPLETE"),
        46: wait_for_nothing,
    }
    replay(stage, name, after, wait_for_nothing)
    assert_same(stage, name)


def test_unknown_application_hangs_up(stage: Stage) -> None:
    name = "s10_execute_semantics.esl2"
    replay(stage, name, {5: lambda stage: stage.call.ended.wait(5)})
    assert_same(stage, name)
    assert stage.call.channel.hangup_cause == "DESTINATION_OUT_OF_ORDER"


def test_play_events_and_barge_in(stage: Stage) -> None:
    name = "orig_bargein.esl"

    def four_chunks(stage: Stage) -> None:
        for number in range(4):
            data = {"audioDataType": "raw", "sampleRate": 8000, "seq": number}
            data["audioData"] = base64.b64encode(beep(0.2).pcm).decode()
            message = {"type": "streamAudio", "data": data}
            stage.streams[0].send(TEXT, json.dumps(message).encode())
        stage.app.wait_event("mod_audio_stream::play", 4)

    after: dict[int, After] = {
        6: four_chunks,
        **dict.fromkeys((7, 8, 9), pipelined),
        10: lambda stage: stage.app.wait_event("PLAYBACK_START", 2),
        11: pipelined,
        12: lambda stage: stage.complete("gen2-0"),
    }

    def hang_up(stage: Stage) -> None:
        # the server leaves TCP open, so the call's end is not seen before `exit`
        stage.caller.hang_up()
        stage.app.wait_event("CHANNEL_STATE")

    stage.close_tcp = False
    replay(stage, name, after, hang_up)
    assert_same(stage, name)


@pytest.mark.parametrize("name", ["s11_transfer.esl", "s11_transfer.esl2"])
def test_transfer_keeps_the_socket(stage: Stage, name: str) -> None:
    def in_new_extension(stage: Stage) -> None:
        stage.app.wait_event("PLAYBACK_START", 2)

    after: dict[int, After] = {
        6: lambda stage: stage.app.wait_event("PLAYBACK_START"),
        7: in_new_extension,
    }
    replay(stage, name, after, Stage.hang_up)
    assert_same(stage, name)


def test_stream_survives_a_transfer(stage: Stage) -> None:
    name = "s11_transfer.esl3"

    def streaming_on(stage: Stage) -> None:
        stage.app.wait_event("PLAYBACK_START")
        stage.streams[0].wait_frames(len(stage.streams[0].frames) + 5)

    replay(stage, name, {7: streaming_on}, Stage.hang_up)
    assert_same(stage, name, header_names=False)


@pytest.mark.parametrize("name", ["s11_transfer.esl5", "s11_transfer.esl6"])
def test_transfer_to_busy_and_to_nowhere(stage: Stage, name: str) -> None:
    replay(stage, name, {5: lambda stage: stage.call.ended.wait(5)})
    assert_same(stage, name)


@pytest.mark.parametrize("name", ["s12b_park_after_bridge.esl", "s12b_park_after_bridge.esl2"])
def test_uuid_bridge(stage: Stage, name: str) -> None:
    """Both legs live; the other one leaves; the first is parked, or ends."""
    recorded = commands(conversations.sent()[name])
    other_uuid = UUID.findall(recorded[6])[1]
    output = stage.switch.originate(
        f"{{origination_uuid={other_uuid}}}sofia/internal/1004@127.0.0.1:5080 &park()"
    )
    assert output == f"+OK {other_uuid}\n"

    def other_leaves(stage: Stage) -> None:
        stage.app.wait_event("CHANNEL_BRIDGE")
        stage.switch.sessions[other_uuid].hang_up()
        if name.endswith("esl"):
            stage.app.wait_event("CHANNEL_PARK")

    after: dict[int, After] = {6: other_leaves}
    if name.endswith("esl"):
        after[7] = lambda stage: stage.app.wait_event("CHANNEL_EXECUTE", Application="playback")
        replay(stage, name, after, Stage.hang_up)
    else:
        replay(stage, name, after, lambda stage: stage.call.ended.wait(5))
    assert_same(stage, name, header_names=False)


@pytest.mark.parametrize(
    ("name", "answered_by"),
    [("s14_hangup_linger.esl", 3), ("s14_hangup_linger.esl3", 4)],
    ids=["no linger", "linger"],
)
def test_caller_hangs_up(stage: Stage, name: str, answered_by: int) -> None:
    def answered(stage: Stage) -> None:
        stage.completed(1)
        stage.hang_up()

    replay(stage, name, {answered_by: answered})
    assert_same(stage, name)


@pytest.mark.parametrize(
    ("name", "hung_up_by"),
    [("s14_hangup_linger.esl2", 4), ("s14_hangup_linger.esl4", 5)],
    ids=["no linger", "linger"],
)
def test_application_hangs_up(stage: Stage, name: str, hung_up_by: int) -> None:
    replay(stage, name, {hung_up_by: lambda stage: stage.call.ended.wait(5)})
    assert_same(stage, name)


def test_caller_gives_up_while_it_rings(stage: Stage) -> None:
    name = "s14_hangup_linger.esl7"
    replay(stage, name, {3: lambda stage: stage.app.wait(lambda: stage.call.parked)}, Stage.hang_up)
    assert_same(stage, name)


def test_stream_before_the_answer_starts_early_media(stage: Stage) -> None:
    name = "s14_hangup_linger.esl8"
    replay(stage, name, {}, Stage.hang_up)
    assert_same(stage, name)
