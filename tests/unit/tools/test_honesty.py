"""What an agent says of a function that failed: told again where it is not true."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.providers.base import FunctionCall
from esl_controller.tools.base import FunctionOutcome
from esl_controller.tools.honesty import MAX_CORRECTIONS, Honesty, claims


def outcome(name: str, *, done: bool) -> FunctionOutcome:
    result: dict[str, Any] = {"done": done} | ({} if done else {"error": "It is taken."})
    return FunctionOutcome("u", FunctionCall("c", name, "{}"), "failed", 0.0, result=result)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book_appointment", "Great! I've booked you for ten."),
        ("book_appointment", "Your appointment is confirmed, see you tomorrow."),
        ("book_appointment", "Prontinho, agendei para amanhã às dez."),
        ("book_appointment", "Sua consulta está marcada para terça."),
        ("book_appointment", "Su cita ha sido confirmada."),
        ("cancel_appointment", "It has been cancelled."),
        ("cancel_appointment", "Certo, cancelei o horário."),
        ("create_ticket", "I have opened a ticket for you."),
        ("create_ticket", "O chamado foi aberto."),
        ("take_message", "I have noted your message."),
        ("take_message", "Anotei o seu recado."),
        ("request_callback", "He anotado su llamada."),
    ],
)
def test_a_plain_claim_is_one(name: str, text: str) -> None:
    assert claims(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("book_appointment", "I am sorry, it is not booked: that time has been taken."),
        ("book_appointment", "I couldn't get it booked. Shall I look for another time?"),
        ("book_appointment", "Once it is booked you will get a letter."),
        ("book_appointment", "Infelizmente não está marcada."),
        ("book_appointment", "Quer que fique marcada para as onze?"),
        ("book_appointment", "Let me look at the calendar."),
        ("create_ticket", "The ticket will be opened later; there is no number yet."),
        ("cancel_appointment", "Se eu cancelei, você recebe um aviso."),
        ("take_message", "I was unable to leave that, unfortunately it is not sent."),
    ],
)
def test_what_denies_asks_or_promises_is_none(name: str, text: str) -> None:
    assert not claims(name, text)


def test_the_model_is_told_once_of_what_it_said_after_the_failure() -> None:
    honesty = Honesty()
    assert honesty.said("I have booked it.", 1.0) == ""
    honesty.told(outcome("book_appointment", done=False), 5.0)
    assert honesty.said("I have booked your table.", 4.0) == ""
    assert honesty.said("I have cancelled it.", 6.0) == ""
    told = honesty.said("I have booked it.", 7.0)
    assert "book_appointment was not done: It is taken." in told
    assert honesty.said("I have booked it.", 8.0) == ""


def test_a_later_success_is_a_success() -> None:
    honesty = Honesty()
    honesty.told(outcome("book_appointment", done=False), 5.0)
    honesty.told(outcome("book_appointment", done=True), 6.0)
    assert honesty.said("I have booked it.", 7.0) == ""


def test_nobody_argues_for_ever() -> None:
    honesty = Honesty()
    for _ in range(20):
        honesty.told(outcome("book_appointment", done=False), 0.0)
        honesty.said("I have booked it.", 1.0)
    assert honesty.corrections == MAX_CORRECTIONS
