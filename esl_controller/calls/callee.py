"""The far end of a call we make: the agent speaks to people, leaves messages to machines, waits
through music.

It hears what the agent hears. Everything here runs on the hub and does not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import gevent
from gevent import Greenlet

from bridge.ports import EndCause, Utterance
from bridge.providers.conversation import Speaker
from bridge.session.session import Session
from esl_controller.outbound.detector import Answer, AnswerDetector, Event
from esl_controller.record.conversation import ConversationRecord

LOOK_S = 0.2
SCREENED = (
    "A machine asks on behalf of who is called who calls and why. Say in one short sentence who "
    "you are and why you call. Then wait in silence for a person."
)
PICKED_UP = "Somebody has picked up after a hold. Greet them and say why you call, briefly."
SILENT = "The call was answered and nobody speaks. Begin now."


class Callee:
    """Who or what has answered, and what is done about it."""

    def __init__(
        self,
        session: Session,
        record: ConversationRecord,
        message: str,
        clock: Callable[[], float],
    ) -> None:
        self._session = session
        self._record = record
        self._message = message
        self._clock = clock
        self._detector: AnswerDetector | None = None
        self._due = False
        self._looking: Greenlet[..., None] | None = None
        session.line.on_heard = self._hear
        self._acts: Mapping[Event, Callable[[], None]] = {
            Event.HUMAN: self._human,
            Event.MACHINE: self._machine,
            Event.LEAVE_MESSAGE: self._leave_message,
            Event.SCREENING: self._screening,
            Event.MUSIC: self._music,
            Event.PICKED_UP: self._picked_up,
            Event.SILENT: self._silent,
            Event.GIVE_UP: self._give_up,
        }

    def begin(self) -> None:
        """It was answered."""
        self._looking = gevent.spawn(self._look)

    def close(self) -> None:
        """The conversation is over."""
        if self._looking is not None:
            self._looking.kill(block=False)
        self._session.line.on_heard = None

    def uttered(self, utterance: Utterance) -> None:
        """Words were written down."""
        if utterance.speaker is Speaker.CALLER and self._detector is not None:
            self._do(self._detector.said(utterance.text, self._clock()))

    def leave(self, message: str) -> None:
        """The model has heard a machine, and wants this left on it."""
        self._message = message
        if self._due:
            self._leave_message()
        elif self._detector is not None:
            self._do(self._detector.is_machine(self._clock()))

    def _hear(self, data: bytes) -> None:
        """The hot path."""
        stream = self._session.line.uplink.stream
        if stream is None or self._session.closing:
            return
        now = self._clock()
        if self._detector is None:
            self._detector = AnswerDetector(stream.rate_hz, now)
        self._do(self._detector.hear(data, now))

    def _look(self) -> None:
        while not self._session.ended:
            gevent.sleep(LOOK_S)
            if self._detector is not None:
                self._do(self._detector.handle_timeout(self._clock()))

    def _do(self, events: list[Event]) -> None:
        for event in events:
            if not (self._session.closing or self._session.ended):
                self._acts[event]()

    # --- what is done -----------------------------------------------------------------------------

    def _human(self) -> None:
        """The model answers a person's first words by itself."""
        self._record.answered_by(Answer.HUMAN.value)

    def _silent(self) -> None:
        self._record.answered_by(Answer.UNKNOWN.value)
        self._session.tell(SILENT, respond=True)

    def _screening(self) -> None:
        self._record.answered_by(Answer.SCREENING.value)
        self._session.tell(SCREENED, respond=True)

    def _machine(self) -> None:
        """Nothing more is said to it, or heard of it, until it records."""
        self._record.answered_by(Answer.MACHINE.value)
        self._session.hold()
        if not self._message:
            self._session.finish(EndCause.FINISHED)

    def _leave_message(self) -> None:
        self._due = True
        self._session.finish(EndCause.FINISHED, self._message)

    def _give_up(self) -> None:
        self._session.finish(EndCause.FINISHED)

    def _music(self) -> None:
        """Silence costs nothing, and nobody is asked whether he is still there."""
        self._session.hold()

    def _picked_up(self) -> None:
        self._record.answered_by(Answer.HUMAN.value)
        self._session.resume()
        self._session.tell(PICKED_UP, respond=True)
