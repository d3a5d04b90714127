"""Every function in every situation: the table that `test_call_function_table` holds calls by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from esl_controller.simulator.systems.server import Faults

CALLER = "+5511999990000"
DAY = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=7)
START = f"{DAY:%Y-%m-%dT%H:%M}"
SYSTEMS: Mapping[str, Faults | None] = {
    "success": Faults(),
    "slow": Faults(wait_s=2.5),
    "refusal": Faults(refuse_status=422),
    "time-out": Faults(wait_s=60.0),
    "down": None,
    "huge answer": Faults(body=b'{"id": "' + b"9" * 300_000 + b'"}'),
    "wrong answer": Faults(body=b"<html>it works</html>"),
}
"""How a tenant's system does."""
LOCKED, DOWN = "documents locked", "database down"


@dataclass(frozen=True, eq=False)
class Cell:
    """One function in one situation: a call of its own."""

    function: str
    situation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    system: str = "success"
    """Which of SYSTEMS the tenant has."""
    secretary: Mapping[str, Any] = field(default_factory=dict)
    caller: str = CALLER
    trouble: str = ""
    """keys refused | keys unanswered | documents locked | database down: while the call is going
    on."""
    outbound: bool = False
    """We call."""

    @property
    def waits(self) -> bool:
        """The caller waits for the function's other side."""
        late = self.situation.startswith(("slow", "time-out"))
        return late and self.function != "transfer_call"

    @property
    def locks(self) -> bool:
        """Other cells wait for its end."""
        return self.function == "search_knowledge"

    @property
    def name(self) -> str:
        """For messages and files."""
        return f"{self.function}, {self.situation}"


BOOKING = {"start": START, "customer_name": "Maria"}
OF_SYSTEMS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any] | None]] = {
    "create_ticket": ({"subject": "No bread"}, {"description": "No subject"}),
    "lookup_customer": ({}, {"phone": "who?"}),
    "check_appointment": ({}, {"date": "tomorrow"}),
    "book_appointment": (BOOKING, {**BOOKING, "start": "2020-01-01T09:00"}),
    "cancel_appointment": ({"appointment_id": "a-1"}, {}),
    "stock_of": ({"phone": "17"}, {"phone": 17}),
    "place_order": ({"subject": "17 loaves"}, {}),
}
"""Functions whose other side is a system: what is asked, and what a model gets wrong."""
TRANSFER: Mapping[str, Any] = {
    "transfer_rules": [
        {"destination": "201", "department": "sales", "mode": "blind"},
        {"destination": "205", "department": "busy"},
        {"destination": "206", "department": "nobody"},
        {"destination": "207", "department": "declines"},
        {"destination": "209", "department": "away"},
        {"destination": "0044123456", "department": "outside", "kind": "external"},
    ],
    "transfer_mode": "announced",
    "transfer_ring_seconds": 5,
}
RECORDED = {"record_calls": True, "recording_consent": "none"}
REFUSABLE = {"record_calls": True, "recording_consent": "announce", "legal_notice": "Recorded."}
ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
KNOWLEDGE = {"enable_rag": True}


def _of_systems() -> Iterator[Cell]:
    for function, (right, wrong) in OF_SYSTEMS.items():
        for situation in SYSTEMS:
            yield Cell(function, situation, right, situation)
        if wrong is not None:
            yield Cell(function, "wrong arguments", wrong)
    yield Cell("lookup_customer", "nobody found", {"phone": "+5511333330000"})
    yield Cell("cancel_appointment", "no such one", {"appointment_id": "a-9"})
    taken = f"{DAY + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    yield Cell("book_appointment", "taken", {**BOOKING, "start": taken})


def _of_the_call() -> Iterator[Cell]:
    yield Cell("transfer_call", "success, blind", {"destination": "sales"}, secretary=TRANSFER)
    for situation, destination in (
        ("refusal: unknown", "the king"),
        ("refusal: outside", "outside"),
        ("busy", "busy"),
        ("time-out: nobody answers", "nobody"),
        ("declined", "declines"),
        ("down: not registered", "away"),
    ):
        yield Cell("transfer_call", situation, {"destination": destination}, secretary=TRANSFER)
    yield Cell("transfer_call", "wrong arguments", {}, secretary=TRANSFER)
    yield Cell("end_call", "success")
    yield Cell("end_call", "wrong arguments", {"reason": 5})
    keys = {"digits": "42#"}
    yield Cell("send_dtmf", "success", keys)
    yield Cell("send_dtmf", "wrong arguments", {"digits": "call 1"})
    yield Cell("send_dtmf", "refusal by FreeSWITCH", keys, trouble="keys refused")
    yield Cell("send_dtmf", "time-out of FreeSWITCH", keys, trouble="keys unanswered")
    yield Cell("opening_hours", "success: open", secretary={"business_hours": ALWAYS})
    closed = {"business_hours": {}, "closed_action": "answer"}
    yield Cell("opening_hours", "success: closed", secretary=closed)
    languages = {"language": "en", "languages": ["pt-BR"]}
    yield Cell("change_language", "success", {"language": "pt-BR"}, secretary=languages)
    yield Cell("change_language", "wrong arguments", {"language": "tlh"}, secretary=languages)
    for name in ("pause_recording", "resume_recording", "refuse_recording"):
        yield Cell(name, "success", secretary=REFUSABLE)
    message = {"message": "Please call back."}
    yield Cell("leave_message", "success", message, outbound=True)
    yield Cell("leave_message", "wrong arguments", {"message": "x" * 2001}, outbound=True)


def _of_the_database() -> Iterator[Cell]:
    yield Cell("take_message", "success", {"message": "Call me back"})
    yield Cell("take_message", "wrong arguments", {"message": ""})
    yield Cell("take_message", "database down", {"message": "Hello"}, trouble=DOWN)
    callback = {"reason": "an invoice"}
    yield Cell("request_callback", "success", callback)
    yield Cell("request_callback", "refusal: no number", callback, caller="anonymous")
    yield Cell("request_callback", "refusal: costs a fortune", callback, caller="+8835100000000")
    yield Cell("request_callback", "wrong arguments", {**callback, "not_before": "soon"})
    yield Cell("request_callback", "database down", callback, trouble=DOWN)
    asked = {"question": "trocas"}
    yield Cell("search_knowledge", "success", asked, secretary=KNOWLEDGE)
    yield Cell("search_knowledge", "nothing found", {"question": "elephants"}, secretary=KNOWLEDGE)
    yield Cell("search_knowledge", "wrong arguments", {"question": ""}, secretary=KNOWLEDGE)
    for situation, trouble in (("time-out", LOCKED), ("down", DOWN)):
        yield Cell("search_knowledge", situation, asked, secretary=KNOWLEDGE, trouble=trouble)


def _of_mcp() -> Iterator[Cell]:
    yield Cell("shop_stock", "success", {"sku": "abc"})
    yield Cell("shop_stock", "refusal", {"sku": "none"})
    yield Cell("shop_stock", "wrong arguments", {"sku": 7})
    yield Cell("shop_sleep", "slow", {"seconds": 1.5})
    yield Cell("shop_sleep", "time-out", {"seconds": 30})
    yield Cell("shop_flood", "huge answer")
    yield Cell("shop_stock", "down", {"sku": "abc"}, "down")
    yield Cell("shop_stock", "wrong answer", {"sku": "abc"}, "wrong answer")


CELLS = (*_of_systems(), *_of_mcp(), *_of_the_database(), *_of_the_call())
