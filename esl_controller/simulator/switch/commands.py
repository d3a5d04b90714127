"""Event Socket commands (mod_event_socket.c, parse_command): from a command to its reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gevent

from esl_controller.simulator.switch import api
from esl_controller.simulator.switch.action import Message
from esl_controller.simulator.switch.command_reader import Command
from esl_controller.simulator.switch.event import (
    Event,
    api_response,
    command_reply,
    connect_reply,
)

if TYPE_CHECKING:
    from esl_controller.simulator.switch.esl_peer import EslPeer

UNKNOWN = "-ERR command not found"
# What a `socket … async` without `full` refuses.
_FULL_ONLY = {"api", "bgapi", "event", "filter", "noevents", "linger", "nolinger", "exit"}

Handler = Callable[["EslPeer", Command], bytes]


def run(peer: EslPeer, command: Command) -> bytes:
    """Carry out `command`; returns the framed reply (empty for none)."""
    verb = command.verb
    if not peer.authenticated:
        return _auth(peer, command)
    handler = COMMANDS.get(verb)
    if handler is None or (verb in _FULL_ONLY and not peer.full):
        return command_reply(UNKNOWN)
    return handler(peer, command)


def _auth(peer: EslPeer, command: Command) -> bytes:
    if command.verb == "auth" and command.argument == peer.switch.password:
        peer.authenticated = True
        return command_reply("+OK accepted")
    if command.verb == "exit":
        return command_reply("+OK bye")
    peer.send(command_reply("-ERR invalid"))
    peer.say_goodbye()
    return b""


def _connect(peer: EslPeer, command: Command) -> bytes:
    del command
    session = peer.session
    if session is None:
        return command_reply(UNKNOWN)
    peer.connected = True
    headers = session.channel.connect_headers(peer.switch.origin, peer.switch.now_us())
    mode = [
        ("Content-Type", "command/reply"),
        ("Reply-Text", "+OK\n"),
        ("Socket-Mode", "async"),
        ("Control", "full" if peer.full else "single-channel"),
    ]
    return connect_reply(headers, mode)


def _linger(peer: EslPeer, command: Command) -> bytes:
    if peer.session is None:
        return command_reply("-ERR not controlling a session")
    seconds = command.argument
    peer.linger_s = int(seconds) if seconds.isdigit() else -1
    suffix = f" {peer.linger_s} seconds" if peer.linger_s > 0 else ""
    return command_reply(f"+OK will linger{suffix}")


def _nolinger(peer: EslPeer, command: Command) -> bytes:
    del command
    peer.linger_s = None
    return command_reply("+OK will not linger")


def _myevents(peer: EslPeer, command: Command) -> bytes:
    uuid = peer.session.uuid if peer.session else command.argument.split(" ")[0]
    if not uuid or uuid not in peer.switch.sessions:
        return command_reply("-ERR invalid uuid" if uuid else UNKNOWN)
    peer.subscription.my_events(uuid)
    peer.switch.listen(peer)
    return command_reply("+OK Events Enabled")


def _event(peer: EslPeer, command: Command) -> bytes:
    form = peer.subscription.add(command.argument)
    if form is None:
        return command_reply("-ERR no keywords supplied")
    peer.switch.listen(peer)
    return command_reply(f"+OK event listener enabled {form}")


def _noevents(peer: EslPeer, command: Command) -> bytes:
    del command
    peer.subscription.clear()
    return command_reply("+OK no longer listening for events")


def _filter(peer: EslPeer, command: Command) -> bytes:
    name, _, value = command.argument.partition(" ")
    if name == "delete":
        header = value.split(" ")[0]
        peer.subscription.remove_filter(header)
        return command_reply(f"+OK filter deleted. [{header}]")
    if not value:
        return command_reply("-ERR invalid syntax")
    peer.subscription.add_filter(name, value)
    return command_reply(f"+OK filter added. [{name}]=[{value}]")


def _divert_events(peer: EslPeer, command: Command) -> bytes:
    if peer.session is None:
        return command_reply("-ERR not controlling a session")
    on = command.argument.lower() == "on"
    return command_reply("+OK events diverted" if on else "+OK events not diverted")


def _getvar(peer: EslPeer, command: Command) -> bytes:
    value = peer.session.channel.get(command.argument) if peer.session else None
    return command_reply(value if value is not None else UNKNOWN)


def _sendmsg(peer: EslPeer, command: Command) -> bytes:
    session = peer.session
    if command.argument:
        session = peer.switch.sessions.get(command.argument)
        if session is None:
            return command_reply(f"-ERR invalid session id [{command.argument}]")
    if session is None:
        return command_reply(UNKNOWN)
    if not session.hung_up and not session.queue(_message(command)):
        peer.say_goodbye()
        return b""
    return command_reply("+OK")


def _message(command: Command) -> Message:
    headers = command.headers
    loops = headers.get("loops", "1")
    return Message(
        command=headers.get("call-command", ""),
        application=headers.get("execute-app-name", ""),
        data=headers.get("execute-app-arg", "") or command.body,
        event_uuid=headers.get("event-uuid", ""),
        lock=headers.get("event-lock", "").lower() == "true",
        loops=int(loops) if loops.isdigit() else 1,
        fields=tuple(headers.items()),
    )


def _api(peer: EslPeer, command: Command) -> bytes:
    if not command.argument:
        return command_reply(UNKNOWN)
    name, _, argument = command.argument.partition(" ")
    return api_response(api.run(peer.switch, name, argument.strip()))


def _bgapi(peer: EslPeer, command: Command) -> bytes:
    if not command.argument:
        return command_reply(UNKNOWN)
    job_uuid = command.headers.get("job-uuid") or peer.switch.new_uuid()
    name, _, argument = command.argument.partition(" ")
    gevent.spawn(_run_job, peer, job_uuid, name, argument.strip())
    return command_reply(f"+OK Job-UUID: {job_uuid}", ("Job-UUID", job_uuid))


def _run_job(peer: EslPeer, job_uuid: str, name: str, argument: str) -> None:
    switch = peer.switch
    output = api.run(switch, name, argument)
    owner = peer.session.uuid if peer.session else ""
    source = ("mod_event_socket.c", "api_exec", 1569)
    headers = switch.origin.headers("BACKGROUND_JOB", source, switch.now_us())
    headers.append(("Job-UUID", job_uuid))
    if owner:
        headers.append(("Job-Owner-UUID", owner))
    headers.append(("Job-Command", name))
    if argument:
        headers.append(("Job-Command-Arg", argument))
    switch.fire(Event("BACKGROUND_JOB", headers, output.encode(), owner_uuid=owner))


COMMANDS: dict[str, Handler] = {
    "connect": _connect,
    "linger": _linger,
    "nolinger": _nolinger,
    "myevents": _myevents,
    "event": _event,
    "noevents": _noevents,
    "filter": _filter,
    "divert_events": _divert_events,
    "getvar": _getvar,
    "sendmsg": _sendmsg,
    "api": _api,
    "bgapi": _bgapi,
    "resume": lambda peer, command: command_reply("+OK"),
    "exit": lambda peer, command: command_reply("+OK bye"),
}
