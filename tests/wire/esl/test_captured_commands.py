"""The commands FreeSWITCH was really sent, rebuilt byte for byte by our builders."""

from __future__ import annotations

import itertools

import pytest

from esl_controller.esl import commands, dialstring
from esl_controller.esl.applications import Application
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.commands import Command
from esl_controller.esl.dialstring import DialString, Leg

from .conversations import sent

NOT_OURS = ("frobnicate", "api", "bgapi", "event json CHANNEL_EXECUTE_COMPLETE")


def split(data: bytes) -> list[tuple[str, bytes]]:
    """Cut recorded commands as FreeSWITCH does."""
    found = []
    while data:
        head, _, data = data.partition(b"\n\n")
        text = head.decode()
        length = int(headers(text).get("content-length", "0"))
        found.append((text, data[:length]))
        data = data[length:]
    return found


def headers(text: str) -> dict[str, str]:
    return dict(line.partition(": ")[::2] for line in text.split("\n")[1:])


COMMANDS = sorted(set(itertools.chain.from_iterable(map(split, sent().values()))))


def rebuild(text: str, body: bytes) -> Command:
    verb, _, rest = text.partition("\n")[0].partition(" ")
    fields = headers(text)
    if verb == "sendmsg":
        return rebuild_message(rest, fields, body)
    if verb in ("api", "bgapi"):
        command, _, argument = rest.partition(" ")
        if verb == "api":
            return commands.api(command, argument)
        return commands.bgapi(command, argument, job_uuid=fields.get("Job-UUID", ""))
    if verb == "event":
        names, _, custom = rest.removeprefix("plain ").partition("CUSTOM ")
        return commands.event_plain(names.split(), custom.split())
    if verb == "divert_events":
        return commands.divert_events(on=rest == "on")
    simple = {
        "connect": commands.connect,
        "exit": commands.exit_,
        "resume": commands.resume,
        "myevents": commands.myevents,
        "noevents": commands.noevents,
        "nolinger": commands.nolinger,
        "auth": lambda: commands.auth(rest),
        "getvar": lambda: commands.getvar(rest),
        "linger": lambda: commands.linger(int(rest) if rest else None),
    }
    return simple[verb]()


def rebuild_message(uuid: str, fields: dict[str, str], body: bytes) -> Command:
    if fields["call-command"] == "hangup":
        return commands.hangup(HangupCause(fields["hangup-cause"]), uuid=uuid)
    if fields["call-command"] == "unicast":
        return commands.unicast(
            local=(fields["local-ip"], int(fields["local-port"])),
            remote=(fields["remote-ip"], int(fields["remote-port"])),
            uuid=uuid,
        )
    return commands.execute(
        Application(fields["execute-app-name"]),
        fields.get("execute-app-arg", body.decode()),
        event_uuid=fields.get("Event-UUID", ""),
        event_lock="event-lock" in fields,
        loops=int(fields.get("loops", "1")),
        uuid=uuid,
    )


def is_ours(text: str) -> bool:
    application = headers(text).get("execute-app-name", "answer")
    return text not in NOT_OURS and application in set(Application)


@pytest.mark.parametrize(("text", "body"), [c for c in COMMANDS if is_ours(c[0])])
def test_recorded_command_is_rebuilt(text, body, monkeypatch):
    if body:  # recorded with a short argument in the body
        monkeypatch.setattr(commands, "MAX_LINE_ARGUMENT_LENGTH", len(body) - 1)
    command = rebuild(text, body)
    first, *rest = text.split("\n")
    assert command.lines[0] == first
    assert sorted(command.lines[1:]) == sorted(rest)  # the order of headers means nothing
    assert command.body == body
    assert command.to_bytes() == "\n".join(command.lines).encode() + b"\n\n" + body


def test_nearly_all_recorded_commands_are_ours():
    foreign = [text for text, _ in COMMANDS if not is_ours(text)]
    assert len(foreign) <= 8, foreign


def test_recorded_originate_is_rebuilt():
    recorded = next(
        text for text, _ in COMMANDS if text.startswith("bgapi originate {origination_u")
    )
    uuid = recorded.partition("origination_uuid=")[2][:36]
    dial = DialString(
        [Leg("sofia/internal/1004@127.0.0.1:5080")],
        {"origination_uuid": uuid, "originate_timeout": "20"},
    )
    argument = dialstring.originate(dial, dialstring.run(Application.PARK))
    assert commands.bgapi("originate", argument).lines[0] == recorded
