"""A `ControllerSession` without a socket, which fails at a named step.

It answers at once and keeps the order of what it was told. A step is the name of a command
(`commands.Command.name`), or `answer`, `hangup`, `settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gevent.event import Event as Signal

from esl_controller.esl.commands import Command
from esl_controller.esl.errors import CallGone, CommandFailed
from esl_controller.esl.events import ChannelData, Event, Reply
from esl_controller.esl.framing import Headers, encode_headers

DOMAIN, CALL = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
CHANNEL = {
    "Unique-ID": CALL,
    "Socket-Mode": "async",
    "Control": "full",
    "Answer-State": "ringing",
    "Caller-Destination-Number": "8001",
    "Caller-Caller-ID-Number": "5551",
    "variable_domain_uuid": DOMAIN,
}


def event(name: str, **headers: str) -> Event:
    """An event of the call."""
    fields = {"Event-Name": name, "Unique-ID": CALL} | {
        key.replace("_", "-"): value for key, value in headers.items()
    }
    return Event(Headers(encode_headers(fields.items()), percent_encoded=True), b"")


class FakeEsl:
    """FreeSWITCH's side of one call."""

    def __init__(self, fault: str = "", *, error: Any = None, **channel: str) -> None:
        fields = {k: v for k, v in (CHANNEL | channel).items() if v}
        block = encode_headers(fields.items())
        self.channel = ChannelData(Headers(block, percent_encoded=True))
        self.far_host = "10.0.0.1"
        self.fault = fault
        self.error = error or CommandFailed(fault, "-ERR refused")
        self.gone = Signal()
        self.hungup = False
        self.hangup_cause = ""
        self.writes: list[list[str]] = []
        """Every write, as the lines of its commands."""
        self.variables: dict[str, str] = {}
        """Set by us, or by the test for `uuid_getvar`."""
        self.handlers: dict[str, list[Callable[[Event], Any]]] = {}
        self.after: dict[str, Callable[[], Any]] = {}
        """What happens right after a step."""

    @property
    def steps(self) -> list[str]:
        """Commands in the order they were sent."""
        return [line for write in self.writes for line in write]

    def raise_event(self, name: str, **headers: str) -> None:
        """Tell the handlers."""
        for handler in list(self.handlers.get(name, ())):
            handler(event(name, **headers))

    def hang_up(self) -> None:
        """The caller does."""
        self.hungup, self.hangup_cause = True, "NORMAL_CLEARING"
        self.raise_event("CHANNEL_HANGUP")

    def connect(self, timeout_s: float = 5.0) -> ChannelData:
        return self.channel

    def on(self, name: str, handler: Callable[[Event], Any]) -> Callable[[], None]:
        self.handlers.setdefault(name, []).append(handler)
        return lambda: self.handlers[name].remove(handler)

    def pipeline(self, batch: Sequence[Command], timeout_s: float = 5.0) -> list[Reply]:
        if self.gone.is_set():
            raise CallGone("gone")
        self.writes.append([command.lines[0] for command in batch])
        return [self._answer(command) for command in batch]

    def api(
        self, command: str, argument: str = "", timeout_s: float = 5.0, *, check: bool = True
    ) -> str:
        self._step(f"api {command}", f"api {command} {argument}")
        if command == "uuid_getvar":
            return self.variables.get(argument.rsplit(maxsplit=1)[-1], "_undef_")
        return "true" if command == "uuid_exists" else "+OK"

    def execute(self, application: Any, argument: str = "", **_: Any) -> None:
        self.require_call()
        self._step("execute", f"execute {application.value} {argument}".rstrip())

    def answer(self, timeout_s: float = 5.0) -> None:
        self.require_call()
        self.raise_event("CHANNEL_ANSWER", Channel_Read_Codec_Name="PCMU")
        self._step("answer", "answer")

    def hangup(self, cause: Any, timeout_s: float = 5.0) -> None:
        self._step("hangup", "hangup")
        self.hungup, self.hangup_cause = True, str(cause)

    def wait_hangup_complete(self, timeout_s: float = 5.0) -> None:
        self._step("wait_hangup", "wait_hangup")

    def settle(self, timeout_s: float = 1.0) -> None:
        self._do("settle")

    def exit(self, timeout_s: float = 5.0) -> None:
        self.writes.append(["exit"])
        self.close()

    def close(self) -> None:
        self.gone.set()

    def require_call(self) -> None:
        if self.hungup or self.gone.is_set():
            raise CallGone("the call was hung up")

    def _step(self, name: str, line: str) -> None:
        self.writes.append([line])
        self._do(name)

    def _do(self, name: str) -> None:
        if name == self.fault:
            raise self.error
        if name in self.after:
            self.after.pop(name)()

    def _answer(self, command: Command) -> Reply:
        name = command.name
        words = command.lines[0].split(" ", 4)
        if name == self.fault and isinstance(self.error, CommandFailed):
            return Reply(self.error.text)
        self._do(name)
        if name == "api uuid_setvar":
            self.variables[words[3]] = words[4] if len(words) > 4 else ""
        if name == "exit":
            self.close()
        return Reply("+OK")
