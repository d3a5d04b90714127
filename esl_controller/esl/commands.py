"""Event Socket commands as bytes. No argument can add a line, a header or a second command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from . import arguments
from .applications import Application
from .causes import HangupCause
from .errors import LocalProtocolError

MAX_COMMAND_BYTES: Final = 1024 * 1024
"""One command with its body. FreeSWITCH reads up to 10 MiB of header lines and 16 MiB of body."""
MAX_LINE_ARGUMENT_LENGTH: Final = 2048
"""A longer application argument travels in the body instead of a header line."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `lines` before the empty line, `body` behind it.

    Construction raises `LocalProtocolError` for anything FreeSWITCH would read as something else:
    it ends a line at CR as well as at LF, a command at an empty line, and text at NUL
    (mod_event_socket.c, read_packet).
    """

    lines: tuple[str, ...]
    body: bytes = b""

    def __post_init__(self) -> None:
        if not self.lines or not all(self.lines):
            raise LocalProtocolError("empty line in a command")
        if any(arguments.FORBIDDEN.search(line) for line in self.lines):
            raise LocalProtocolError("line break or NUL in a command line")
        if self.lines[0] != self.lines[0].lstrip() or b"\0" in self.body:
            raise LocalProtocolError("command begins with a blank, or NUL in its body")
        if len(self.to_bytes()) > MAX_COMMAND_BYTES:
            raise LocalProtocolError(f"command over {MAX_COMMAND_BYTES} bytes")

    @property
    def name(self) -> str:
        """The command without its arguments: fit for logs and error messages."""
        words = self.lines[0].split(" ", 2)
        if words[0] in ("api", "bgapi") and len(words) > 1:
            return f"{words[0]} {words[1]}"
        if words[0] == "sendmsg":
            return " ".join(("sendmsg", *(line.partition(": ")[2] for line in self.lines[1:3])))
        return words[0]

    @property
    def is_api(self) -> bool:
        """Whether the answer may be an `api/response`."""
        return self.lines[0].startswith("api ")

    def to_bytes(self) -> bytes:
        """Return what goes on the wire. Raise `LocalProtocolError` for text that is not Unicode."""
        return arguments.encoded("\n".join(self.lines)) + b"\n\n" + self.body


def connect() -> Command:
    """Ask for the channel data; must be the first command on an outbound socket."""
    return Command(("connect",))


def auth(password: str) -> Command:
    """Log in on an inbound socket."""
    return Command((f"auth {arguments.line(password)}",))


def linger(seconds: int | None = None) -> Command:
    """Keep the socket open after the hang-up: for `seconds`, or until `exit`."""
    if seconds is None:
        return Command(("linger",))
    return Command((f"linger {arguments.at_least(seconds, 1)}",))


def nolinger() -> Command:
    """Undo `linger`."""
    return Command(("nolinger",))


def myevents() -> Command:
    """Subscribe to the channel events of this call, and to nothing of any other."""
    return Command(("myevents",))


def divert_events(*, on: bool = True) -> Command:
    """Have events meant for the channel's own queue sent to this socket."""
    return Command((f"divert_events {'on' if on else 'off'}",))


def event_plain(names: Iterable[str] = (), custom: Iterable[str] = ()) -> Command:
    """Subscribe to events `names` and to CUSTOM events of the subclasses `custom`.

    Everything behind the word CUSTOM is read as a subclass, so the names go first.
    """
    listed, subclasses = list(names), list(custom)
    if "CUSTOM" in listed or not (listed or subclasses):
        raise LocalProtocolError("no event named, or CUSTOM given as a name")
    words = [*listed, "CUSTOM", *subclasses] if subclasses else listed
    return Command((" ".join(("event plain", *map(arguments.word, words))),))


def noevents() -> Command:
    """Unsubscribe from everything."""
    return Command(("noevents",))


def exit_() -> Command:
    """Leave: the call goes on with the dialplan once what is queued has ended."""
    return Command(("exit",))


def resume() -> Command:
    """Ask that the dialplan goes on when this socket closes."""
    return Command(("resume",))


def getvar(name: str) -> Command:
    """Read a channel variable *that nobody outside can set*.

    FreeSWITCH copies the value into the reply as it is, line breaks included, so a value made by a
    caller could forge messages. For such values use ``api uuid_getvar``.
    """
    return Command((f"getvar {arguments.word(name)}",))


def api(command: str, argument: str = "") -> Command:
    """Run an API command; the connection does nothing else until it has ended."""
    return Command((_api_line("api", command, argument),))


def bgapi(command: str, argument: str = "", *, job_uuid: str = "") -> Command:
    """Run an API command aside; its result is the BACKGROUND_JOB event with `job_uuid`."""
    line = _api_line("bgapi", command, argument)
    return Command((line, f"Job-UUID: {arguments.word(job_uuid)}") if job_uuid else (line,))


def execute(
    application: Application,
    argument: str = "",
    *,
    event_uuid: str = "",
    event_lock: bool = True,
    loops: int = 1,
    expand: bool = False,
    uuid: str = "",
) -> Command:
    """Queue a dialplan application on this call, or on the call `uuid`.

    `event_uuid` comes back as Application-UUID. With `event_lock` applications run one after the
    other, without it at once, inside the one that runs. FreeSWITCH expands ``${…}`` in arguments,
    API calls such as ``${system …}`` included, also in values that came from a caller: such an
    argument is refused unless `expand` says that it is meant.
    """
    if not expand:
        arguments.refuse_expansion(argument)
    lines = [*_sendmsg("execute", uuid), f"execute-app-name: {arguments.application(application)}"]
    body = b""
    if _fits_a_line(argument):
        lines += [f"execute-app-arg: {argument}"] if argument else []
    else:
        body = arguments.encoded(argument)
    lines += [f"Event-UUID: {arguments.word(event_uuid)}"] if event_uuid else []
    lines += ["event-lock: true"] if event_lock else []
    lines += [f"loops: {loops}"] if loops != 1 else []
    lines += ["content-type: text/plain", f"content-length: {len(body)}"] if body else []
    return Command(tuple(lines), body)


def hangup(cause: HangupCause = HangupCause.NORMAL_CLEARING, *, uuid: str = "") -> Command:
    """End the call with `cause`, past everything that is queued."""
    return Command((*_sendmsg("hangup", uuid), f"hangup-cause: {arguments.cause(cause)}"))


def unicast(*, local: tuple[str, int], remote: tuple[str, int], uuid: str = "") -> Command:
    """Join the call's audio to UDP: FreeSWITCH binds `local` and sends to `remote`.

    Only for a call that has media (answered or pre-answered): without, FreeSWITCH ends with a
    segmentation fault (switch_ivr.c, switch_ivr_activate_unicast: no read codec yet).
    Never `flags: native`: see `bridge.playout.unicast`.
    """
    lines = (
        *_sendmsg("unicast", uuid),
        f"local-ip: {arguments.address(local[0])}",
        f"local-port: {arguments.port(local[1])}",
        f"remote-ip: {arguments.address(remote[0])}",
        f"remote-port: {arguments.port(remote[1])}",
        "transport: udp",
    )
    return Command(lines)


def assignment(name: str, value: str) -> str:
    """Return ``name=value`` for the application `set`. Raise `LocalProtocolError`."""
    return f"{arguments.word(name)}={arguments.line(value)}"


def _fits_a_line(argument: str) -> bool:
    """Tell whether FreeSWITCH would read `argument` whole from a line (it skips leading blanks)."""
    if len(argument) > MAX_LINE_ARGUMENT_LENGTH or argument[:1] == " ":
        return False
    return not arguments.FORBIDDEN.search(argument)


def _sendmsg(call_command: str, uuid: str) -> Sequence[str]:
    first = f"sendmsg {arguments.word(uuid)}" if uuid else "sendmsg"
    return (first, f"call-command: {call_command}")


def _api_line(verb: str, command: str, argument: str) -> str:
    line = f"{verb} {arguments.word(command)}"
    return f"{line} {arguments.line(argument)}" if argument else line
