"""The columns of `v_voice_realtime_providers`: whom a domain's secretaries speak through."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.providers.registry import KINDS
from esl_controller.tenants.checks import (
    FLAG,
    HEADERS,
    OBJECT,
    URL,
    UUID,
    Words,
    choice,
    text,
    whole,
)
from esl_controller.tenants.columns.column import Column, Use

PROVIDER: Mapping[str, Column] = {
    "voice_realtime_provider_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("Key of the row.", "Chave da linha.")
    ),
    "domain_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("The tenant.", "O cliente (domínio).")
    ),
    "realtime_provider": Column(
        rule=choice(*KINDS),
        use=Use.NEEDED,
        meaning=Words("Kind of provider.", "Tipo de provedor."),
    ),
    "provider_label": Column(
        rule=text(100),
        use=Use.NEEDED,
        meaning=Words("Name in logs and checks.", "Nome nos registros e verificações."),
    ),
    "base_url": Column(
        rule=URL,
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "Address of a gateway or look-alike, on a host of VOICE_AI_PROVIDER_ALLOWED_HOSTS; "
            "empty: the provider's own.",
            "Endereço de um gateway ou compatível, num host de VOICE_AI_PROVIDER_ALLOWED_HOSTS; "
            "vazio: o do próprio provedor.",
        ),
    ),
    "credential": Column(
        rule=text(16_384),
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "The key: `sealed:…` (esl-controller keys seal), `env:NAME` or `file:/path`. It is "
            "sent over wss alone.",
            "A chave: `sealed:…` (esl-controller keys seal), `env:NOME` ou `file:/caminho`. Só é "
            "enviada por wss.",
        ),
    ),
    "headers": Column(
        rule=HEADERS,
        use=Use.NEEDED,
        default={},
        meaning=Words("Further headers of the connection.", "Outros cabeçalhos da conexão."),
    ),
    "model": Column(
        rule=text(100),
        meaning=Words(
            "Model to ask for; a secretary's own wins.",
            "Modelo a pedir; o da secretária tem precedência.",
        ),
    ),
    "default_voice_id": Column(
        rule=text(100),
        meaning=Words(
            "Voice of secretaries that name none.", "Voz das secretárias que não indicam nenhuma."
        ),
    ),
    "provider_settings": Column(
        rule=OBJECT,
        default={},
        meaning=Words(
            "Settings of this kind of provider (docs/secretary.md). Never a key, a header or an "
            "address.",
            "Opções deste tipo de provedor (no fim da página). Nunca chave, cabeçalho ou endereço.",
        ),
    ),
    "priority": Column(
        rule=whole(-(2**31), 2**31 - 1),
        default=100,
        meaning=Words(
            "Lowest first, when a call looks for its next provider.",
            "O menor primeiro, quando a chamada procura o próximo provedor.",
        ),
    ),
    "max_concurrent_calls": Column(
        rule=whole(0, 100_000),
        meaning=Words(
            "Calls at once; empty: no limit.", "Chamadas simultâneas; vazio: sem limite."
        ),
    ),
    "enabled": Column(rule=FLAG, default=True, meaning=Words("Whether it is used.", "Se é usado.")),
}
