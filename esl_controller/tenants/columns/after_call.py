"""The columns of `v_voice_realtime_settings` that say what is sent of a call, and to whom."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.checks import (
    ADDRESSES,
    FLAG,
    OBJECT,
    SEALED,
    WEB_ADDRESS,
    Words,
    text,
    words_of,
)
from esl_controller.tenants.columns.column import Column

EVENTS = (
    "call.started",
    "call.ended",
    "transfer.started",
    "transfer.ended",
    "transfer.returned",
    "message.taken",
    "budget.warning",
    "budget.exhausted",
)
"""What a webhook is told."""
SECRETS = (
    *("webhook_secret", "summary_key", "ticket_key", "crm_key", "agenda_key"),
    "embedding_key",
)
"""Columns of the domain that hold keys: sealed before they are stored, and never shown."""

AFTER_CALL: Mapping[str, Column] = {
    "webhook_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "Address that is told what happens in calls, signed (docs/errands.md); empty: none.",
            "Endereço avisado do que acontece nas chamadas, com assinatura (recados); vazio: "
            "nenhum.",
        ),
    ),
    "webhook_secret": Column(
        rule=SEALED,
        meaning=Words(
            "The key of those signatures, sealed; without one they are not sent.",
            "A chave dessas assinaturas, selada; sem ela não são enviadas.",
        ),
    ),
    "webhook_events": Column(
        rule=words_of(*EVENTS),
        default=[],
        meaning=Words("Events that are told; empty: all.", "Eventos avisados; vazio: todos."),
    ),
    "email_to": Column(
        rule=ADDRESSES,
        default=[],
        meaning=Words(
            "Who gets calls and messages by e-mail; a secretary's own wins; empty: nobody.",
            "Quem recebe chamadas e recados por e-mail; os da secretária têm precedência; vazio: "
            "ninguém.",
        ),
    ),
    "summarise_calls": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "Whether a model sums up each call when it is over.",
            "Se um modelo resume cada chamada depois do fim.",
        ),
    ),
    "summary_schema": Column(
        rule=OBJECT,
        meaning=Words(
            "JSON Schema of the fields it is to find besides; empty: none.",
            "JSON Schema dos campos que ele deve encontrar; vazio: nenhum.",
        ),
    ),
    "summary_url": Column(
        rule=WEB_ADDRESS,
        meaning=Words(
            "OpenAI-compatible service for that, up to `/chat/completions`; empty: that of the "
            "domain's own provider.",
            "Serviço compatível com OpenAI para isso, até `/chat/completions`; vazio: o do próprio "
            "provedor do domínio.",
        ),
    ),
    "summary_model": Column(
        rule=text(100),
        meaning=Words(
            "Model to ask there; empty: the pipeline's own.",
            "Modelo a pedir ali; vazio: o do próprio pipeline.",
        ),
    ),
    "summary_key": Column(
        rule=SEALED,
        meaning=Words("The key of `summary_url`, sealed.", "A chave de `summary_url`, selada."),
    ),
    "send_unstored": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "Webhooks and e-mails carry what is not stored too: words where no transcript is kept, "
            "personal data where it is hidden. It is forgotten once sent.",
            "Webhooks e e-mails levam também o que não é guardado: as palavras onde não há "
            "transcrição, os dados pessoais onde são ocultados. Esquecido após o envio.",
        ),
    ),
}

REPORTED: Mapping[str, Column] = {
    "email_to": Column(
        rule=ADDRESSES,
        default=[],
        meaning=Words(
            "Who gets this secretary's calls and messages by e-mail; empty: the domain's.",
            "Quem recebe por e-mail as chamadas e recados desta secretária; vazio: os do domínio.",
        ),
    ),
}
"""Of a secretary."""
