"""OpenAI Realtime: what an `error` message is about, and what can be done without."""

from __future__ import annotations

from bridge.providers.base import ErrorKind
from bridge.providers.openai import errors
from bridge.providers.openai.ends import response_end
from bridge.providers.openai.errors import ServerError, read_error
from bridge.providers.openai.refused_settings import MAX_REMOVED, without
from bridge.providers.openai.responses import ResponseState
from bridge.providers.openai.state import SessionState
from bridge.providers.openai.structures import ErrorEvent

_EXPENDABLE = (
    "response.cancel",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
)
"""Commands whose refusal means only that they came too late, or that the server lives."""
_THEIR_TROUBLE = (ErrorKind.RATE_LIMIT, ErrorKind.SERVER)


class Refusals:
    """Of one session."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def on_error(self, event: ErrorEvent, now: float) -> None:
        """Take an `error` message."""
        state, error = self._state, read_error(event.body())
        command = error.event_id.rpartition("-")[0]
        if error.is_active_response:
            self._on_busy(error, now)
            return
        refused = False
        if self._refuses_our_request(error):
            if self._without_metadata(error, now):
                return
            refused = self._request_refused(now)
        if error.code in errors.BENIGN or command in _EXPENDABLE:
            return
        if command == "session.update" or (not state.ready and error.param.startswith("session.")):
            self._on_settings_refused(error)
            return
        failure = error.failure(error.meaning)
        state.tell(failure)
        if refused:
            state.tell(response_end("", "failed", failure.code, failure, spoke=False))

    def _refuses_our_request(self, error: ServerError) -> bool:
        """Some servers do not say which request they mean: a trouble of theirs is that of ours."""
        state = self._state
        if error.event_id:
            return error.event_id == state.create_id
        if state.requests.state is not ResponseState.REQUESTED:
            return False
        return error.param.startswith("response") or error.meaning.kind in _THEIR_TROUBLE

    def _request_refused(self, now: float) -> bool:
        """Forget what was asked for; True when somebody still waits for it."""
        state = self._state
        awaited = state.requests.state is ResponseState.REQUESTED and not state.cancel_when_created
        state.requests.refused(now, again=False)
        state.cancel_when_created = False
        return awaited

    def _on_busy(self, error: ServerError, now: float) -> None:
        """Our request met another response. Some servers do not say which request they mean."""
        state = self._state
        ours = error.event_id == state.create_id or not error.event_id
        if ours and state.requests.in_flight is not None:
            state.requests.refused(now, again=True)
            state.cancel_when_created = False

    def _without_metadata(self, error: ServerError, now: float) -> bool:
        """A look-alike that does not know `metadata` is asked again without."""
        state = self._state
        if not state.takes_metadata or "metadata" not in f"{error.param} {error.message}":
            return False
        state.takes_metadata = False
        state.requests.repeat()
        return True

    def _on_settings_refused(self, error: ServerError) -> None:
        """What the server does not take is left out, where the call can do without it."""
        state = self._state
        if state.ready:
            return  # a server that does not take updates of nothing has shown that it lives
        meaning = error.meaning
        reduced = None
        if meaning.kind is ErrorKind.INVALID_REQUEST and state.removed_settings < MAX_REMOVED:
            reduced = without(state.settings, error.param, error.message)
        if reduced is not None:
            state.settings, state.update_due = reduced, True
            state.removed_settings += 1
        fatal = errors.Meaning(meaning.kind, fatal=reduced is None, retryable=meaning.retryable)
        state.tell(error.failure(fatal))
