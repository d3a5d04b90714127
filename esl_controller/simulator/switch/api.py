"""Api commands: what `api` and `bgapi` can call, with FreeSWITCH's own words in reply."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from esl_controller.simulator.switch import (
    api_stream,
    event,
    expansion,
    people,
    schedule,
    signalling,
)
from esl_controller.simulator.switch.action import Action, Message
from esl_controller.simulator.switch.originate import split_at_blanks
from esl_controller.simulator.switch.quirks import Edition
from esl_controller.simulator.switch.recording import uuid_record
from esl_controller.simulator.switch.session import Session

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch

OK = "+OK\n"
NO_CHANNEL = "-ERR No such channel!\n"
_MESSAGE_SENT = "+OK Message sent\n"

Api = Callable[["Switch", str], str]
SessionApi = Callable[[Session, str], str]


def run(switch: Switch, name: str, argument: str) -> str:
    """Output of api command `name`; may block as long as FreeSWITCH would."""
    handler = APIS.get(name)
    if name == "uuid_audio_stream" and switch.quirks.edition is Edition.NONE:
        handler = None
    if handler is None:
        return f"-ERR {name} Command not found!\n"
    return handler(switch, argument)


def _on_session(action: SessionApi, missing: str = NO_CHANNEL) -> Api:
    """An api whose first word is the uuid of a living call."""

    def call(switch: Switch, argument: str) -> str:
        uuid, _, rest = argument.partition(" ")
        session = switch.living(uuid)
        return missing if session is None else action(session, rest.strip())

    return call


def _kill(session: Session, cause: str) -> str:
    session.hang_up(cause or "NORMAL_CLEARING")
    return OK


def _break(session: Session, rest: str) -> str:
    session.break_playback(everything=rest.split(" ", maxsplit=1)[0] == "all")
    return OK


def _getvar(session: Session, name: str) -> str:
    value = session.channel.get(name)
    return "_undef_" if value is None else value


def _set_media_stats(session: Session, rest: str) -> str:
    """Counts become variables (switch_core_media.c, set_stats); of them only what is read here."""
    del rest
    session.channel.set("rtp_audio_out_media_packet_count", str(session.media.frames_out))
    return "+OK:\n"


def _setvar(session: Session, rest: str) -> str:
    name, _, value = rest.partition(" ")
    if not name:
        return "-USAGE: <uuid> <var> [value]\n"
    session.channel.set(name, value.strip())
    return OK


def _setvar_multi(session: Session, rest: str) -> str:
    for pair in rest.split(";"):
        name, _, value = pair.partition("=")
        session.channel.set(name.strip(), value.strip())
    return OK


def _broadcast(session: Session, rest: str) -> str:
    """Every file waits 100 ms first (`lead-frames` in switch_ivr_async.c)."""
    path = rest.split(" ", maxsplit=1)[0]
    name, mark, data = path.partition("::")
    lead_frames = session.switch.quirks.broadcast_lead_ms // 20
    application, data = (name, data) if mark else ("playback", path)
    session.queue(Message("execute", application, data, lock=True, lead_frames=lead_frames))
    return _MESSAGE_SENT


def _transfer(session: Session, rest: str) -> str:
    words = [word for word in split_at_blanks(rest) if not word.startswith("-")]
    if not words:
        return "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n"
    if words[1:2] == ["inline"]:  # application:data,application:data (mod_dptools.c)
        pairs = (action.partition(":") for action in words[0].split(","))
        session.transfer("inline", [Action(name, data) for name, _, data in pairs])
    else:
        session.transfer(words[0], session.switch.extension(words[0]))
    return OK


def _park(session: Session, rest: str) -> str:
    del rest
    session.transfer("park", [Action("park")])
    return OK


def _bridge(switch: Switch, argument: str) -> str:
    words = argument.split()
    one, other = (switch.living(uuid) for uuid in (*words, "", "")[:2])
    if one is None or other is None:
        return "-ERR Invalid uuid\n"
    one.bridge_to(other)
    other.bridge_to(one)
    return f"+OK {other.uuid}\n"


def _recv_dtmf(session: Session, digits: str) -> str:
    for digit in digits.partition("@")[0]:
        session.receive_dtmf(digit, 2000, "APP")
    return OK


def _send_dtmf(session: Session, digits: str) -> str:
    for digit in digits.partition("@")[0]:
        session.end.on_dtmf(digit, session.now)
    return OK


def _hold(switch: Switch, argument: str) -> str:
    """`[off|toggle] <uuid> [display]`."""
    words = argument.split()
    off = bool(words) and words[0] == "off"
    session = switch.living(words[off]) if len(words) > off else None
    if session is None:
        return "-ERR Operation failed\n"
    signalling.hold(session, on=not off)
    return "+OK Success\n"


def _dump(session: Session, rest: str) -> str:
    del rest
    lines = [f"{name}: {event.url_encode(value)}" for name, value in session.channel.headers()]
    return "\n".join(lines) + "\n\n"


def _originate(switch: Switch, argument: str) -> str:
    return switch.originate(argument)


def _module_exists(switch: Switch, name: str) -> str:
    modules = {"mod_sofia", "mod_event_socket", "mod_dptools", "mod_commands", "mod_sndfile"}
    modules |= {"mod_lua", "mod_loopback"}
    if switch.quirks.edition is not Edition.NONE:
        modules.add("mod_audio_stream")
    return "true" if name in modules else "false"


def _status(switch: Switch, argument: str) -> str:
    del argument
    count = len(switch.sessions)
    minutes, seconds = divmod(int(switch.now() - switch.started), 60)
    return (
        f"UP 0 years, 0 days, 0 hours, {minutes} minutes, {seconds} seconds, "
        "0 milliseconds, 0 microseconds\n"
        f"FreeSWITCH (Version {switch.version}) is ready\n"
        f"{switch.calls_made} session(s) since startup\n"
        f"{count} session(s) - peak {switch.peak_calls}, last 5min {switch.peak_calls} \n"
        f"0 session(s) per Sec out of max 30, peak 1, last 5min 1 \n"
        "1000 session(s) max\nmin idle cpu 0.00/99.00\nCurrent Stack Size/Max 240K/8192K\n"
    )


APIS: dict[str, Api] = {
    "uuid_audio_stream": api_stream.run,
    "uuid_kill": _on_session(_kill),
    "uuid_break": _on_session(_break),
    "uuid_getvar": _on_session(_getvar),
    "uuid_set_media_stats": _on_session(_set_media_stats),
    "uuid_setvar": _on_session(_setvar),
    "uuid_setvar_multi": _on_session(_setvar_multi),
    "uuid_broadcast": _on_session(_broadcast, "-ERR invalid uuid\n"),
    "uuid_transfer": _on_session(_transfer),
    "uuid_park": _on_session(_park),
    "uuid_recv_dtmf": _on_session(_recv_dtmf),
    "uuid_send_dtmf": _on_session(_send_dtmf),
    "uuid_dump": _on_session(_dump),
    "uuid_record": _on_session(uuid_record, "-ERR Cannot locate session!\n"),
    "uuid_exists": lambda switch, uuid: "true" if switch.living(uuid) else "false",
    "sched_api": lambda switch, argument: schedule.sched_api(switch, argument, run),
    "sched_del": schedule.sched_del,
    "uuid_bridge": _bridge,
    "uuid_hold": _hold,
    "cond": lambda _, argument: expansion.cond(argument),
    "originate": _originate,
    "module_exists": _module_exists,
    "show": people.show,
    "sofia_contact": people.sofia_contact,
    "callcenter_config": people.callcenter_config,
    "status": _status,
    "version": lambda switch, _: f"FreeSWITCH Version {switch.version}\n",
    "hostname": lambda switch, _: switch.origin.switchname,
    "create_uuid": lambda switch, _: switch.new_uuid(),
    "echo": lambda _, text: text,
    "global_getvar": lambda switch, name: switch.globals.get(name, ""),
    "strftime": lambda _, form: time.strftime(form or "%Y-%m-%d %H:%M:%S"),
}
