"""What a transfer does next, for every outcome; and its table, for every pair."""

from __future__ import annotations

import itertools

import pytest

from bridge.errors import LocalProtocolError
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.outcomes import Outcome, of_cause, status_of
from esl_controller.calls.transfer.plan import (
    BackToAi,
    Dial,
    Fallback,
    Mode,
    Over,
    ToDialplan,
    ToMailbox,
    TransferPlan,
    next_step,
)
from esl_controller.calls.transfer.states import FINAL, TRANSFER_TABLE
from esl_controller.calls.transfer.states import TransferEvent as E
from esl_controller.calls.transfer.states import TransferState as S
from esl_controller.calls.transfer.wishes import NOBODY_TOOK_IT, fallbacks
from esl_controller.tenants import transfer_rules

ONE, TWO = (
    Destination(Kind.EXTENSION, name, number, True, f"user/{number}@d")
    for name, number in (("sales", "1000"), ("support", "1001"))
)


def plan(what: Fallback | None = None, *, mailbox: str = "") -> TransferPlan:
    fallback = {} if what is None else dict.fromkeys(Outcome, what)
    return TransferPlan((ONE, TWO), Mode.ANNOUNCED, fallback=fallback, mailbox=mailbox)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("what", [None, *Fallback])
def test_every_outcome_of_every_plan_leads_somewhere(
    outcome: Outcome, what: Fallback | None
) -> None:
    step = next_step(plan(what), 1, outcome)
    if outcome in (Outcome.ANSWERED, Outcome.CALLER_GONE):
        assert step == Over(outcome)
    elif outcome is Outcome.CALLED_OFF or what in (None, Fallback.AI):
        assert step == BackToAi(outcome)
    else:
        assert (
            step
            == {
                Fallback.NEXT: Dial(TWO),
                Fallback.VOICEMAIL: BackToAi(outcome, Fallback.MESSAGE),
                Fallback.HAND_BACK: ToDialplan(outcome),
                Fallback.TICKET: BackToAi(outcome, Fallback.TICKET),
                Fallback.CALLBACK: BackToAi(outcome, Fallback.CALLBACK),
                Fallback.MESSAGE: BackToAi(outcome, Fallback.MESSAGE),
            }[what]  # type: ignore[index]
        )


def test_after_the_last_destination_it_is_the_ai() -> None:
    assert next_step(plan(Fallback.NEXT), 2, Outcome.BUSY) == BackToAi(Outcome.BUSY)


def test_a_mailbox_where_there_is_one() -> None:
    step = next_step(plan(Fallback.VOICEMAIL, mailbox="*991000"), 1, Outcome.NO_ANSWER)
    assert step == ToMailbox("*991000")


def test_words_of_a_rule() -> None:
    assert fallbacks(None) == {}
    assert set(fallbacks("next")) == set(NOBODY_TOOK_IT)
    assert fallbacks({"busy": "voicemail"}) == {Outcome.BUSY: Fallback.VOICEMAIL}
    # What the settings allow is what the plan knows.
    assert set(transfer_rules.FALLBACKS) == {one.value for one in Fallback}
    assert set(transfer_rules.OUTCOMES) == {one.value for one in NOBODY_TOOK_IT}
    assert set(transfer_rules.MODES) == {one.value for one in Mode}
    assert set(transfer_rules.KINDS) == {one.value for one in Kind}


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        ("-ERR USER_BUSY\n", "busy"),
        ("NO_ANSWER", "no_answer"),
        ("CALL_REJECTED", "declined"),
        ("SUBSCRIBER_ABSENT", "unreachable"),
        ("NORMAL_TEMPORARY_FAILURE", "unreachable"),
        ("NORMAL_CLEARING", "unreachable"),  # a dialplan that ended
        ("something new", "failed"),
        ("", "failed"),
    ],
)
def test_causes(cause: str, outcome: str) -> None:
    assert of_cause(cause).value == outcome


def test_rows_have_a_word_for_each() -> None:
    assert status_of(Outcome.ANSWERED) == "completed"
    assert status_of(Outcome.CALLER_GONE) == "cancelled"
    assert status_of(Outcome.HUMAN_LEFT) == "human_left"


WAY = """
announcing: heard>dialling called_off>back caller_gone>gone
dialling: leg_came>briefing dial_failed>back called_off>cancelling caller_gone>cancelling
briefing: accepted>joining declined>cancelling verdict_late>cancelling leg_gone>back
briefing: called_off>cancelling caller_gone>cancelling
joining: accepted>joining declined>joining leg_gone>joining bridged>joined
joining: bridge_refused>cancelling called_off>joining caller_gone>cancelling
joined: leg_gone>joined caller_gone>gone came_back>back kept>handed_over
cancelling: accepted>cancelling declined>cancelling verdict_late>cancelling leg_came>cancelling
cancelling: dial_failed>cancelling leg_gone>cancelling called_off>cancelling
cancelling: caller_gone>cancelling ended>back ended_alone>gone
"""


def test_every_pair_of_the_table() -> None:
    listed = {}
    for line in WAY.split("\n"):
        state, _, moves = line.partition(": ")
        for move in moves.split():
            event, _, target = move.partition(">")
            listed[S(state), E(event)] = S(target)
    for state, event in itertools.product(S, E):
        if (state, event) in listed:
            assert TRANSFER_TABLE.next(state, event) is listed[state, event]
        else:
            with pytest.raises(LocalProtocolError):
                TRANSFER_TABLE.next(state, event)
    assert {state for state in S if not TRANSFER_TABLE.transitions[state]} == FINAL
