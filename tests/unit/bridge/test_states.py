import enum
import itertools

import pytest

from bridge.errors import LocalProtocolError
from bridge.session.floor_states import FLOOR_TABLE, FloorEvent, FloorState
from bridge.session.states import SESSION_TABLE, SessionEvent, SessionState
from bridge.state_table import StateTable
from esl_controller.calls.states import CALL_TABLE, CallEvent, CallState

TABLES = [
    pytest.param(SESSION_TABLE, SessionState, SessionEvent, id="session"),
    pytest.param(CALL_TABLE, CallState, CallEvent, id="call"),
]


@pytest.mark.parametrize(("table", "states", "events"), TABLES)
def test_every_pair_is_in_the_table_or_raises(
    table: StateTable, states: type[enum.Enum], events: type[enum.Enum]
) -> None:
    for state, event in itertools.product(states, events):
        if table.allows(state, event):
            assert isinstance(table.next(state, event), states)
        else:
            with pytest.raises(LocalProtocolError, match=event.name):
                table.next(state, event)


@pytest.mark.parametrize(("table", "states", "events"), TABLES)
def test_every_state_is_reached_and_every_one_but_the_last_can_end(
    table: StateTable, states: type[enum.Enum], events: type[enum.Enum]
) -> None:
    reached = {table.initial}
    for _ in states:
        reached |= {t for s in reached for t in table.transitions[s].values()}
    assert reached == set(states)
    last = [s for s in states if not table.transitions[s]]
    assert len(last) == 1
    for start in states:
        seen = {start}
        for _ in states:
            seen |= {t for s in seen for t in table.transitions[s].values()}
        assert last[0] in seen


def test_a_session_can_end_from_anywhere() -> None:
    for state in SessionState:
        if state is not SessionState.ENDED:
            assert SESSION_TABLE.next(state, SessionEvent.END) is SessionState.ENDED


def test_the_caller_can_vanish_in_every_state_of_a_call() -> None:
    for state in CallState:
        if state is not CallState.ENDED:
            assert CALL_TABLE.allows(state, CallEvent.GONE)


def test_a_hold_ends_as_it_began_or_without_what_was_lost_in_it() -> None:
    for state in (SessionState.TALKING, SessionState.WAITING):
        held = SESSION_TABLE.next(state, SessionEvent.HOLD)
        assert held is SessionState.HELD
        assert SESSION_TABLE.next(held, SessionEvent.RESUME) is SessionState.WAITING


@pytest.mark.parametrize("state", FloorState)
@pytest.mark.parametrize("event", FloorEvent)
def test_every_pair_of_the_floor(state: FloorState, event: FloorEvent) -> None:
    """Only audio has places where it is not allowed: where nothing is due."""
    due = state in (FloorState.THINKING, FloorState.SPEAKING)
    assert FLOOR_TABLE.allows(state, event) == (event is not FloorEvent.AUDIO or due)


@pytest.mark.parametrize("state", [FloorState.THINKING, FloorState.SPEAKING])
def test_only_an_answer_or_the_caller_ends_what_is_due(state: FloorState) -> None:
    ends = {
        event
        for event in FloorEvent
        if FLOOR_TABLE.next(state, event) not in (FloorState.THINKING, FloorState.SPEAKING)
    }
    assert ends == {
        FloorEvent.CALLER_STARTED,
        FloorEvent.CUT,
        FloorEvent.RESPONSE_DONE,
        FloorEvent.BROKEN_OFF,
    }
