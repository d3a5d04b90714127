"""One channel that FreeSWITCH's `socket` gave into our hands, and every way of letting go of it.

A leg is the caller's, or that of somebody we dial: it knows nothing of conversations. Two
outbound sockets must not overlap on one channel: the end of the older one clears CF_CONTROLLED
(mod_event_socket.c, listener_run), which ends the park loop of the newer (switch_ivr.c,
switch_ivr_park). So whatever sends the channel on goes out in one write with our `exit`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

from gevent.event import Event as Signal
from gevent.queue import Empty, Queue

from bridge.session.media_plan import Leg as LegCodec
from esl_controller.calls.leg_codec import answered_leg, has_idle_silence, moved_on, offered_leg
from esl_controller.calls.leg_events import LegEvents, Media, TakenAway
from esl_controller.calls.offered_hold import SDP, holds
from esl_controller.esl import commands
from esl_controller.esl.applications import Application
from esl_controller.esl.causes import HangupCause
from esl_controller.esl.commands import Command
from esl_controller.esl.dialable import KEYS, NotDialable, require_dialable
from esl_controller.esl.errors import CallGone, CommandFailed, EslError
from esl_controller.esl.events import DTMF_DIGITS, ChannelData, Event, Reply
from esl_controller.esl.session import ControllerSession
from esl_controller.telemetry.log import call_logger

OUTCOME = "voice_ai_outcome"
"""What the dialplan behind `socket` finds; unset when nothing was to be told."""
STREAM_EVENTS = (
    "mod_audio_stream::connect",
    "mod_audio_stream::disconnect",
    "mod_audio_stream::error",
    "mod_audio_stream::play",
)
REINVITE = "sofia::reinvite"
"""Raised for each re-INVITE that was taken (mod_sofia, sofia.c)."""
COMMAND_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
HANGUP_COMPLETE_S = 2.5
"""With a stream running CHANNEL_HANGUP_COMPLETE is up to a second late (observed)."""
LOOK_AROUND_S = 0.1
"""For what runs on a channel that was taken: events are up to 20 ms late."""
ANOTHER_SOCKET_S = 4 * 3600.0
"""Longest that a second socket on the channel is waited for: as long as a call may be."""
DEFAULT_RINGBACK = "%(2000,4000,440,480)"
_CLEARED_BY_TRANSFER = "execute_on_blind_transfer_voice_ai"
"""FreeSWITCH executes each variable of this prefix in the act of transferring, and only when it
does transfer (switch_ivr.c, switch_ivr_session_transfer; switch_channel.c,
switch_channel_execute_on)."""
RETURNING = "voice_ai_returning"
"""Set while a caller talks with a human: the transfer he comes back from."""
CONVERSATION = "voice_ai_return_conversation"
"""The conversation he comes back to."""
SO_FAR = "voice_ai_conversation"
"""The conversation that whoever the caller is given back to may go on with."""
STALE = (
    OUTCOME,
    "voice_ai_extension",
    _CLEARED_BY_TRANSFER,
    RETURNING,
    CONVERSATION,
    SO_FAR,
    "transfer_after_bridge",
)
"""Left by an earlier pass of the same channel through a dialplan."""


class Leg:
    """One channel under our control, until it is hung up, handed over or taken."""

    def __init__(self, esl: ControllerSession) -> None:
        self.esl = esl
        self.channel: ChannelData = esl.connect(COMMAND_TIMEOUT_S)
        self.uuid = self.channel.uuid
        self.codec: LegCodec = offered_leg(self.channel)
        self.taken = moved_on(self.channel)
        """What took the channel from us; empty while it is ours."""
        self.conversation_uuid = ""
        """Of a conversation that somebody else may go on with: told with the channel."""
        self.left = False
        """We have said `exit`: nothing can be asked of the channel any more."""
        self._joining = False
        """We bridge it ourselves: that it leaves our park means nothing."""
        self.before_parting: list[Callable[[], Sequence[Command]]] = []
        """What else is to be told to FreeSWITCH in the moment of `part`."""
        self._media: Media | None = None
        self._removals: list[Callable[[], None]] = []
        self._another = False
        self._free = Signal()
        """Hung up, lost, or another socket that had it has ended."""
        self._log = call_logger()

    # --- what it is ---------------------------------------------------------------------------

    @property
    def lacks(self) -> str:
        """What the dialplan's `socket` would need for us to serve the channel; empty: nothing."""
        wanted = {"async": self.channel.asynchronous, "full": self.channel.full_control}
        return " ".join(word for word, there in wanted.items() if not there)

    @property
    def answered(self) -> bool:
        """Answered before it came to us."""
        return self.channel.get("Answer-State") == "answered"

    @property
    def has_idle_silence(self) -> bool:
        """It sends silence while nothing plays, or can still be told to."""
        return has_idle_silence(self.channel)

    @property
    def begins_on_hold(self) -> bool:
        """The far end does not want to hear us yet; FreeSWITCH tells of later holds only."""
        return holds(self.channel.variable(SDP))

    def held(self) -> bool:
        """What the far end wants now, asked of FreeSWITCH."""
        return holds(self.esl.api("uuid_getvar", f"{self.uuid} {SDP}", COMMAND_TIMEOUT_S))

    @property
    def hangup_cause(self) -> str:
        """FreeSWITCH's; empty while it lives."""
        return self.esl.hangup_cause

    @property
    def hungup(self) -> bool:
        """FreeSWITCH said so; not set when only the Event Socket ended."""
        return self.esl.hungup

    def require(self) -> None:
        """Raises CallGone when it was hung up or the Event Socket ended, TakenAway when it is
        somebody else's."""
        self.esl.require_call()
        if self.taken:
            raise TakenAway(self.taken)

    def is_alive(self) -> bool:
        """Asked of FreeSWITCH: a hang-up is told at its next look at events only."""
        return self.esl.api("uuid_exists", self.uuid, COMMAND_TIMEOUT_S).strip() == "true"

    # --- following it -------------------------------------------------------------------------

    def watch(self, events: LegEvents) -> None:
        """Subscribe, tell `events` from now on, and clear what an earlier pass has left.

        The dialplan's guard against a worker that hangs is called off: this one does not.
        """

        def lost(_: object) -> None:
            self._free.set()
            events.on_lost()

        self._handle("CHANNEL_HANGUP", lost)
        self.esl.gone.rawlink(lost)
        self._removals.append(lambda: self.esl.gone.unlink(lost))
        self._handle("DTMF", lambda event: self._on_dtmf(events, event))
        self._handle("CHANNEL_HOLD", lambda _: events.on_hold(True))
        self._handle("CHANNEL_UNHOLD", lambda _: events.on_hold(False))
        for name in ("CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_BRIDGE"):
            self._handle(name, lambda event: self._on_moved(events, event))
        self._handle("CHANNEL_EXECUTE", self._on_execute)
        if self.begins_on_hold:
            self._handle(REINVITE, lambda _: events.on_reoffer())
        guard = commands.api("sched_del", f"voice_ai_{self.uuid}")
        named = ("BACKGROUND_JOB", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CODEC")
        stale = [self._set(name, "") for name in STALE if self.channel.variable(name)]
        batch = [commands.linger(), commands.myevents()]
        self._pipeline(
            [*batch, commands.event_plain(named, (*STREAM_EVENTS, REINVITE)), guard, *stale]
        )

    def _handle(self, name: str, handler: Callable[[Event], None]) -> None:
        self._removals.append(self.esl.on(name, handler))

    def _on_dtmf(self, events: LegEvents, event: Event) -> None:
        """Flash and wait (F, f, W, w) are digits to FreeSWITCH (switch_utils.h, is_dtmf)."""
        if event.get("DTMF-Digit") in DTMF_DIGITS:
            events.on_digit(event.dtmf_digit)

    def _on_moved(self, events: LegEvents, event: Event) -> None:
        """Out of our park loop, and not hung up: `uuid_transfer`, `uuid_bridge` or `uuid_park` of
        somebody else. Each raises CHANNEL_UNPARK, then the end of `socket`."""
        if event.unique_id != self.uuid or self.hungup or self.left or self._joining:
            return
        if event.name == "CHANNEL_EXECUTE_COMPLETE" and event.application != "socket":
            return
        if self.taken:
            if event.name == "CHANNEL_EXECUTE_COMPLETE" and self._another:
                self._free.set()
            return
        self.taken = f"moved by FreeSWITCH ({event.name})"
        events.on_lost()

    def _on_execute(self, event: Event) -> None:
        if self.taken and event.unique_id == self.uuid and event.application == "socket":
            self._another = True

    # --- using it -----------------------------------------------------------------------------

    def use_media(self, media: Media) -> None:
        """Make `media` the leg's; what it had before is closed."""
        self.close_media()
        self._media = media

    def join(self, other: Leg, variables: Mapping[str, str]) -> None:
        """Have the two talk with each other. `part` follows, for both, at once.

        `variables` are set on this channel before. Until `part` nobody else's socket may be on
        either channel; FreeSWITCH keeps both connections open, so a refusal leaves both with us.

        Raises:
            CommandFailed: refused, and nothing has changed.
            EslError: this call is gone, or nothing is known.
        """
        bridge = commands.api("uuid_bridge", f"{self.uuid} {other.uuid}")
        self._joining = other._joining = True
        batch = [self._set(name, value) for name, value in variables.items()]
        answer = self._pipeline([*batch, bridge])[-1].text.strip()
        if not answer.startswith("+OK"):
            self._joining = other._joining = False
            self._pipeline([self._set(name, "") for name in variables] or [commands.linger()])
            raise CommandFailed(bridge.name, answer)

    def enter(self, room: str, variables: Mapping[str, str], after: str = "") -> None:
        """Leave it in a conference that ends for all when it hangs up or is left alone, in one
        write.

        Args:
            after: `extension XML context` where it goes on when the conference ends; empty: it is
                hung up then.

        Raises:
            CommandFailed: refused; the dialplan behind `socket` has it.
            EslError: the call is gone, or nothing is known.
        """
        actions = [f"conference:{room}@default+flags{{endconf|mintwo}}"]
        if after:  # else the end of a conference hangs its members up (mod_conference.c)
            actions.append(f"transfer:{after}")
            variables = {**variables, "hangup_after_conference": "false"}
        command = commands.api("uuid_transfer", f"{self.uuid} '{','.join(actions)}' inline")
        batch = [self._set(name, value) for name, value in variables.items()]
        batch += [] if self._media is None else self._media.last_commands()
        self._joining = self.left = True
        answer = self._pipeline([*batch, command, commands.exit_()])[-2].text.strip()
        if not answer.startswith("+OK"):
            raise CommandFailed(command.name, answer)

    def part(self) -> None:
        """Leave a channel that talks with somebody else: nothing of it reaches us any more."""
        last = [] if self._media is None else list(self._media.last_commands())
        last += [command for last_commands in self.before_parting for command in last_commands()]
        self.left = True
        with contextlib.suppress(EslError):
            self._pipeline([*last, commands.exit_()])

    def stop_media(self) -> None:
        """Have FreeSWITCH stop what it runs for us, so that others can have the channel.

        A stop that it does not confirm keeps nobody from sending the caller on. Raises CallGone.
        """
        try:
            if self._media is not None:
                self._media.stop()
        except CallGone:
            raise
        except EslError as error:
            self._log.warning("call.media_not_stopped", error=str(error))

    def close_media(self) -> None:
        """Let go of the media there are."""
        media, self._media = self._media, None
        if media is not None:
            media.close()

    def answer(self) -> LegCodec:
        """Answer if need be; the channel then has media, and its codec is known.

        Raises CallGone.
        """
        if not self.answered:
            self.codec = answered_leg(self._answer_and_see(), self.codec)
        return self.codec

    def _answer_and_see(self) -> Event:
        seen: Queue[Event] = Queue()
        stop = self.esl.on("CHANNEL_ANSWER", seen.put_nowait)
        try:
            self.esl.answer(ANSWER_TIMEOUT_S)
            return seen.get(timeout=COMMAND_TIMEOUT_S)
        except Empty:
            raise CallGone("answered, but never said so") from None
        finally:
            stop()

    def send_dtmf(self, digits: str) -> bool:
        """Press keys towards the far end; False where FreeSWITCH refuses (mod_commands.c)."""
        if not KEYS.fullmatch(digits):
            raise NotDialable("no keys of a telephone")
        answer = self.esl.api("uuid_send_dtmf", f"{self.uuid} {digits}", COMMAND_TIMEOUT_S)
        return answer.startswith("+OK")

    # --- letting go of it ---------------------------------------------------------------------

    def hang_up(self) -> None:
        """End the call."""
        self.esl.hangup(HangupCause.NORMAL_CLEARING, COMMAND_TIMEOUT_S)

    def wait_for_hangup(self) -> None:
        """Until FreeSWITCH is done with the channel, so that its cause is known."""
        try:
            self.esl.wait_hangup_complete(HANGUP_COMPLETE_S)
        except EslError as error:
            self._log.info("call.hangup_not_seen", error=str(error))

    def give_back(self, outcome: str) -> None:
        """Let the dialplan go on behind `socket`, told `outcome`. `leave` follows.

        Without `full` there is no `api`; `sendmsg` is always allowed (mod_event_socket.c).
        """
        if self.lacks:
            assignment = commands.assignment(OUTCOME, outcome)
            self._pipeline([commands.execute(Application.SET, assignment)])
        else:
            self._pipeline([*self._so_far(), self._set(OUTCOME, outcome)])

    def hand_over(
        self,
        extension: str,
        context: str,
        *,
        refused: str,
        told: str = "",
        ringback: str = DEFAULT_RINGBACK,
    ) -> None:
        """Send the channel to `extension` of a dialplan context and leave it, in one write.

        Args:
            refused: `voice_ai_outcome` for the dialplan behind `socket`, which goes on should
                FreeSWITCH not take the transfer. It is set before, for after `exit` it is too late.
            told: `voice_ai_outcome` that the destination finds; empty takes it away.
            ringback: tone the caller hears while the destination rings, where the dialplan has set
                none (`transfer_ringback`, switch_ivr_originate.c).

        Raises:
            NotDialable: nothing was sent.
            CommandFailed: refused; the dialplan goes on.
            EslError: the call is gone, or nothing is known.
        """
        require_dialable(extension, context)
        self.esl.settle()
        batch = [*self._so_far(), self._set(OUTCOME, refused)]
        if told != refused:
            clear = f"set {OUTCOME}={told}" if told else f"unset {OUTCOME}"
            batch.append(self._set(_CLEARED_BY_TRANSFER, clear))
        if ringback and not self.channel.variable("transfer_ringback"):
            batch.append(self._set("transfer_ringback", ringback))
        transfer = commands.api("uuid_transfer", f"{self.uuid} {extension} XML {context}")
        self.left = True
        replies = self._pipeline([*batch, transfer, commands.exit_()])
        answer = replies[-2].text.strip()
        if not answer.startswith("+OK"):
            raise CommandFailed(transfer.name, answer)

    def leave(self) -> None:
        """Say `exit` if that is still to be said, and close. Idempotent."""
        # Our end would end a newer socket's park: see the top of this module.
        if self.taken and not self._free.wait(LOOK_AROUND_S) and self._another:
            self._free.wait(ANOTHER_SOCKET_S)
        self.close()
        if not self.channel.full_control:
            with contextlib.suppress(EslError):
                self.esl.settle()
            self.esl.close()
        elif self.left:
            self.esl.gone.wait(COMMAND_TIMEOUT_S)
            self.esl.close()
        else:
            self.left = True
            self.esl.exit(COMMAND_TIMEOUT_S)

    def close(self) -> None:
        """Follow the channel no more."""
        while self._removals:
            self._removals.pop()()

    def _so_far(self) -> list[Command]:
        known = self.conversation_uuid
        return [self._set(SO_FAR, known)] if known else []

    def _pipeline(self, batch: Sequence[Command]) -> list[Reply]:
        return self.esl.pipeline(batch, COMMAND_TIMEOUT_S)

    def _set(self, name: str, value: str) -> Command:
        return commands.api("uuid_setvar", f"{self.uuid} {name} {value}".rstrip())
