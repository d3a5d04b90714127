"""The recording of one call: FreeSWITCH makes it, and is told when not to listen.

`uuid_record … mask` writes silence for both sides and keeps the time (mod_commands.c,
uuid_record_function; switch_ivr_async.c, switch_ivr_record_session_mask), so a recording is as long
as the call from its first frame on, and the offset of a turn is a difference of two times.

FreeSWITCH is asked in the call's own greenlet. What was said in a pause is withheld from the record
from the moment the pause is wanted, not from FreeSWITCH's answer.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import gevent
from gevent import Greenlet

from bridge.ports import Utterance
from bridge.providers.conversation import Speaker
from esl_controller.calls.leg import Leg
from esl_controller.calls.notice import (
    REFUSAL_DIGIT,
    Heard,
    NoticeWatch,
    names_any,
    notice_of,
    pause_words_of,
)
from esl_controller.calls.recording_plan import (
    RECORDING_TABLE,
    Change,
    RecordingFile,
    State,
    file_of,
)
from esl_controller.database.models import RouteEntry
from esl_controller.esl import commands
from esl_controller.esl.errors import EslError
from esl_controller.record.conversation import ConversationRecord
from esl_controller.record.recordings import Recordings, Stored
from esl_controller.telemetry.background import in_thread
from esl_controller.telemetry.log import call_logger
from esl_controller.tools.base import Recording

LOOK_S = 0.2
"""Between two looks whether the agent has fallen silent."""
REFUSAL_S = 15.0
"""A caller who was asked and says nothing is recorded after this."""
PAUSE_S = 120.0
"""A pause that nobody ends is over: one forgotten would cost the rest of the call."""
DIGITS_PAUSE_S = 20.0
"""The same after the last key pressed, where keys began it."""
MANY_DIGITS = 4
"""Keys in a row that may be a card's number or a password."""
DIGIT_GAP_S = 10.0
COMMAND_S = 2.0
REFUSED = "refused"
NOT_HEARD = "not_heard"
BY_CALLER = ("agent", "caller")
"""Who stops a recording because the caller does not agree; others just stop it."""
CONSENT = "voice_ai_recording"
"""Channel variable: the same word as the conversation's `recording_consent`."""


class Talk(Protocol):
    """What of a session the recording must know."""

    @property
    def agent_speaking(self) -> bool:
        """Something is still to be heard."""

    def tell(self, text: str, *, respond: bool) -> None:
        """Tell the model."""


class Recorder:
    """The recording of one conversation. Everything may be called on the hub; `post` runs what
    waits in the call's greenlet."""

    def __init__(
        self,
        leg: Leg,
        entry: RouteEntry,
        talk: Talk,
        record: ConversationRecord,
        directory: str,
        *,
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        self.state = RECORDING_TABLE.initial
        self._leg = leg
        self._entry = entry
        self._secretary = entry.secretary
        self._talk = talk
        self._record = record
        self._directory = directory
        self._post = post
        self._clock = clock
        self._file: RecordingFile | None = None
        self._notice = NoticeWatch(notice_of(entry.secretary))
        self._pause_words = pause_words_of(entry.secretary)
        self._answered = self._refused = False
        """The caller has said something since the notice was heard."""
        self._heard_at: float | None = None
        self._digits = 0
        self._last_digit = 0.0
        self._pause_until: float | None = None
        self._watching: Greenlet[..., None] | None = None
        self._log = call_logger()

    # --- what the call does -----------------------------------------------------------------------

    def begin(self) -> None:
        """The line is open: record it, if this secretary's calls are. May wait."""
        if self._secretary.record_calls and not self._refused and self._known != REFUSED:
            self._start()

    def close(self) -> None:
        """The conversation is over: what follows is not ours to record. May wait."""
        if self._watching is not None:
            self._watching.kill(block=False)
            self._watching = None
        if self.state in (State.OFF, State.OVER):
            return
        if self._file is not None and not (self._file.adopted or self._leg.left):
            self._ask("stop")
        untold = self.state is State.UNTOLD
        self._step(Change.STOP)
        if untold:
            self._remove(NOT_HEARD)

    def _last_commands(self) -> list[commands.Command]:
        """Who talks with a human is not ours to record."""
        file = self._file
        if file is None or file.adopted or self.state in (State.OFF, State.OVER):
            return []
        return [commands.api("uuid_record", f"{self._leg.uuid} stop {file.whole}")]

    def want(self, wanted: Recording, by: str) -> bool:
        """A function, a person or a rule of ours wants this; `by` is who, for the audit.

        False when there is nothing it could be done to.
        """
        if self.state is State.OFF and wanted is Recording.STOP and self._secretary.record_calls:
            self._refuse(by)  # before it has begun
            return True
        if wanted is Recording.GO_ON and self._record.withheld.now:
            self._go_on(by)
            return True
        if self.state is State.OVER or (self.state is State.OFF) is not (wanted is Recording.START):
            return False
        if wanted is Recording.PAUSE:
            self._pause(by, PAUSE_S)
        elif wanted is Recording.GO_ON:
            self._go_on(by)
        elif wanted is Recording.STOP:
            self._refuse(by)
        else:
            self._post(partial(self._start_wanted, by))
        return True

    # --- what is said -----------------------------------------------------------------------------

    def uttered(self, utterance: Utterance) -> None:
        """Something was said; the record has it already."""
        if self.state in (State.OFF, State.OVER):
            return
        if utterance.speaker is Speaker.AGENT:
            self._notice.said(utterance.item_id, utterance.text, interrupted=utterance.interrupted)
        elif self._heard_at is not None:
            self._answered = True
        if self.state is State.ON and names_any(utterance.text, self._pause_words):
            self._pause("keyword", PAUSE_S)

    def pressed(self, digit: str) -> bool:
        """The caller pressed a key; True when it was meant for us."""
        now = self._clock()
        if digit == REFUSAL_DIGIT and self._may_refuse(now):
            self._refuse("caller")
            return True
        self._digits = self._digits + 1 if now - self._last_digit < DIGIT_GAP_S else 1
        self._last_digit = now
        if self._digits >= MANY_DIGITS:
            self._pause("digits", DIGITS_PAUSE_S)
        return False

    def _may_refuse(self, now: float) -> bool:
        if self._secretary.recording_consent != "ask":
            return False
        recent = self._heard_at is not None and now - self._heard_at < REFUSAL_S
        return self.state is State.UNTOLD or (self.state is State.ON and recent)

    # --- steps ------------------------------------------------------------------------------------

    @property
    def _known(self) -> str:
        """What this caller was told, or said, in an earlier conversation of the same call."""
        return self._leg.channel.variable(CONSENT)

    def _start(self) -> None:
        silent = self._secretary.recording_consent != "none" and not self._known
        try:
            file = self._open(silent=silent)
        except (EslError, ValueError) as error:
            self._log.warning("recording.not_started", error=str(error))
            self._record.recording("start", "failed", "call", str(error))
            return
        self._file = file
        began_at = None if file.adopted else datetime.now(UTC)
        self._record.recording_began(began_at)
        if silent:
            self._step(Change.BEGIN_UNTOLD)
        else:
            self._step(Change.BEGIN)
            self._made_known(self._known or "not_asked")
        self._leg.before_parting.append(self._last_commands)
        self._watching = gevent.spawn(self._watch)

    def _start_wanted(self, by: str) -> None:
        if self.state is State.OFF and not self._refused:
            self._start()
            self._record.recording("start", "done" if self._file else "failed", by)

    def _open(self, *, silent: bool) -> RecordingFile:
        """Have FreeSWITCH record. A recording of the dialplan's own is used, not doubled."""
        channel, uuid = self._leg.channel, self._leg.uuid
        path, name = channel.variable("record_path"), channel.variable("record_name")
        if path and name and _is_one_word(f"{path}/{name}"):
            file = RecordingFile(path, name, adopted=True)
            if self._asked("mask" if silent else "unmask", file):
                return file
        # A file of an earlier conversation of this call stays.
        now = datetime.now(UTC)
        base = f"{uuid}_{now:%H%M%S}" if name else uuid
        file = file_of(self._directory, self._entry.domain_name, base, now)
        batch = [
            commands.api("uuid_setvar", f"{uuid} RECORD_STEREO true"),
            commands.api("uuid_record", f"{uuid} start {file.whole}"),
        ]
        if silent:
            batch.append(commands.api("uuid_record", f"{uuid} mask {file.whole}"))
        for reply in self._leg.esl.pipeline(batch, COMMAND_S)[1:]:
            reply.require_ok("api uuid_record")
        return file

    def _made_known(self, consent: str) -> None:
        """What is heard from now on is kept; FusionPBX's call detail record names the file."""
        file = self._file
        assert file is not None
        self._record.recorded(file.path, file.name, consent)
        self._remember(consent)
        if not file.adopted:
            for name, value in (("record_path", file.path), ("record_name", file.name)):
                self._api("uuid_setvar", f"{self._leg.uuid} {name} {value}")

    def _watch(self) -> None:
        """The notice, and pauses that nobody ends."""
        while True:
            gevent.sleep(LOOK_S)
            if self.state is State.UNTOLD:
                self._look_for_notice()
            until = self._pause_until
            if until is not None and self._clock() >= until:
                self._go_on("time")

    def _look_for_notice(self) -> None:
        if self._talk.agent_speaking or self._record.withheld.now:
            return
        if self._heard_at is not None:
            waited = self._clock() - self._heard_at >= REFUSAL_S
            if self._answered or waited:
                self._post(partial(self._told, "announced"))
            return
        heard = self._notice.fell_silent()
        if heard is Heard.HEARD:
            self._heard_at = self._clock()
            if self._secretary.recording_consent == "announce":
                self._post(partial(self._told, "announced"))
        elif heard is Heard.NOT_YET:
            words = notice_of(self._secretary)
            self._talk.tell(
                "The caller has not heard yet that this call is recorded. Begin your next answer "
                f"with these words: {words}",
                respond=False,
            )
        elif heard is Heard.NEVER:
            self._record.recorded(None, None, NOT_HEARD)
            self._post(partial(self._stop, "notice"))

    def _told(self, consent: str) -> None:
        if self.state is State.UNTOLD and self._ask("unmask"):
            self._step(Change.TOLD)
            self._made_known(consent)

    def _refuse(self, by: str) -> None:
        if by not in BY_CALLER:
            self._post(partial(self._stop, by))
            return
        self._refused = True
        self._record.recorded(None, None, REFUSED)
        self._post(partial(self._remember, REFUSED))
        self._post(partial(self._stop, by))

    def _remember(self, consent: str) -> None:
        """For a later conversation of this call, on whatever worker."""
        self._api("uuid_setvar", f"{self._leg.uuid} {CONSENT} {consent}")

    def _stop(self, by: str) -> None:
        if self.state in (State.OFF, State.OVER):
            return
        untold = self.state is State.UNTOLD
        self._step(Change.STOP)
        done = self._ask("stop")
        self._record.recording("stop", "done" if done else "failed", by)
        if self._refused or untold:
            self._remove(REFUSED if self._refused else NOT_HEARD)

    def _remove(self, consent: str) -> None:
        """What was kept before the caller said no, or the silence until he would have known. The
        row and FusionPBX's own forget the file."""
        file = self._file
        if file is None or file.adopted:
            return
        if consent == REFUSED and not self._leg.left:
            for name in ("record_path", "record_name"):
                self._api("uuid_setvar", f"{self._leg.uuid} {name}")
        self._record.recorded("", "", consent)
        remove = partial(Recordings(self._directory).remove, self._entry.domain_name)
        removed = in_thread(remove, Stored(file.path, file.name), OSError)
        if removed is not True:
            self._log.warning("recording.not_removed", why=str(removed or "not on this host"))

    def _pause(self, by: str, longest_s: float) -> None:
        """Nothing more is written down from here on; FreeSWITCH follows."""
        if self.state in (State.OFF, State.OVER):
            return
        until = self._clock() + longest_s
        self._pause_until = max(self._pause_until or 0.0, until)
        if not self._record.withheld.now:
            self._record.withheld.begin(self._record.now_s)
            self._post(partial(self._mask, by))

    def _mask(self, by: str) -> None:
        if self.state is not State.ON or not self._record.withheld.now:
            return  # silence already, until the notice was heard
        done = self._ask("mask")
        self._record.recording("pause", "done" if done else "failed", by)
        if done:
            self._step(Change.PAUSE)
        else:
            self._stop("pause_failed")  # what must not be recorded is not

    def _go_on(self, by: str) -> None:
        self._pause_until = None
        self._digits = 0
        self._record.withheld.end(self._record.now_s)
        self._post(partial(self._unmask, by))

    def _unmask(self, by: str) -> None:
        if self.state is State.PAUSED and not self._record.withheld.now:
            done = self._ask("unmask")
            self._record.recording("resume", "done" if done else "failed", by)
            if done:
                self._step(Change.GO_ON)

    # --- FreeSWITCH -------------------------------------------------------------------------------

    def _ask(self, what: str) -> bool:
        return self._file is not None and self._asked(what, self._file)

    def _asked(self, what: str, file: RecordingFile) -> bool:
        answer = self._api("uuid_record", f"{self._leg.uuid} {what} {file.whole}")
        return answer.startswith("+OK")

    def _api(self, name: str, argument: str) -> str:
        """Its answer; empty where there is none."""
        try:
            return self._leg.esl.api(name, argument, COMMAND_S, check=False)
        except EslError as error:
            self._log.info("recording.not_asked", command=name, error=str(error))
            return ""

    def _step(self, change: Change) -> None:
        self.state = RECORDING_TABLE.next(self.state, change)


def _is_one_word(text: str) -> bool:
    """FreeSWITCH splits arguments at blanks; a line break would be another command."""
    return text.isprintable() and " " not in text
