from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.commands import Command
from esl_controller.esl.errors import LocalProtocolError

anything = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.sampled_from(["\n", "\r", "\0", "a", " ", "api system id", "\n\n", ":", "${", "\ud800"]),
        max_size=6,
    ).map("".join),
)


def read_as_freeswitch(data: bytes) -> list[tuple[list[str], bytes]]:
    """Cut bytes into commands as mod_event_socket's read_packet does."""
    found = []
    while data := data.lstrip(b"\r\n"):
        head, end, data = data.partition(b"\n\n")
        assert end
        lines = head.replace(b"\r", b"\n").decode().split("\n")
        length = 0
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name.lower() == "content-length":
                length = int(value)
        found.append((lines, data[:length]))
        data = data[length:]
    return found


BUILDERS = {
    "auth": commands.auth,
    "getvar": commands.getvar,
    "api": lambda text: commands.api("status", text),
    "api command": commands.api,
    "bgapi": lambda text: commands.bgapi("status", text, job_uuid="j1"),
    "job": lambda text: commands.bgapi("status", job_uuid=text or "j1"),
    "event": lambda text: commands.event_plain([text]),
    "subclass": lambda text: commands.event_plain((), [text]),
    "execute": lambda text: commands.execute(Application.PLAYBACK, text, event_uuid="e1"),
    "expanded": lambda text: commands.execute(Application.PLAYBACK, text, expand=True),
    "event uuid": lambda text: commands.execute(Application.PARK, event_uuid=text or "e1"),
    "other call": lambda text: commands.hangup(uuid=text or "u1"),
    "local": lambda text: commands.unicast(local=(text, 1), remote=("127.0.0.1", 2)),
    "set": lambda text: commands.execute(Application.SET, commands.assignment("a", text)),
    "raw": lambda text: Command((text,)),
}


@pytest.mark.parametrize("builder", BUILDERS)
@settings(deadline=None)
@given(text=anything)
def test_no_argument_can_add_a_command_or_a_line(builder, text):
    try:
        command = BUILDERS[builder](text)
    except LocalProtocolError:
        return
    found = read_as_freeswitch(command.to_bytes() + b"exit\n\n")
    assert found == [(list(command.lines), command.body), (["exit"], b"")]


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\n\ud800"])
def test_nul_and_lone_surrogates_are_refused(builder, text):
    with pytest.raises(LocalProtocolError):
        BUILDERS[builder](text)


@pytest.mark.parametrize(
    "builder", sorted(BUILDERS.keys() - {"execute", "expanded"})
)  # these have a body
@pytest.mark.parametrize("text", ["x\n\napi system id", "x\ry: z"])
def test_line_breaks_are_refused(builder, text):
    with pytest.raises(LocalProtocolError):
        BUILDERS[builder](text)


def test_argument_with_line_breaks_or_very_long_travels_in_the_body():
    for argument in ("a=1\n\napi system id", " blank", "é" * 3000):
        command = commands.execute(Application.SET, argument, event_uuid="e1")
        body = argument.encode()
        assert command.to_bytes() == (
            b"sendmsg\ncall-command: execute\nexecute-app-name: set\nEvent-UUID: e1\n"
            b"event-lock: true\ncontent-type: text/plain\ncontent-length: %d\n\n%s"
            % (len(body), body)
        )


@pytest.mark.parametrize("argument", ["a=${system id}", "x$${y}", "%[a=b]x", "%,[a=b]x", "\n${x}"])
def test_what_freeswitch_would_expand_is_refused_unless_meant(argument):
    with pytest.raises(LocalProtocolError):
        commands.execute(Application.SET, argument)
    assert commands.execute(Application.SET, argument, expand=True)


@pytest.mark.parametrize(
    ("command", "data"),
    [
        (commands.connect(), b"connect\n\n"),
        (commands.linger(), b"linger\n\n"),
        (commands.linger(3), b"linger 3\n\n"),
        (commands.nolinger(), b"nolinger\n\n"),
        (commands.myevents(), b"myevents\n\n"),
        (commands.divert_events(), b"divert_events on\n\n"),
        (commands.divert_events(on=False), b"divert_events off\n\n"),
        (commands.noevents(), b"noevents\n\n"),
        (commands.resume(), b"resume\n\n"),
        (commands.exit_(), b"exit\n\n"),
        (commands.getvar("domain_name"), b"getvar domain_name\n\n"),
        (commands.auth("a b"), b"auth a b\n\n"),
        (commands.api("status"), b"api status\n\n"),
        (commands.event_plain(["DTMF"], ["a::b"]), b"event plain DTMF CUSTOM a::b\n\n"),
        (commands.event_plain(["DTMF"]), b"event plain DTMF\n\n"),
        (
            commands.bgapi("status", "x  y", job_uuid="j1"),
            b"bgapi status x  y\nJob-UUID: j1\n\n",
        ),
        (
            commands.execute(Application.PARK, event_lock=False, loops=2, uuid="u2"),
            b"sendmsg u2\ncall-command: execute\nexecute-app-name: park\nloops: 2\n\n",
        ),
        (
            commands.hangup(HangupCause.USER_BUSY),
            b"sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n",
        ),
        (
            commands.unicast(local=("127.0.0.1", 30002), remote=("::1", 30003)),
            b"sendmsg\ncall-command: unicast\nlocal-ip: 127.0.0.1\nlocal-port: 30002\n"
            b"remote-ip: ::1\nremote-port: 30003\ntransport: udp\n\n",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Command) else "",
)
def test_bytes(command, data):
    assert command.to_bytes() == data


@pytest.mark.parametrize(
    "make",
    [
        lambda: Command(()),
        lambda: Command(("",)),
        lambda: Command((" connect",)),
        lambda: Command(("a", "")),
        lambda: Command(("a",), b"\0"),
        lambda: Command(("a" * commands.MAX_COMMAND_BYTES,)),
        lambda: commands.linger(0),
        lambda: commands.event_plain(),
        lambda: commands.event_plain(["CUSTOM"]),
        lambda: commands.event_plain(["DTMF", "CUSTOM"], ["a::b"]),
        lambda: commands.event_plain(["DTMF CUSTOM"]),
        lambda: commands.api("status x"),
        lambda: commands.execute("system", "id"),
        lambda: commands.execute("playback\nx", ""),
        lambda: commands.hangup("NOT_A_CAUSE"),
        lambda: commands.unicast(local=("localhost", 1), remote=("127.0.0.1", 2)),
        lambda: commands.unicast(local=("127.0.0.1", 0), remote=("127.0.0.1", 2)),
        lambda: commands.unicast(local=("127.0.0.1", 1), remote=("127.0.0.1", 65536)),
    ],
)
def test_misuse_is_refused(make):
    with pytest.raises(LocalProtocolError):
        make()


def test_name_says_what_without_the_arguments():
    assert commands.auth("ClueCon").name == "auth"
    assert commands.api("uuid_kill", "u1").name == "api uuid_kill"
    assert commands.bgapi("originate", "user/1 &park()").name == "bgapi originate"
    assert commands.execute(Application.PLAYBACK, "x").name == "sendmsg execute playback"
    assert commands.hangup().name == "sendmsg hangup NORMAL_CLEARING"
