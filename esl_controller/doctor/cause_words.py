"""What is said of each cause of `causes.py`: the cause, what the caller heard, what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.tenants.checks import Words


@dataclass(frozen=True, slots=True)
class Told:
    """Of one cause; {names} are filled in with what was found."""

    cause: Words
    heard: Words
    todo: Words


_DIALPLAN = Words(
    "What stands behind `socket` in the dialplan, without a word of the AI.",
    "O que vem depois de `socket` no plano de discagem, sem uma palavra da IA.",
)
_ALL_WELL = Words("Everything he was told.", "Tudo o que lhe foi dito.")
_NOTHING_TO_DO = Words("Nothing.", "Nada.")
_CUT = Words(
    "{turns} answers, then what stands behind `socket`, or the end of the call.",
    "{turns} respostas, depois o que vem após `socket`, ou o fim da chamada.",
)

TOLD: dict[str, Told] = {
    "internal": Told(
        Words("A mistake of the program: {reason}.", "Um erro do programa: {reason}."),
        _CUT,
        Words(
            "Report it with the traceback: log, event call.failed of this call.",
            "Relate-o com o traceback: registro, evento call.failed desta chamada.",
        ),
    ),
    "worker_lost": Told(
        Words(
            "The worker that had the call died or was stopped ({worker}).",
            "O processo que tinha a chamada morreu ou foi parado ({worker}).",
        ),
        Words(
            "Silence for up to a second in mid-word, then what stands behind `socket`.",
            "Até um segundo de silêncio no meio da fala, depois o que vem após `socket`.",
        ),
        Words(
            "Look why it ended: its log, the kernel's (out of memory), the supervisor's.",
            "Veja por que terminou: registro dele, do kernel (memória), do supervisor.",
        ),
    ),
    "event_socket_lost": Told(
        Words(
            "The Event Socket connection was cut: FreeSWITCH ended, or the network between.",
            "A conexão do Event Socket foi cortada: o FreeSWITCH terminou, ou a rede no meio.",
        ),
        Words("The call ended.", "A chamada terminou."),
        Words(
            "Look whether FreeSWITCH was restarted or killed at that time.",
            "Veja se o FreeSWITCH foi reiniciado ou morto naquele momento.",
        ),
    ),
    "closed": Told(
        Words("The secretary was closed: {reason}.", "A secretária estava fechada: {reason}."),
        _DIALPLAN,
        Words(
            "Nothing, if the hours are right: `esl-controller secretary show`.",
            "Nada, se o horário está certo: `esl-controller secretary show`.",
        ),
    ),
    "budget": Told(
        Words("The tenant's money is used up: {reason}.", "O orçamento acabou: {reason}."),
        _DIALPLAN,
        Words(
            "Raise the budget, or wait for the next day or month: `esl-controller tenant set`.",
            "Aumente o orçamento, ou espere o próximo dia ou mês: `esl-controller tenant set`.",
        ),
    ),
    "full": Told(
        Words("There was no room: {reason}.", "Não havia vaga: {reason}."),
        _DIALPLAN,
        Words(
            "More workers or a higher limit; `esl-controller doctor` tells which limit is near.",
            "Mais processos ou um limite maior; `esl-controller doctor` diz qual está próximo.",
        ),
    ),
    "no_module": Told(
        Words(
            "The caller's audio never came: {reason}.",
            "O áudio de quem ligou nunca veio: {reason}.",
        ),
        Words(
            "Nothing of the AI, then what stands behind `socket`.",
            "Nada da IA, depois o que vem após `socket`.",
        ),
        Words(
            "`esl-controller doctor`: is mod_audio_stream loaded, and does FreeSWITCH reach "
            "VOICE_AI_MEDIA_PUBLIC_HOST? Without the module set VOICE_AI_MEDIA_INPUT=unicast.",
            "`esl-controller doctor`: mod_audio_stream está carregado, e o FreeSWITCH alcança "
            "VOICE_AI_MEDIA_PUBLIC_HOST? Sem o módulo, use VOICE_AI_MEDIA_INPUT=unicast.",
        ),
    ),
    "stream_lost": Told(
        Words(
            "The caller's audio stopped coming, and could not be started again: {reason}.",
            "O áudio de quem ligou parou de vir e não pôde recomeçar: {reason}.",
        ),
        _CUT,
        Words(
            "Look at FreeSWITCH's log at that time, and at the network between it and the worker.",
            "Veja o registro do FreeSWITCH naquele momento, e a rede até o processo.",
        ),
    ),
    "provider_key": Told(
        Words("The provider refused the key: {reason}.", "O provedor recusou a chave: {reason}."),
        _DIALPLAN,
        Words(
            "Enter a valid key: `esl-controller provider set`, then `provider test`.",
            "Informe uma chave válida: `esl-controller provider set`, depois `provider test`.",
        ),
    ),
    "provider_quota": Told(
        Words("The provider's quota is used up: {reason}.", "A cota do provedor acabou: {reason}."),
        _DIALPLAN,
        Words(
            "Pay the vendor or raise the limit there; a second provider would have taken the call.",
            "Pague ao fornecedor ou aumente o limite lá; um segundo provedor teria atendido.",
        ),
    ),
    "provider_rate": Told(
        Words("The provider limits the rate: {reason}.", "O provedor limita o ritmo: {reason}."),
        _CUT,
        Words(
            "Ask the vendor for a higher limit, or set `max_concurrent_calls` of the provider.",
            "Peça um limite maior ao fornecedor, ou defina `max_concurrent_calls` do provedor.",
        ),
    ),
    "provider_unusable": Told(
        Words(
            "Of this secretary {reason}.",
            "Nenhum provedor desta secretária pode ser usado: {reason}.",
        ),
        _DIALPLAN,
        Words(
            "`esl-controller config check --domain … --extension …` says what is wrong with each.",
            "`esl-controller config check --domain … --extension …` diz o que há com cada um.",
        ),
    ),
    "provider_unreachable": Told(
        Words(
            "The provider could not be had: {reason}.",
            "Não foi possível usar o provedor: {reason}.",
        ),
        _DIALPLAN,
        Words(
            "`esl-controller doctor --online`, `esl-controller provider test`.",
            "`esl-controller doctor --online`, `esl-controller provider test`.",
        ),
    ),
    "provider_lost": Told(
        Words(
            "The provider failed in the call, and no other could take over: {reason}.",
            "O provedor falhou na chamada e nenhum outro pôde assumir: {reason}.",
        ),
        Words(
            '{turns} answers, "One moment, please", then what stands behind `socket`.',
            '{turns} respostas, "Um momento, por favor", depois o que vem após `socket`.',
        ),
        Words(
            "`esl-controller provider test`; add a second provider with a lower priority.",
            "`esl-controller provider test`; acrescente um segundo provedor de menor prioridade.",
        ),
    ),
    "settings": Told(
        Words("The settings could not be used: {reason}.", "Configuração inutilizável: {reason}."),
        _DIALPLAN,
        Words(
            "`esl-controller config check --domain … --extension …`; is the database there?",
            "`esl-controller config check --domain … --extension …`; o banco de dados está lá?",
        ),
    ),
    "not_ours": Told(
        Words("The AI was not to take it: {reason}.", "A IA não devia atender: {reason}."),
        _DIALPLAN,
        Words(
            "Nothing, unless the number should be answered: `esl-controller secretary list`.",
            "Nada, a não ser que o número deva ser atendido: `esl-controller secretary list`.",
        ),
    ),
    "transfer_no_answer": Told(
        Words(
            "The transfer was not answered: {destination} ({why}).",
            "A transferência não foi atendida: {destination} ({why}).",
        ),
        Words(
            "Ringing or hold music, then the agent again or the dialplan.",
            "Toque ou música de espera, depois a atendente de novo ou o plano de discagem.",
        ),
        Words(
            "Is somebody there at that hour? Give the rule a fallback, or hours.",
            "Há alguém lá nesse horário? Dê à regra uma alternativa, ou horário.",
        ),
    ),
    "transfer_not_taken": Told(
        Words(
            "Who was called did not take the transfer: {destination} ({why}).",
            "Quem foi chamado não aceitou a transferência: {destination} ({why}).",
        ),
        Words(
            "Hold music, then the agent again or the dialplan.",
            "Música de espera, depois a atendente de novo ou o plano de discagem.",
        ),
        Words("Nothing, if that was meant so.", "Nada, se era essa a intenção."),
    ),
    "transfer_failed": Told(
        Words(
            "The transfer did not work: {destination} ({why}).",
            "A transferência não funcionou: {destination} ({why}).",
        ),
        Words(
            "Hold music, then the agent again or the dialplan.",
            "Música de espera, depois a atendente de novo ou o plano de discagem.",
        ),
        Words(
            "Is the telephone registered, the number right? `esl-controller config check`.",
            "O telefone está registrado, o número está certo? `esl-controller config check`.",
        ),
    ),
    "broken": Told(
        Words("The call broke: {reason}.", "A chamada quebrou: {reason}."),
        _CUT,
        Words(
            "Look at the lines of its log below.",
            "Veja abaixo as linhas do registro.",
        ),
    ),
    "hub_late": Told(
        Words(
            "The worker was too busy: its timers were up to {lag_ms} ms late.",
            "O processo estava ocupado demais: temporizadores até {lag_ms} ms atrasados.",
        ),
        Words("Gaps in the voice, and late answers.", "Falhas na voz e respostas tardias."),
        Words(
            "Fewer calls a worker, more cores, nothing else on them: runbook, VoiceAiHubLag.",
            "Menos chamadas por processo, mais núcleos, nada mais neles: runbook, VoiceAiHubLag.",
        ),
    ),
    "provider_saved": Told(
        Words(
            "A provider failed, and the call went on with another or a new connection: {reason}.",
            "Um provedor falhou, e a chamada seguiu com outro ou nova conexão: {reason}.",
        ),
        Words(
            '"One moment, please", then the answer.',
            '"Um momento, por favor", depois a resposta.',
        ),
        Words(
            "If it happens again: `esl-controller provider test`, and the vendor's status page.",
            "Se repetir: `esl-controller provider test`, e a página de estado do fornecedor.",
        ),
    ),
    "function_failed": Told(
        Words("A function failed: {name}: {why}.", "Uma função falhou: {name}: {why}."),
        Words(
            "The agent said that it could not do it.",
            "A atendente disse que não conseguiu.",
        ),
        Words(
            "Try the system behind it; its address and key are in the function's settings.",
            "Teste o sistema por trás; endereço e chave estão na configuração da função.",
        ),
    ),
    "answers_late": Told(
        Words(
            "An answer took {took_ms} ms, most of it {part} ({part_ms} ms).",
            "Uma resposta levou {took_ms} ms, a maior parte {part} ({part_ms} ms).",
        ),
        Words(
            'Silence, or "One moment, please", before the answer.',
            'Silêncio, ou "Um momento, por favor", antes da resposta.',
        ),
        Words(
            "model: a faster one or a shorter prompt; network: a nearer region; buffer: our side.",
            "model: um mais rápido ou prompt menor; network: região próxima; buffer: nosso lado.",
        ),
    ),
    "abandoned": Told(
        Words(
            "The caller hung up before the call was answered.",
            "Quem ligou desligou antes de ser atendido.",
        ),
        Words("Ringing.", "Toque de chamada."),
        _NOTHING_TO_DO,
    ),
    "caller_silent": Told(
        Words("The caller said nothing for too long.", "Quem ligou ficou calado tempo demais."),
        Words("A question whether he is there, then a good-bye.", "Perguntas, depois a despedida."),
        Words(
            "If callers do speak: is their audio heard? The turns above are what was understood.",
            "Se falam: o áudio deles é ouvido? Os turnos acima são o que foi entendido.",
        ),
    ),
    "limit": Told(
        Words("A limit ended the call: {end_cause}.", "Um limite encerrou: {end_cause}."),
        Words("A good-bye.", "Uma despedida."),
        _NOTHING_TO_DO,
    ),
    "unknown": Told(
        Words(
            "No worker that is looked at has a record of it: the call never came here.",
            "Nenhum registro daqui a conhece: a chamada nunca chegou.",
        ),
        _DIALPLAN,
        Words(
            "Look at the dialplan and at `voice_ai_outcome`; give the worker's log with --log.",
            "Veja o plano de discagem e `voice_ai_outcome`; informe o registro com --log.",
        ),
    ),
    "in_spool": Told(
        Words(
            "The call itself was well; its record waits in the spool, not in the database.",
            "A chamada foi bem; o registro dela espera no spool, não no banco de dados.",
        ),
        _ALL_WELL,
        Words(
            "Is the database there? `esl-controller doctor`; lines in rejected/ say why.",
            "O banco de dados está lá? `esl-controller doctor`; em rejected/ está o motivo.",
        ),
    ),
    "going_on": Told(
        Words("The call is going on.", "A chamada está em andamento."),
        _ALL_WELL,
        _NOTHING_TO_DO,
    ),
    "transferred": Told(
        Words("Nothing went wrong: transferred.", "Nada deu errado: transferida."),
        _ALL_WELL,
        _NOTHING_TO_DO,
    ),
    "completed": Told(
        Words("Nothing went wrong: completed.", "Nada deu errado: concluída."),
        _ALL_WELL,
        _NOTHING_TO_DO,
    ),
    "other": Told(
        Words("It ended as {outcome}: {reason}.", "Terminou como {outcome}: {reason}."),
        _CUT,
        _NOTHING_TO_DO,
    ),
}
