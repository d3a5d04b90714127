"""Dialplan applications: what `sendmsg … execute` and the dialplan can run.

Each is a generator resumed once per frame, given the session and the application's data.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from esl_controller.simulator.switch import legs
from esl_controller.simulator.switch.conference import conference
from esl_controller.simulator.switch.eavesdrop import eavesdrop
from esl_controller.simulator.switch.playback import play

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

Steps = Generator[None, None, None]
Application = Callable[["Session", str], Steps]


def _at_once(action: Callable[[Session, str], None]) -> Application:
    """An application that takes no time."""

    def run(session: Session, data: str) -> Steps:
        action(session, data)
        yield from ()

    return run


def _set(session: Session, data: str) -> None:
    name, _, value = data.partition("=")
    session.channel.set(name.strip(), value)


def _unset(session: Session, data: str) -> None:
    session.channel.set(data.strip(), None)


def _multiset(session: Session, data: str) -> None:
    """`^^:a=1:b=2` with any delimiter after `^^`, else separated by spaces."""
    delimiter, text = (data[2], data[3:]) if data.startswith("^^") else (" ", data)
    for pair in text.split(delimiter):
        _set(session, pair)


def _ring_ready(session: Session, data: str) -> None:
    """180 Ringing (switch_channel.c, switch_channel_perform_ring_ready_value)."""
    del data
    if not session.answered.is_set():
        source = ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3523)
        session.fire("CHANNEL_PROGRESS", source)


def _transfer(session: Session, data: str) -> None:
    destination = data.split(maxsplit=1)[0] if data.split() else ""
    session.transfer(destination, session.switch.extension(destination))


def _sched_cancel(session: Session, data: str) -> None:
    session.switch.schedule.cancel(data)


def _lua(session: Session, data: str) -> None:
    """A script that is not there is an error in the log, and the dialplan goes on (mod_lua.cpp)."""
    script = session.switch.config.scripts.get(data)
    if script is not None:
        script(session)


def _send_dtmf(session: Session, data: str) -> None:
    for digit in data.partition("@")[0]:
        session.end.on_dtmf(digit, session.now)


def _sleep(session: Session, data: str) -> Steps:
    """Milliseconds of silence; unlocked messages run meanwhile."""
    until = session.now + (int(data) / 1000 if data.isdigit() else 0.0)
    while session.now < until and not session.interrupted:
        yield
        yield from session.parse_messages()


def _park(session: Session, data: str) -> Steps:
    del data
    yield from session.park()


def _echo(session: Session, data: str) -> Steps:
    """The caller hears himself."""
    del data
    session.answer()
    session.media.echo = True
    while not session.interrupted:
        yield
        yield from session.parse_messages()
    session.media.echo = False


def _socket(session: Session, data: str) -> Steps:
    """Hand the call to the application at the first `host:port` of `a:1|b:2` that can be connected
    to, with `async` and `full`. One without a port has that of the one before it."""
    addresses, *words = [*data.split(), ""]
    port = "8084"
    for address in addresses.split("|"):
        host, _, own_port = address.partition(":")
        port = own_port or port
        if not port.isdigit():
            return
        session.channel.set("socket_host", host)
        dial = session.switch.dial_application(session, host, int(port), full="full" in words)
        while dial.peer is None and not dial.failed and not session.interrupted:
            yield
        if dial.peer is not None or session.interrupted:
            break
    if dial.peer is None:
        return
    while not dial.peer.connected and not session.interrupted:
        yield
    if session.interrupted:
        return
    yield from session.park(dial.peer)
    if dial.peer.gone and not session.interrupted:
        session.dialplan_continued = True


APPLICATIONS: dict[str, Application] = {
    "answer": _at_once(lambda session, data: session.answer()),
    "pre_answer": _at_once(lambda session, data: session.start_media()),
    "ring_ready": _at_once(_ring_ready),
    "set": _at_once(_set),
    "export": _at_once(_set),
    "unset": _at_once(_unset),
    "multiset": _at_once(_multiset),
    "hangup": _at_once(lambda session, data: session.hang_up(data or "NORMAL_CLEARING")),
    "transfer": _at_once(_transfer),
    "lua": _at_once(_lua),
    "sched_cancel": _at_once(_sched_cancel),
    "send_dtmf": _at_once(_send_dtmf),
    "record_session": _at_once(lambda session, data: None),
    "stop_record_session": _at_once(lambda session, data: None),
    "log": _at_once(lambda session, data: None),
    "break": _at_once(lambda session, data: session.break_playback(everything=False)),
    "playback": play,
    "endless_playback": play,
    "sleep": _sleep,
    "park": _park,
    "echo": _echo,
    "socket": _socket,
    "bridge": legs.bridge,
    "eavesdrop": eavesdrop,
    "conference": conference,
}
