"""A worker for one call: its conversation does what a test says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import gevent
import pytest

from bridge.ports import EndCause, SessionEnd
from esl_controller.calls import call as call_module
from esl_controller.calls.call import Call
from esl_controller.calls.desk import CallDesk
from esl_controller.calls.registry import Calls
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.database.models import ProcessingMode
from esl_controller.record.outcome import Ending
from esl_controller.routes.reception import Reception
from esl_controller.telemetry.metrics import Metrics
from tests.unit.call.fake_esl import DOMAIN, FakeEsl

BLIND = TransferPlan((Destination(Kind.EXTENSION, "sales", "1000", True),), reason="a price")


class Told:
    """What happened, in order, beside what FreeSWITCH was told."""

    def __init__(self, esl: FakeEsl) -> None:
        self.esl = esl

    def __call__(self, what: str) -> None:
        self.esl.writes.append([f"= {what}"])


class FakeTalk:
    """A conversation that does what the test says, and no more."""

    script: Any = None

    def __init__(self, leg: Any, entry: Any, *_: Any) -> None:
        self.leg, self.entry = leg, entry
        self.end: SessionEnd | None = None
        self.trouble = ""
        self.answered = False
        self.answered_by: str | None = None
        self.told = told = Told(leg.esl)
        self.functions = SimpleNamespace(running=False)
        self.session = SimpleNamespace(turns=0, end=self._end, closing=False)
        self.media = SimpleNamespace(
            start=lambda codec: self._step("media.start"),
            stop=lambda: self._step("media.stop"),
            close=lambda: told("media.close"),
        )
        self.record = SimpleNamespace(
            transfer_tried=lambda *what: told("transfer tried"),
            transfer_decided=lambda status: told(f"transfer {status}"),
            end=self._record_end,
        )
        self.ending: Ending | None = None
        leg.use_media(self.media)
        FakeTalk.last = self

    last: FakeTalk

    def _step(self, name: str) -> None:
        self.told(name)
        self.leg.esl._do(name)

    def _end(self, cause: EndCause, detail: str = "") -> None:
        self.told(f"session.end {cause.value}")
        self.end = self.end or SessionEnd(cause, detail)

    def _record_end(self, ending: Ending, turns: int) -> None:
        self.ending = ending
        self._step("record.end")

    def prepare(self) -> None:
        self._step("prepare")
        FakeTalk.script(self.call)

    @property
    def call(self) -> Any:
        return self.jobs

    def opened(self) -> None:
        self.answered = True

    def cover(self, phrase: Any) -> None:
        self.told(f"cover {phrase.value}")

    def finish(self, cause: EndCause, *, always_good_bye: bool = False) -> None:
        self.told("finish")
        self.session.closing = True
        self.end = self.end or SessionEnd(cause)

    def keep_results(self) -> None:
        self.told("keep results")

    def announce_transfer(self) -> None:
        self.told("announce transfer")
        self.session.closing = True
        self.end = SessionEnd(EndCause.FINISHED)

    def hold(self) -> None:
        self.told("hold")

    def resume(self) -> None:
        self.told("resume")

    def stop(self) -> None:
        self._end(EndCause.HANGUP)
        self.leg.stop_media()

    def let_go(self) -> None:
        """Nobody asks it for anything any more."""

    def close(self) -> None:
        self.leg.close_media()
        self.told("talk.close")


class Site(SimpleNamespace):
    """No provider, no plan, no systems."""

    services = None

    def plan(self, leg: Any, entry: Any, *, known: Any) -> None:
        leg.esl._do("plan")


class Office:
    """A worker for one call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: Any, esl: FakeEsl) -> None:
        self.esl = esl
        told = Told(esl)
        self.rows: list[Ending] = []
        secretary = SimpleNamespace(fallback_extension=None, language="pt-BR")
        self.entry: Any = SimpleNamespace(
            domain_uuid=DOMAIN,
            domain_name="d.example.com",
            extension="8001",
            tenant=SimpleNamespace(company_name=None, crm_url=None),
            opening=None,
            secretary=secretary,
            processing_mode=ProcessingMode.REALTIME,
        )

        def secretary_for(identity: Any) -> Any:
            esl._do("route")
            return self.entry

        def admit(entry: Any, call_uuid: str, *, back: bool) -> Any:
            esl._do("admit")
            told("admitted")
            return entry

        admission = SimpleNamespace(admit=admit, release=lambda *_: told("released"))
        config: Any = SimpleNamespace(domain_named=lambda name: None)
        real: Any = Reception(config, cast(Any, admission))
        reception: Any = SimpleNamespace(
            identify=real.identify, secretary_for=secretary_for, admission=admission
        )
        timeouts = SimpleNamespace(answer_ceiling_s=0.05)
        site: Any = Site(
            clock=gevent.get_hub().loop.now, settings=SimpleNamespace(timeouts=timeouts)
        )
        book: Any = SimpleNamespace(
            metrics=Metrics(), turned_away=lambda identity, entry, ending: self.rows.append(ending)
        )
        self.calls: Calls[Call] = Calls()
        back: Any = SimpleNamespace(take=lambda *_: None)
        self.desk = CallDesk(reception, site, book, self.calls, cast(Any, None), back)
        FakeTalk.script = staticmethod(script)

        class Talk(FakeTalk):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                self.jobs = arguments[6]

        monkeypatch.setattr(call_module, "Conversation", Talk)

    def run(self) -> Call:
        call = Call(self.esl, self.desk)  # type: ignore[arg-type]
        self.calls.add(call)
        call.run()
        self.calls.discard(call)
        return call


def greet(call: Any) -> None:
    call.on_prepared()


def transfer(call: Any) -> None:
    """Asked for before the call talks, and done with by the call before it does."""
    call.transfer(BLIND)
    call._inbox.post(call.on_prepared)


def caller_leaves(call: Any) -> None:
    call.on_prepared()
    gevent.spawn_later(0.01, call.leg.esl.hang_up)


def must_be_clean(office: Office, calls: int = 0) -> None:
    """Whatever happened: what was taken was given back once, `exit` was said once, and last."""
    steps = office.esl.steps
    assert steps.count("= admitted") == steps.count("= released")
    assert steps.count("exit") == 1
    assert [step for step in steps if not step.startswith("= ")][-1] == "exit"
    assert office.esl.gone.is_set()
    assert not any(office.esl.handlers.values())
    assert len(office.calls) == calls
