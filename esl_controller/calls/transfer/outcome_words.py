"""What the model is told of a transfer. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.promised import Promise

_WHAT: Mapping[Outcome, str] = {
    Outcome.BUSY: "{name} is on another call or does not want to be disturbed.",
    Outcome.NO_ANSWER: "Nobody at {name} answered.",
    Outcome.DECLINED: "{name} cannot take the call now.",
    Outcome.UNREACHABLE: "{name} cannot be reached at the moment.",
    Outcome.NO_VERDICT: "{name} answered, but did not take the call.",
    Outcome.HUMAN_LEFT: "{name} answered and hung up without taking the call.",
    Outcome.CALLED_OFF: "The transfer to {name} was called off.",
    Outcome.FAILED: "Connecting to {name} did not work.",
}
_THEN: Mapping[Promise, str] = {
    Promise.NONE: "Tell the caller in one sentence, and ask how you can help instead.",
    Promise.NOTE: "A note has gone out, with who called and why. Tell the caller both in one "
    "sentence, and ask whether there is anything else.",
    Promise.TICKET: "A ticket has been asked for, with who called and why; its number is not known "
    "yet. Tell the caller both in one sentence, and ask whether there is anything else.",
    Promise.CALLBACK: "Tell the caller in one sentence, and offer a call back at this number. If "
    "they want it, call request_callback: nobody calls back before that.",
    Promise.IMPOSSIBLE: "Tell the caller in one sentence. No note, ticket or call back can be "
    "arranged from here: promise none, and ask how you can help instead.",
}


def told(name: str, outcome: Outcome, promise: Promise, words: str = "") -> str:
    """After an attempt that came to nothing. `words` are the human's own."""
    what = _WHAT.get(outcome, _WHAT[Outcome.FAILED]).format(name=name)
    said = f' They said, for the caller: "{words}".' if words else ""
    return f"[The caller was on hold and hears you again. {what}{said} {_THEN[promise]}]"


def back_from(name: str) -> str:
    """The human has left, and the caller is still there."""
    return (
        f"[The caller has talked with {name or 'a colleague'}, who has hung up, and is with you "
        "again. Ask in one short sentence whether there is anything else.]"
    )


BUSY_WITH_ANOTHER = "[A transfer is going on already: the second one was not begun.]"
