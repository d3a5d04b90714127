"""Names as callers say them, against names as tenants write them."""

from __future__ import annotations

import pytest

from esl_controller.calls.transfer import naming
from esl_controller.calls.transfer.naming import Match, match, number_said


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("201", "201"),
        ("extension 201", "201"),
        ("Ramal 2 0 1", "201"),
        ("two zero one", "201"),
        ("ramal dois zero um, por favor", "201"),
        ("dois zero meia", "206"),
        ("la extensión dos cero tres", "203"),
        ("star nine eight", "*98"),
        ("Vendas 2", ""),
        ("one moment", ""),
        ("", ""),
        ("sales", ""),
    ],
)
def test_a_number_said_in_words_or_figures(said: str, number: str) -> None:
    assert number_said(said) == number


@pytest.mark.parametrize(
    ("said", "offered", "found"),
    [
        ("vendas", ["Vendas", "Vendas 2"], Match((0,))),
        ("VENDAS 2", ["Vendas", "Vendas 2"], Match((1,))),
        ("vendas", ["Vendas 1", "Vendas 2"], Match((0, 1))),
        ("vendas", ["Vendas 2", "Suporte"], Match((), (0,))),
        ("jose", ["Maria", "José Antônio"], Match((1,))),
        ("José", ["Jose Lima", "José Antônio"], Match((0, 1))),
        ("setor de suporte técnico", ["SUPORTE TECNICO"], Match((0,))),
        ("the sales department", ["Support", "Sales"], Match((1,))),
        ("technical", ["Technical support"], Match((0,))),
        ("2", ["Vendas 2"], Match((), (0,))),
        ("suport", ["Suporte", "Vendas"], Match((), (0,))),
        ("zzz", ["Suporte", "Vendas"], Match(())),
        ("", ["Suporte"], Match(())),
        ("the", ["Suporte"], Match(())),
        ("🙂", ["Suporte"], Match(())),
    ],
)
def test_nobody_is_guessed(said: str, offered: list[str], found: Match) -> None:
    assert match(said, [[name] for name in offered]) == found


def test_any_of_the_names_of_one_fits() -> None:
    assert match("comercial", [["Sales", "Vendas", "Comercial"], ["Support"]]) == Match((0,))


@pytest.mark.parametrize(
    ("said", "owner"),
    [
        ("voicemail of Ana", "of ana"),
        ("a caixa postal da Ana", "a da ana"),
        ("buzón de voz de Ana", "de ana"),
        ("mailbox 201", "201"),
        ("Ana", None),
    ],
)
def test_whose_mailbox_is_meant(said: str, owner: str | None) -> None:
    assert naming.mailbox_owner(said) == owner
