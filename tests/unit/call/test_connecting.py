"""What is asked of a call whose caller is being connected, in whatever order it comes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from bridge.ports import EndCause
from esl_controller.calls import connecting as module
from esl_controller.calls.connecting import Connecting
from esl_controller.calls.states import CallState
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import Mode, TransferPlan

PLAN = TransferPlan((Destination(Kind.EXTENSION, "sales", "201", True),), mode=Mode.ANNOUNCED)


class Talk:
    """A conversation; `running`: functions of the answer have not returned."""

    def __init__(self) -> None:
        self.end = None
        self.session = SimpleNamespace(closing=False)
        self.functions = SimpleNamespace(running=True)
        self.did: list[Any] = []

    def keep_results(self) -> None:
        self.did.append("keep_results")

    def finish(self, cause: EndCause) -> None:
        self.did.append(cause)
        self.session.closing = True


class Course:
    """A transfer that goes on until it is closed."""

    def __init__(self, call: Any, talk: Any, identity: Any, plan: TransferPlan) -> None:
        self.plan = plan
        self.going_on = False

    def begin(self) -> None:
        self.going_on = True

    def close(self) -> None:
        self.going_on = False


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch) -> Talk:
    monkeypatch.setattr(module, "Course", Course)
    return Talk()


@pytest.fixture
def connecting(talk: Talk) -> Connecting:
    call: Any = SimpleNamespace(
        talk=talk,
        identity="caller",
        state=CallState.TALKING,
        leg=None,
        site=None,
        door=None,
        returning=None,
        metrics=None,
        post=lambda job: job(),
    )
    return Connecting(call)


def test_a_good_bye_does_not_cost_a_caller_his_transfer(talk: Talk, connecting: Connecting) -> None:
    """Both in one answer; the transfer has to ask who that is, and comes later."""
    connecting.end_call()
    connecting.begin(PLAN)
    talk.functions.running = False
    gevent.sleep(0.05)
    connecting.end_call()
    assert talk.did == ["keep_results"], "and the model does not go on meanwhile"


def test_without_a_transfer_the_call_ends_when_the_functions_have_returned(
    talk: Talk, connecting: Connecting
) -> None:
    connecting.end_call()
    assert EndCause.FINISHED not in talk.did
    talk.functions.running = False
    gevent.sleep(0.05)
    assert talk.did[-1] is EndCause.FINISHED


def test_a_function_that_runs_on_does_not_keep_the_call(talk: Talk, connecting: Connecting) -> None:
    connecting.end_call(looks=1)
    gevent.sleep(0.05)
    assert talk.did[-1] is EndCause.FINISHED


def test_an_agent_that_leaves_in_the_announcement_leaves_the_caller_to_whom_it_named(
    connecting: Connecting,
) -> None:
    connecting.without_agent()
    assert connecting.next is None
    connecting.begin(PLAN)
    course: Any = connecting._course
    connecting.without_agent()
    assert connecting.next == ("blind", "201", "")
    assert not course.going_on, "nobody is rung besides"
