"""One call inside the switch: runs the dialplan's actions, the socket's messages and the hang-up.

What FreeSWITCH does in the thread of a session stands here as generators that are resumed once
per 20 ms frame, so the order of things is that of `switch_core_session.c`, `switch_ivr.c` and
`switch_core_state_machine.c` and costs no thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gevent.event import Event as Flag

from bridge.audio.formats import AudioFormat
from esl_controller.simulator.switch import legs
from esl_controller.simulator.switch.action import Action, Message
from esl_controller.simulator.switch.applications import APPLICATIONS
from esl_controller.simulator.switch.channel import Channel
from esl_controller.simulator.switch.control import Control
from esl_controller.simulator.switch.event import Header
from esl_controller.simulator.switch.media import CallEnd, Media

if TYPE_CHECKING:
    from esl_controller.simulator.switch.core import Switch
    from esl_controller.simulator.switch.esl_peer import EslPeer
    from esl_controller.simulator.switch.playback import Playback

Steps = Generator[None, None, None]

# Rounds of `loops` shorter than this end the loop (switch_ivr.c, switch_ivr_parse_event).
_MIN_LOOP_S = 0.5
_CORE = "switch_core_session.c"
_CHANNEL = "switch_channel.c"


class Session:
    """A call as the switch sees it. `tick` is called once per packet by the media clock."""

    def __init__(
        self, switch: Switch, channel: Channel, program: Sequence[Action], end: CallEnd
    ) -> None:
        self.switch = switch
        self.channel = channel
        self.uuid = channel.uuid
        self.end = end
        self.media = Media(self, end)
        self.peer: EslPeer | None = None
        self.prelude: Callable[[Session], Steps] | None = None
        """What a called session does before its dialplan: ring, answer, refuse."""
        self.partner: Session | None = None
        self.messages: deque[Message] = deque()
        self.now = 0.0
        self.hung_up = False
        self.answered = Flag()
        self.ended = Flag()
        """Set when everything about the call is done, CHANNEL_HANGUP_COMPLETE included."""
        self.actions_run: list[Action] = []
        self.last_action = Action("")
        self.digits = ""
        """Digits the caller pressed."""
        self.unreachable = ""
        """Why the application's socket could not be connected; empty when it was."""
        self.dialplan_continued = False
        """The application left a living call and the dialplan went on without it."""
        self.sent_to = ""
        """Destination of the last transfer."""
        self.playbacks: list[Playback] = []
        """Playbacks running, the innermost last."""
        self.broke = False
        """A playback was just ended by a break or a digit."""
        self.control = Control()
        self.parked = False
        """In the park loop, waiting for messages or carrying one out."""
        self._program = deque(program)
        self._locked = False
        self._leaving = False
        self._bridge_to: Session | None = None
        self._ack_due = False
        self._steps = self._run()
        self._running = True

    @property
    def interrupted(self) -> bool:
        """Whether applications must return because the call ended or was transferred."""
        return self.hung_up or self._leaving

    def tick(self, now: float) -> None:
        """One frame: messages and applications first, then the audio."""
        self.now = now
        self._settle_ack()
        if self._running:
            self._running = next(self._steps, self) is not self
            if not self._running:
                self.switch.session_finished(self)
                return
        if not self.hung_up:
            self.media.finish_frame(now)

    # what others do to the session

    def queue(self, message: Message) -> bool:
        """Put a message in the queue; False when the queue is full."""
        if len(self.messages) >= self.switch.quirks.message_queue_limit:
            return False
        self.messages.append(message)
        return True

    def break_playback(self, *, everything: bool) -> None:
        """`uuid_break`: end what plays; with `everything` the queue vanishes without events."""
        if everything:
            self.messages.clear()
        for playback in self.playbacks:
            playback.broken = True

    def transfer(self, destination: str, program: Sequence[Action], context: str = "") -> None:
        """Leave the running applications for another extension; without a context stay in ours.

        What `execute_on_blind_transfer…` holds is executed first (switch_ivr.c,
        switch_ivr_session_transfer); here `set` and `unset` of one variable.
        """
        self.control.move(self.switch.now())
        for name, value in list(self.channel.variables.items()):
            if name.startswith("execute_on_blind_transfer"):
                application, _, argument = value.partition(" ")
                variable, _, wanted = argument.partition("=")
                self.channel.set(variable, wanted if application == "set" else None)
        now_us = self.switch.now_us()
        context = context or self.channel.context
        kind = f"{now_us // 1_000_000}:{self.switch.new_uuid()}:bl_xfer"
        source = f"{kind}:{destination}/{context}/XML"
        self.channel.transfer(destination, context, source, now_us)
        self.sent_to = destination
        self._program = deque(program)
        self._leaving = True

    def replace_program(self, program: Sequence[Action]) -> None:
        """Another dialplan, before the first action has run."""
        self._program = deque(program)

    def bridge_to(self, other: Session) -> None:
        """`uuid_bridge`: leave the running applications and talk to `other`."""
        legs.describe(self, other)
        self._bridge_to = other
        self._leaving = True

    def change_codec(self, codec: AudioFormat, ptime_ms: int) -> None:
        """A re-INVITE, or a phone that sends other packets than it said: `unicast` ends unasked.

        `codec` has the channel's rate: the end of the call goes on with it.
        """
        if codec.rate_hz != self.channel.codec.rate_hz:
            raise ValueError("the phone goes on with its rate")
        self.media.end_unicast()
        self.channel.change_codec(codec, ptime_ms)
        self.media.follow_codec()
        self.end.attach(self)
        self.switch.clock.remove(self.tick)
        self.switch.clock.add(self.tick, ptime_ms)
        name = [("channel-read-codec-name", codec.encoding.value)]
        self.fire("CODEC", ("switch_core_codec.c", "switch_core_session_set_read_codec", 300), name)

    def hang_up(self, cause: str = "NORMAL_CLEARING", *, by_caller: bool = False) -> None:
        """End the call. The first cause counts."""
        if self.hung_up:
            return
        self.hung_up = True
        self._settle_ack()
        if by_caller and not self.answered.is_set() and cause == "NORMAL_CLEARING":
            cause = "ORIGINATOR_CANCEL"
        self.channel.mark_hangup(cause, by_caller=by_caller)
        self.fire("CHANNEL_HANGUP", (_CHANNEL, "switch_channel_perform_hangup", 3447))
        if by_caller:
            self.channel.note_disposition(by_caller=True)
        if self.peer is not None:
            self.peer.session_hung_up()
        if self.partner is not None:
            self.partner.partner_left()

    def partner_left(self) -> None:
        """The other leg of a bridge is gone."""
        self.partner = None

    def receive_dtmf(self, digit: str, duration: int = 1280, source: str = "RTP") -> None:
        """A digit has ended: raise its event; it may stop a playback."""
        extra = [
            ("DTMF-Digit", digit),
            ("DTMF-Duration", str(duration)),
            ("DTMF-Source", source),
        ]
        self.fire("DTMF", (_CHANNEL, "switch_channel_dequeue_dtmf", 678), extra, brief=True)
        self.digits += digit
        terminators = self.channel.get("playback_terminators") or "*"
        if self.playbacks and terminators != "none" and digit in terminators:
            self.playbacks[-1].broken = True
            self.channel.set("playback_terminator_used", digit)

    # what applications use

    def fire(
        self,
        name: str,
        source: tuple[str, str, int],
        extra: Sequence[Header] = (),
        *,
        brief: bool = False,
        body: bytes = b"",
        subclass: str = "",
    ) -> None:
        """Raise an event about this channel, if anybody listens."""
        switch = self.switch
        if not switch.wanted(name, subclass, self.uuid):
            return
        switch.fire(
            self.channel.event(
                switch.origin,
                name,
                source,
                switch.now_us(),
                list(extra),
                brief=brief,
                body=body,
                subclass=subclass,
            )
        )

    def start_media(self) -> None:
        """Early media, once: CHANNEL_PROGRESS_MEDIA."""
        if self.channel.has_media:
            return
        self.channel.mark_media(self.switch.now_us())
        self.media.start()
        function = "switch_channel_perform_mark_pre_answered"
        self.fire("CHANNEL_PROGRESS_MEDIA", (_CHANNEL, function, 3562))
        self.channel.settle_media()

    def answer(self) -> None:
        """Answer, once: CHANNEL_ANSWER."""
        if self.answered.is_set():
            return
        self.start_media()
        self.channel.mark_answered(self.switch.now_us())
        function = "switch_channel_perform_mark_answered"
        self.fire("CHANNEL_ANSWER", (_CHANNEL, function, 3848))
        self.channel.settle_answer()
        self._ack_due = True
        self.answered.set()
        self.end.on_answered(self.now)

    def execute(self, action: Action, app_uuid: str = "") -> Steps:
        """Run one application between its CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE."""
        application = APPLICATIONS.get(action.application)
        if application is None:
            self.channel.set("app_uuid", app_uuid)
            self.hang_up("DESTINATION_OUT_OF_ORDER")
            return
        channel = self.channel
        if "${" in action.data:
            action = replace(action, data=self.switch.expand(action.data, channel))
        channel.set("current_application_response", None)
        channel.set("current_application_data", action.data)
        channel.set("current_application", action.application)
        fields = [("Application", action.application)]
        if action.data:
            fields.append(("Application-Data", action.data))
        identity = ("Application-UUID", app_uuid or self.switch.new_uuid())
        source = "switch_core_session_exec"
        self.fire("CHANNEL_EXECUTE", (_CORE, source, 2949), [*fields, identity])
        self.last_action = action
        yield from application(self, action.data)
        response = channel.get("current_application_response") or "_none_"
        extra = [*fields, ("Application-Response", response), identity]
        self.fire("CHANNEL_EXECUTE_COMPLETE", (_CORE, source, 2972), extra)

    def parse_messages(self) -> Steps:
        """Carry out queued messages, unless a locked application is running."""
        while self.messages and not self._locked and not self.interrupted:
            message = self.messages.popleft()
            if message.command == "execute":
                yield from self._execute_message(message)
            elif message.command == "hangup":
                cause = dict(message.fields).get("hangup-cause", "NORMAL_CLEARING")
                self.hang_up(cause)
            elif message.command == "unicast":
                self.media.start_unicast(dict(message.fields))

    def park(self, application: EslPeer | None = None) -> Steps:
        """Wait for messages until interrupted; in the heart of `socket`, until nobody controls
        the channel any more and the queue is empty."""
        inner, self.parked = self.parked, True
        self.control.park(alone=application is not None and application.gone)
        if not inner:
            self.media.renew_unicast()
        self.fire("CHANNEL_PARK", ("switch_ivr.c", "switch_ivr_park", 1002))
        while not self.interrupted:
            if application is not None and not self.control.held and not self.messages:
                break
            yield
            self.media.read_idle_silence()
            yield from self.parse_messages()
            self.media.idle()
        self.parked = inner
        self.media.end_unicast()
        if not inner:
            self.media.idle_silence = None
        self.fire("CHANNEL_UNPARK", ("switch_ivr.c", "switch_ivr_park", 1213))

    def set_response(self, response: str) -> None:
        """What `Application-Response` says of the application that ends now."""
        self.channel.set("current_application_response", response)

    # inner course

    def _execute_message(self, message: Message) -> Steps:
        self._locked = message.lock
        for _ in range(message.lead_frames):
            yield
            if self.interrupted:
                break
        action = Action(message.application, message.data)
        for loop in range(message.loops):
            if self.interrupted:
                break
            began = self.now
            self.channel.set("current_loop", str(loop + 1))
            self.channel.set("total_loops", str(message.loops))
            yield from self.execute(action, message.event_uuid)
            self.channel.set("current_loop", None)
            self.channel.set("total_loops", None)
            if self.now - began < _MIN_LOOP_S:
                break
        self._locked = False
        if self.broke:
            # A broken playback gives its frame away before the next message runs.
            self.broke = False
            yield

    def _run(self) -> Steps:
        if self.prelude is not None:
            yield from self.prelude(self)
        while not self.hung_up:
            if self._leaving:
                self._leaving = False
                if self._bridge_to is not None:
                    other, self._bridge_to = self._bridge_to, None
                    yield from legs.talk(self, other)
                    continue
                self.enter("CS_ROUTING", call_state="RINGING")
                if not self._program:
                    self.hang_up("NO_ROUTE_DESTINATION")
                    break
                self.enter("CS_EXECUTE", call_state="ACTIVE")
            if not self._program:
                self.hang_up("NORMAL_CLEARING")
                break
            action = self._program.popleft()
            self.actions_run.append(action)
            yield from self.execute(action)
        yield from self._finish()

    def enter(self, state: str, call_state: str = "") -> None:
        """Go on in another state of the core."""
        self.channel.enter(state)
        if call_state:
            self.channel.call_state = call_state
        function = "switch_channel_perform_set_running_state"
        self.fire("CHANNEL_STATE", (_CHANNEL, function, 2409), brief=True)

    def _settle_ack(self) -> None:
        if self._ack_due:
            self._ack_due = False
            self.channel.settle_ack()

    def _note_last_action(self) -> None:
        for name, value in (
            ("digits_dialed", self.digits or "none"),
            ("last_app", self.last_action.application),
            ("last_arg", self.last_action.data),
        ):
            self.channel.set(name, value)

    def _finish(self) -> Steps:
        """Hang-up state, reporting state; streams may hold it up."""
        if self.channel.get("sip_hangup_disposition") is None:
            self.channel.note_disposition(by_caller=False)
        self.end.on_ended(self.now, self.channel.hangup_cause)
        self.enter("CS_HANGUP")
        self.media.close()
        while self.media.closing:
            yield
        media = self.media
        self._note_last_action()
        self.channel.report(self.switch.now_us(), media.frames_in, media.frames_out)
        self.enter("CS_REPORTING")
        source = ("switch_core_state_machine.c", "switch_core_session_reporting_state", 943)
        self.fire("CHANNEL_HANGUP_COMPLETE", source)
