"""Columns of a secretary that say when it answers, how long, and who takes the other calls."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.checks import (
    DIALABLE,
    TIME_ZONE,
    Rule,
    Words,
    choice,
    text,
    whole,
)
from esl_controller.tenants.columns.column import Column
from esl_controller.tenants.week import business_hours

_SECONDS = whole(1, 86_400)
_HOURS = Rule(
    business_hours,
    Words(
        '`{"mon": [["08:00", "18:00"]], …, "closed_dates": ["2026-12-25"]}`',
        '`{"mon": [["08:00", "18:00"]], …, "closed_dates": ["2026-12-25"]}`',
    ),
)

LIMITS: Mapping[str, Column] = {
    "max_duration_seconds": Column(
        rule=_SECONDS,
        default=300,
        meaning=Words(
            "Longest call: a good-bye comes then.", "Chamada mais longa: depois vem a despedida."
        ),
    ),
    "max_turns": Column(
        rule=whole(1, 10_000),
        default=50,
        meaning=Words(
            "Turns of the caller; a good-bye comes then.",
            "Vezes de quem liga; depois vem a despedida.",
        ),
    ),
    "max_silence_seconds": Column(
        rule=whole(2, 600),
        default=20,
        meaning=Words(
            "A silent caller is asked after this, and left some seconds later.",
            "Quem fica calado é perguntado depois disso e, segundos depois, a chamada termina.",
        ),
    ),
    "max_concurrent_calls": Column(
        rule=whole(0, 100_000),
        meaning=Words(
            "Calls at once; empty: no limit.", "Chamadas simultâneas; vazio: sem limite."
        ),
    ),
    "fallback_extension": Column(
        rule=DIALABLE,
        meaning=Words(
            "Who takes the call when the AI cannot; empty: the dialplan's next action.",
            "Quem atende quando a IA não pode; vazio: a próxima ação do plano de discagem.",
        ),
    ),
    "overflow_extension": Column(
        rule=DIALABLE,
        meaning=Words(
            "Who takes it when there is no room; empty: as above.",
            "Quem atende quando não há vaga; vazio: como acima.",
        ),
    ),
    "time_zone": Column(
        rule=TIME_ZONE,
        meaning=Words(
            "Zone of its hours; empty: the domain's.", "Fuso do horário; vazio: o do domínio."
        ),
    ),
    "business_hours": Column(
        rule=_HOURS,
        meaning=Words(
            "When it answers; empty: always. A span may go on past midnight "
            '(`["18:00", "02:00"]`): it belongs to the day it begins on, and a closed date closes '
            "what begins on it. A date that cannot be read is left out; a day that cannot counts "
            "as open all day.",
            "Quando atende; vazio: sempre. Um período pode passar da meia-noite "
            '(`["18:00", "02:00"]`): pertence ao dia em que começa, e uma data fechada fecha o que '
            "começa nela. Uma data ilegível fica de fora; um dia ilegível conta como aberto o dia "
            "todo.",
        ),
    ),
    "time_condition": Column(
        rule=text(255),
        meaning=Words(
            "Number or name of a time condition of the domain in FusionPBX, whose hours and "
            "holidays are used in place of `business_hours`.",
            "Número ou nome de uma condição de tempo do domínio no FusionPBX, cujos horários e "
            "feriados valem no lugar de `business_hours`.",
        ),
    ),
    "closed_action": Column(
        rule=choice("hand_back", "answer"),
        default="hand_back",
        meaning=Words(
            "What becomes of calls outside the hours: given back to the dialplan, or answered by "
            "the AI, which says that it is closed and when it opens.",
            "O que acontece fora do horário: a chamada volta ao plano de discagem (`hand_back`), "
            "ou a IA atende (`answer`), diz que está fechado e quando abre.",
        ),
    ),
    "closed_message": Column(
        rule=text(10_000),
        meaning=Words(
            "What it says first then; empty: ours, with the time it opens.",
            "O que diz primeiro nesse caso; vazio: a nossa frase, com a hora em que abre.",
        ),
    ),
    "closed_prompt": Column(
        rule=text(100_000),
        meaning=Words(
            "What it can still do then, added to its instructions.",
            "O que ainda pode fazer nesse caso, somado às instruções.",
        ),
    ),
    "closed_extension": Column(
        rule=DIALABLE,
        meaning=Words(
            "Who takes the call outside these hours; empty: the dialplan's next action.",
            "Quem atende fora desse horário; vazio: a próxima ação do plano de discagem.",
        ),
    ),
}
