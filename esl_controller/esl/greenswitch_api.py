"""greenswitch's own method names, on our session: code written for it runs, and never hangs.

Where greenswitch waits without limit these have a deadline; where it raises one of two exceptions
for a lost call, or a `gevent.Timeout`, they raise `CallGone` or `CommandTimeout`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import arguments, commands
from .applications import Application
from .dispatcher import Handler
from .errors import LocalProtocolError
from .events import ChannelData, Event, Reply
from .peer import DEFAULT_TIMEOUT_S, EventSocketPeer
from .pending import PendingExecute

BLOCKING_TIMEOUT_S: Final = 30.0
"""For applications that play, ask or bridge and are waited for without a limit of their own."""


class GreenswitchApi(EventSocketPeer):
    """What greenswitch's `OutboundSession` offers beside the methods of `ControllerSession`."""

    channel: ChannelData | None
    execute: Callable[..., PendingExecute]
    exit: Callable[..., None]
    require_call: Callable[[], None]

    def __init__(self) -> None:
        super().__init__()
        self._removals: dict[tuple[str, Handler], Callable[[], None]] = {}

    @property
    def uuid(self) -> str:
        """The channel's Unique-ID; empty before `connect`."""
        return self.channel.uuid if self.channel is not None else ""

    @property
    def session_data(self) -> ChannelData | None:
        """The channel data; None before `connect`."""
        return self.channel

    def register_handle(self, name: str, handler: Handler) -> None:
        """Register `handler`, once, for an event name, a CUSTOM subclass or ``*``."""
        if (name, handler) not in self._removals:
            self._removals[name, handler] = self.on(name, handler)

    def unregister_handle(self, name: str, handler: Handler) -> None:
        """Undo `register_handle`. Raise `ValueError` if it is not registered."""
        remove = self._removals.pop((name, handler), None)
        if remove is None:
            raise ValueError(f"no such handler for {name}")
        remove()

    def call_command(
        self,
        app_name: str,
        app_args: str | None = None,
        block: bool = False,
        response_timeout: float | None = None,
    ) -> Event | PendingExecute:
        """Execute an application, not locked; with `block` return its completion event."""
        application = arguments.application(app_name)
        pending = self.execute(application, app_args or "", event_lock=False)
        if not block:
            return pending
        return pending.wait(BLOCKING_TIMEOUT_S if response_timeout is None else response_timeout)

    def playback(self, path: str, block: bool = True) -> Event | PendingExecute:
        """Play a file; with `block` until it has ended."""
        return self.call_command(Application.PLAYBACK, path, block)

    def say(
        self,
        module_name: str = "en",
        lang: str | None = None,
        say_type: str = "NUMBER",
        say_method: str = "pronounced",
        gender: str = "FEMININE",
        text: str | None = None,
        block: bool = True,
        response_timeout: float = BLOCKING_TIMEOUT_S,
    ) -> Event | PendingExecute:
        """Say `text` with FreeSWITCH's phrase files."""
        module = f"{module_name}:{lang}" if lang else module_name
        words = f"{module} {say_type} {say_method} {gender} {text}"
        return self.call_command(Application.SAY, words, block, response_timeout)

    def play_and_get_digits(
        self,
        *values: Any,
        variable: str | None = None,
        block: bool = True,
        response_timeout: float = BLOCKING_TIMEOUT_S,
        **named: Any,
    ) -> str | None:
        """Ask for digits; return them, None if none came. Arguments as greenswitch names them."""
        words = " ".join(_digit_arguments(values, {**named, "variable": variable}))
        done = self.call_command(Application.PLAY_AND_GET_DIGITS, words, block, response_timeout)
        if isinstance(done, Event) and variable:
            return done.variable(variable) or None
        return None

    def linger(self, timeout: int | None = None) -> Reply:
        """Keep the socket open after the hang-up."""
        return self.send(commands.linger(timeout)).require_ok("linger")

    def myevents(self) -> Reply:
        """Subscribe to the events of this call."""
        return self.send(commands.myevents()).require_ok("myevents")

    def uuid_break(self) -> None:
        """Stop what plays. Raise `CallGone` after the hang-up."""
        self.require_call()
        self.api("uuid_break", self.uuid)

    def raise_if_disconnected(self) -> None:
        """Raise `CallGone` if the call was hung up or the connection lost."""
        self.require_call()

    def stop(self) -> None:
        """Say `exit` and close, within `DEFAULT_TIMEOUT_S`."""
        self.exit(DEFAULT_TIMEOUT_S)


_DIGIT_ARGUMENTS: Final = (
    "min_digits",
    "max_digits",
    "max_attempts",
    "timeout",
    "terminators",
    "prompt_file",
    "error_file",
    "variable",
    "digits_regex",
    "digit_timeout",
    "transfer_on_fail",
)


def _digit_arguments(values: tuple[Any, ...], named: dict[str, Any]) -> list[str]:
    given = {**named, **dict(zip(_DIGIT_ARGUMENTS, values, strict=False))}
    if unknown := given.keys() - set(_DIGIT_ARGUMENTS):
        raise LocalProtocolError(f"play_and_get_digits has no argument {sorted(unknown)[0]}")
    return [str(given.get(name)) for name in _DIGIT_ARGUMENTS]
