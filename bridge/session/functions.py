"""The functions the model calls: told to the call, and their results to whoever waits for them."""

from __future__ import annotations

from bridge.ports import SessionListener
from bridge.providers import base as p
from bridge.session.answering import Answering
from bridge.session.config import SessionConfig
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.provider import ProviderSeat
from bridge.session.silence import SilenceWatch
from bridge.session.transcript import Transcript

TOO_MANY = '{"error":"too many function calls in this conversation"}'


class Functions:
    """One conversation's. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        floor: Floor,
        transcript: Transcript,
        silence: SilenceWatch,
        answering: Answering,
        listener: SessionListener,
    ) -> None:
        self._most = config.max_function_calls
        self._seat = seat
        self._floor = floor
        self._transcript = transcript
        self._silence = silence
        self._answering = answering
        self._listener = listener
        self._called = 0

    def called(self, event: p.FunctionCall, now: float) -> None:
        """The model wants one run."""
        self._silence.floor_taken()
        self._answering.progress()
        self._called += 1
        if self._called > self._most:
            self._refuse(event)
            return
        self._floor.function_called(event.call_id)
        self._transcript.called(event.call_id, event.name, event.arguments, now)
        self._listener.function_called(event)

    def _refuse(self, event: p.FunctionCall) -> None:
        if self._called == self._most + 1:
            text = f"more than {self._most} in one conversation"
            self._listener.provider_trouble(p.ErrorKind.OURS, "too_many_functions", text)
        self._floor.function_called(event.call_id)
        self.result(event.call_id, TOO_MANY, failed=True)

    def cancelled(self, event: p.FunctionCancelled) -> None:
        """Its result is no longer wanted."""
        self._floor.function_over(event.call_id)
        self._listener.function_cancelled(event.call_id)

    def result(self, call_id: str, output: str, *, failed: bool) -> None:
        """A function of ours has run. The next provider learns of it in its own way."""
        ran = self._transcript.returned(call_id, output)
        if call_id not in self._floor.functions:  # cancelled: nobody waits for it
            return
        self._floor.function_over(call_id)
        self._answering.progress()
        if self._floor.state is not FloorState.CALLER_SPEAKING:
            self._floor.asked()
        if not self._seat.send_function_result(call_id, output, failed=failed) and ran is not None:
            self._seat.inform(f"[{ran.name} returned {output}]", respond=True)
