"""The columns that say which functions a secretary offers, and the domain's systems behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esl_controller.tenants.checks import (
    FLAG,
    SEALED,
    WEB_ADDRESS,
    PartlyWrong,
    Rule,
    Words,
    choice,
    text,
    whole,
)
from esl_controller.tenants.columns.column import Column

NOTHING = "none"
"""Stands for a list in which nothing is right, since an empty one offers all."""
SELECTABLE = (
    "create_ticket",
    "lookup_customer",
    "check_appointment",
    "book_appointment",
    "cancel_appointment",
    "take_message",
    "send_dtmf",
)
"""Functions of ours that a secretary offers with `enable_functions`."""
FORMATS = ("contact", "plain", "event", "handoff")
MAX_TOLD = 3
_NAMES = (*SELECTABLE, NOTHING)


def _read_functions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a JSON list of names of functions")
    used = tuple(dict.fromkeys(one for one in value if one in _NAMES))
    wrong = [one for one in value if one not in _NAMES][:MAX_TOLD]
    if wrong:
        problems = [f"has {one!r:.60}, may have {', '.join(SELECTABLE)}" for one in wrong]
        raise PartlyWrong(problems, used or (NOTHING,))
    return used


_FUNCTIONS = Rule(
    _read_functions,
    Words('list of names, `["take_message"]`', 'lista de nomes, `["take_message"]`'),
)

OFFERED: Mapping[str, Column] = {
    "enable_functions": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "Whether it offers functions that reach the domain's own systems, and messages; those "
            "of the call itself need no switch.",
            "Se oferece funções que alcançam os sistemas do próprio domínio, e recados; as da "
            "própria chamada não precisam disso.",
        ),
    ),
    "functions_config": Column(
        rule=_FUNCTIONS,
        default=[],
        instead=[NOTHING],
        meaning=Words(
            "Names of those it offers; empty: all that are set up, `send_dtmf` excepted.",
            "Nomes das que oferece; vazio: todas as configuradas, exceto `send_dtmf`.",
        ),
    ),
}
"""Of a secretary."""

SYSTEMS: Mapping[str, Column] = {
    "ticket_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "Where tickets are opened (OmniPlay and its like); empty: nowhere.",
            "Onde os chamados são abertos (OmniPlay e semelhantes); vazio: em lugar nenhum.",
        ),
    ),
    "ticket_format": Column(
        rule=choice(*FORMATS),
        default="contact",
        meaning=Words(
            "Generation of the request: `contact` (`/api/v1/tickets`), `plain`, `event` (webhook), "
            "`handoff` (`/api/tickets/realtime-handoff`).",
            "Geração do pedido: `contact` (`/api/v1/tickets`), `plain`, `event` (webhook), "
            "`handoff` (`/api/tickets/realtime-handoff`).",
        ),
    ),
    "ticket_queue": Column(
        rule=text(100),
        meaning=Words("Queue of new tickets there.", "Fila dos novos chamados ali."),
    ),
    "ticket_company": Column(
        rule=text(100),
        meaning=Words("Company there, with `handoff`.", "Empresa ali, com `handoff`."),
    ),
    "ticket_key": Column(rule=SEALED, meaning=Words("Its token, sealed.", "O token dele, selado.")),
    "crm_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "Where customers are looked up, also while the telephone rings; empty: nowhere.",
            "Onde os clientes são consultados, também enquanto toca; vazio: em lugar nenhum.",
        ),
    ),
    "crm_key": Column(rule=SEALED, meaning=Words("Its token, sealed.", "O token dele, selado.")),
    "agenda_kind": Column(
        rule=choice("http", "caldav"),
        default="http",
        meaning=Words(
            "Our HTTP contract, or a CalDAV calendar.",
            "Nosso contrato HTTP, ou um calendário CalDAV.",
        ),
    ),
    "agenda_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "Of the agenda; with CalDAV, of the one calendar; empty: none.",
            "Da agenda; com CalDAV, do calendário; vazio: nenhuma.",
        ),
    ),
    "agenda_user": Column(
        rule=text(255),
        meaning=Words("User name there; empty: a token.", "Usuário ali; vazio: um token."),
    ),
    "agenda_key": Column(
        rule=SEALED,
        meaning=Words("Its password or token, sealed.", "A senha ou o token, selado."),
    ),
    "appointment_minutes": Column(
        rule=whole(5, 480),
        default=30,
        meaning=Words("Length of an appointment.", "Duração de um compromisso."),
    ),
}
"""Of a domain."""
