"""The columns of `v_voice_realtime_settings`: what a domain may spend and keep."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.checks import (
    DIALABLE,
    FLAG,
    HOSTS,
    MONEY,
    TIME_ZONE,
    UUID,
    Words,
    choice,
    text,
    whole,
)
from esl_controller.tenants.columns.after_call import AFTER_CALL
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.columns.knowledge import KNOWLEDGE
from esl_controller.tenants.columns.systems import SYSTEMS

TENANT: Mapping[str, Column] = {
    "domain_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("The tenant.", "O cliente (domínio).")
    ),
    "company_name": Column(
        rule=text(200),
        meaning=Words(
            "What `{{company}}` stands for in texts; empty: the domain's name.",
            "O que `{{company}}` significa nos textos; vazio: o nome do domínio.",
        ),
    ),
    "time_zone": Column(
        rule=TIME_ZONE,
        default="UTC",
        meaning=Words(
            "Zone of business hours, and of the day a budget is for; empty: FusionPBX's own "
            "setting (domain, then default), else UTC.",
            "Fuso do horário de atendimento e do dia do orçamento; vazio: o do próprio FusionPBX "
            "(do domínio, depois o padrão), senão UTC.",
        ),
    ),
    "max_concurrent_calls": Column(
        rule=whole(0, 100_000),
        meaning=Words(
            "Calls at once, over all workers and hosts; empty: no limit.",
            "Chamadas simultâneas, somando processos e servidores; vazio: sem limite.",
        ),
    ),
    "daily_budget_usd": Column(
        rule=MONEY,
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words("Budget of a day; empty: no limit.", "Orçamento do dia; vazio: sem limite."),
    ),
    "monthly_budget_usd": Column(
        rule=MONEY,
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "Budget of a month; empty: no limit.", "Orçamento do mês; vazio: sem limite."
        ),
    ),
    "budget_warning_percent": Column(
        rule=whole(1, 100),
        default=80,
        meaning=Words(
            "From there on a warning is logged, once a day or month.",
            "A partir daí um aviso é registrado, uma vez por dia ou mês.",
        ),
    ),
    "budget_action": Column(
        rule=choice("low_cost", "turn_based", "human"),
        default="turn_based",
        meaning=Words(
            "What happens to further calls once a budget is used up.",
            "O que acontece com novas chamadas quando o orçamento acaba.",
        ),
    ),
    "human_extension": Column(
        rule=DIALABLE,
        meaning=Words("Who then takes the calls, with `human`.", "Quem atende então, com `human`."),
    ),
    "retention_days": Column(
        rule=whole(1, 36_500),
        meaning=Words(
            "Conversations older than that are deleted; empty: kept for ever.",
            "Conversas mais antigas são apagadas; vazio: guardadas para sempre.",
        ),
    ),
    "store_transcripts": Column(
        rule=FLAG,
        default=True,
        instead=False,
        meaning=Words("Whether what was said is stored.", "Se o que foi dito é guardado."),
    ),
    "redact_personal_data": Column(
        rule=FLAG,
        default=False,
        instead=True,
        meaning=Words(
            "Hide telephone numbers, addresses and documents in what is stored; card numbers "
            "always are.",
            "Oculta telefones, endereços e documentos no que é guardado; números de cartão são "
            "sempre ocultados.",
        ),
    ),
    "allowed_tool_hosts": Column(
        rule=HOSTS,
        default=[],
        meaning=Words(
            "Hosts of the tenant's own systems, which its functions and webhooks may reach, within "
            "VOICE_AI_SERVICES_ALLOWED_HOSTS: `crm.example`, `*.example.com`, an address or a "
            "network, with `:port` where only one is meant.",
            "Hosts dos sistemas do próprio cliente, que suas funções e webhooks podem acessar, "
            "dentro de VOICE_AI_SERVICES_ALLOWED_HOSTS: `crm.exemplo`, `*.exemplo.com.br`, um "
            "endereço ou uma rede, com `:porta` quando só uma é permitida.",
        ),
    ),
    "outbound_max_concurrent": Column(
        rule=whole(0, 1000),
        default=0,
        meaning=Words(
            "Calls we make at once; 0: we make none.",
            "Chamadas que fazemos ao mesmo tempo; 0: nenhuma.",
        ),
    ),
    "outbound_per_hour": Column(
        rule=whole(0, 100_000),
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "Calls we make in an hour at most; empty: no limit.",
            "Máximo de chamadas que fazemos em uma hora; vazio: sem limite.",
        ),
    ),
    "outbound_per_day": Column(
        rule=whole(0, 1_000_000),
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "Calls we make in 24 hours at most; empty: no limit.",
            "Máximo de chamadas que fazemos em 24 horas; vazio: sem limite.",
        ),
    ),
    "outbound_caller_id": Column(
        rule=DIALABLE,
        meaning=Words(
            "Number shown to who is called; empty: the secretary's own.",
            "Número mostrado a quem recebe a chamada; vazio: o da própria secretária.",
        ),
    ),
    **AFTER_CALL,
    **SYSTEMS,
    **KNOWLEDGE,
}
