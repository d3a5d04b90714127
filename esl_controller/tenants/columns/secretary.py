"""The columns of `v_voice_secretaries_realtime`: who answers a number, and how."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.providers.registry import DEFAULT_KIND, KINDS
from esl_controller.tenants.checks import (
    DIALABLE,
    FLAG,
    LANGUAGE,
    LANGUAGES,
    OBJECT,
    UUID,
    VOICE_SETTINGS,
    Words,
    choice,
    number,
    text,
    whole,
)
from esl_controller.tenants.columns.after_call import REPORTED
from esl_controller.tenants.columns.column import Column, Use
from esl_controller.tenants.columns.limits import LIMITS
from esl_controller.tenants.columns.recording import RECORDED
from esl_controller.tenants.columns.systems import OFFERED
from esl_controller.tenants.transfer_rules import MODES, RING_S, TRANSFER_RULES

_WHO: Mapping[str, Column] = {
    "secretary_realtime_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("Key of the row.", "Chave da linha.")
    ),
    "domain_uuid": Column(
        rule=UUID, use=Use.NEEDED, meaning=Words("The tenant.", "O cliente (domínio).")
    ),
    "voice_secretary_uuid": Column(
        rule=UUID,
        use=Use.UNUSED,
        because=": version 1's secretary is found by its number",
        meaning=Words("Version 1's secretary.", "A secretária da versão 1."),
    ),
    "secretary_name": Column(
        rule=text(255),
        default="(no name)",
        meaning=Words("Name in lists and checks.", "Nome em listas e verificações."),
    ),
    "extension": Column(
        rule=DIALABLE,
        meaning=Words("The number it answers; empty: none.", "O número que atende; vazio: nenhum."),
    ),
    "language": Column(
        rule=LANGUAGE,
        meaning=Words(
            "Language of the caller and of our own phrases; empty: the model finds out.",
            "Idioma de quem liga e das nossas frases; vazio: o modelo descobre.",
        ),
    ),
    "languages": Column(
        rule=LANGUAGES,
        default=[],
        meaning=Words(
            "Other languages the caller may change to, by asking or by speaking one: the AI and "
            "our own phrases follow.",
            "Outros idiomas para os quais quem liga pode mudar, pedindo ou falando: a IA e as "
            "nossas frases acompanham.",
        ),
    ),
    "realtime_provider": Column(
        rule=choice(*KINDS),
        default=DEFAULT_KIND,
        use=Use.NEEDED,
        meaning=Words(
            "Kind of provider, where no row is named.",
            "Tipo de provedor, quando nenhuma linha é indicada.",
        ),
    ),
    "voice_realtime_provider_uuid": Column(
        rule=UUID,
        use=Use.NEEDED,
        may_be_empty=True,
        meaning=Words(
            "The domain's provider row to use; empty: the first of that kind by priority.",
            "A linha de provedor do domínio; vazio: a primeira desse tipo por prioridade.",
        ),
    ),
    "provider_config": Column(
        rule=OBJECT,
        default={},
        meaning=Words(
            "Fields of the provider's own session, over everything else here.",
            "Campos da sessão do próprio provedor, acima de tudo o mais aqui.",
        ),
    ),
    "model": Column(
        rule=text(100),
        meaning=Words(
            "Model to ask for; empty: the provider row's.",
            "Modelo a pedir; vazio: o da linha do provedor.",
        ),
    ),
    "transcription_model": Column(
        rule=text(100),
        meaning=Words(
            "Model that writes down what the caller says.",
            "Modelo que transcreve o que diz quem liga.",
        ),
    ),
    "voice_id": Column(
        rule=text(100),
        meaning=Words("Voice; empty: the provider row's.", "Voz; vazio: a da linha do provedor."),
    ),
    "voice_settings": Column(
        rule=VOICE_SETTINGS,
        default={},
        meaning=Words("How fast it speaks.", "A velocidade da fala."),
    ),
    "noise_reduction": Column(
        rule=choice("none", "near_field", "far_field"),
        default="none",
        meaning=Words(
            "What the provider does against noise.", "O que o provedor faz contra ruído."
        ),
    ),
}

_WORDS: Mapping[str, Column] = {
    "system_prompt": Column(
        rule=text(100_000),
        meaning=Words("Who the AI is and what it does.", "Quem a IA é e o que faz."),
    ),
    "first_message": Column(
        rule=text(10_000),
        meaning=Words(
            "What it says first; empty: the caller begins.",
            "O que diz primeiro; vazio: quem liga começa.",
        ),
    ),
    "farewell_message": Column(
        rule=text(10_000),
        meaning=Words(
            "Its good-bye; empty: ours, in its language.",
            "A despedida; vazio: a nossa, no idioma dela.",
        ),
    ),
    "silence_prompt": Column(
        rule=text(10_000),
        meaning=Words(
            "What a silent caller is asked, once; empty: ours.",
            "O que se pergunta, uma vez, a quem fica calado; vazio: a nossa pergunta.",
        ),
    ),
    "vad_mode": Column(
        rule=choice("server", "semantic"),
        default="server",
        meaning=Words(
            "A turn ends by silence, or by sense.", "A vez termina pelo silêncio ou pelo sentido."
        ),
    ),
    "vad_threshold": Column(
        rule=number(0, 1),
        default=0.5,
        meaning=Words(
            "How loud speech is; higher where lines are noisy.",
            "O volume que conta como fala; maior em linhas ruidosas.",
        ),
    ),
    "vad_prefix_padding_ms": Column(
        rule=whole(0, 5000),
        default=300,
        meaning=Words(
            "Sound kept from before speech began.", "Som guardado de antes do início da fala."
        ),
    ),
    "silence_duration_ms": Column(
        rule=whole(20, 10_000),
        default=500,
        meaning=Words(
            "Silence that ends a turn, with `server`.",
            "Silêncio que encerra a vez, com `server`.",
        ),
    ),
    "vad_eagerness": Column(
        rule=choice("low", "medium", "high", "auto"),
        default="auto",
        meaning=Words(
            "How soon it answers, with `semantic`.", "A pressa de responder, com `semantic`."
        ),
    ),
    "vad_idle_timeout_ms": Column(
        rule=whole(5000, 30_000),
        meaning=Words(
            "The model speaks up after such a silence; empty: it waits.",
            "O modelo toma a palavra após esse silêncio; vazio: espera.",
        ),
    ),
    "barge_in": Column(
        rule=FLAG,
        default=True,
        meaning=Words("The caller may interrupt.", "Quem liga pode interromper."),
    ),
    "turn_detector": Column(
        rule=choice("provider", "own"),
        default="provider",
        meaning=Words(
            "Who finds the caller's turns: the provider, or our own ear, where the provider "
            "lets it.",
            "Quem encontra as vezes de quem liga: o provedor, ou o nosso próprio ouvido, onde o "
            "provedor deixa.",
        ),
    ),
    "resume_after_noise": Column(
        rule=FLAG,
        default=True,
        meaning=Words(
            "A sound without words does not interrupt: the AI goes on where it stopped.",
            "Um som sem palavras não interrompe: a IA continua de onde parou.",
        ),
    ),
    "ignore_back_channels": Column(
        rule=FLAG,
        default=True,
        meaning=Words(
            '"Uh-huh" and the like do not interrupt either.',
            '"Aham", "sim, sim" e afins também não interrompem.',
        ),
    ),
    "greeting_barge_in": Column(
        rule=FLAG,
        default=True,
        meaning=Words(
            "The caller may interrupt what it says first.",
            "Quem liga pode interromper o que ela diz primeiro.",
        ),
    ),
    "legal_notice": Column(
        rule=text(10_000),
        meaning=Words(
            "Said before everything else; nobody can interrupt it, or the first message after it.",
            "Dito antes de tudo; ninguém pode interrompê-lo, nem a primeira mensagem que o segue.",
        ),
    ),
    "comfort_sound": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "A soft sound while a function works.", "Um som suave enquanto uma função trabalha."
        ),
    ),
    "dtmf_pause_ms": Column(
        rule=whole(200, 30_000),
        default=2000,
        meaning=Words(
            "Keys pressed are handed to the model after this pause, or at `#`.",
            "As teclas vão ao modelo após esta pausa, ou com `#`.",
        ),
    ),
}

_WHAT: Mapping[str, Column] = {
    "enable_rag": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "It may look things up in the documents of the domain (`esl-controller knowledge`).",
            "Pode consultar os documentos do domínio (`esl-controller knowledge`).",
        ),
    ),
    "rag_collection_id": Column(
        rule=UUID,
        use=Use.UNUSED,
        because=": a domain has one knowledge base, switched on by enable_rag",
        meaning=Words("Kept for a knowledge base.", "Reservado para base de conhecimento."),
    ),
    **OFFERED,
    "transfer_rules": Column(
        rule=TRANSFER_RULES,
        default=[],
        meaning=Words(
            "Where the AI may transfer to; a wrong entry costs itself. Empty: it cannot transfer.",
            "Para onde a IA pode transferir; uma entrada errada custa só ela. Vazio: não "
            "transfere.",
        ),
    ),
    "transfer_directory": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "Callers are also connected to any extension, ring group, queue or IVR of the domain "
            "they name, not only to those in transfer_rules.",
            "Quem liga também é transferido a qualquer ramal, grupo, fila ou URA do domínio que "
            "nomear, não só aos de transfer_rules.",
        ),
    ),
    "transfer_mode": Column(
        rule=choice(*MODES),
        default="blind",
        meaning=Words(
            "How callers are connected where a rule says nothing else: handed over at once, or "
            "`announced`: the human hears who calls and why, and accepts first; `attended`: the AI "
            "then introduces both.",
            "Como se transfere quando a regra não diz outra coisa: direto (`blind`), ou anunciado "
            "(`announced`): quem atende ouve quem liga e por quê, e aceita antes; `attended`: a IA "
            "depois apresenta os dois.",
        ),
    ),
    "transfer_ring_seconds": Column(
        rule=RING_S,
        default=25,
        meaning=Words(
            "Longest ringing of an announced transfer.",
            "Toque mais longo de uma transferência anunciada.",
        ),
    ),
    "transfer_return": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "After an announced transfer the caller is with the AI again when the human hangs up.",
            "Depois de uma transferência anunciada, quem ligou volta à IA quando a pessoa desliga.",
        ),
    ),
    "hold_music": Column(
        rule=FLAG,
        default=True,
        meaning=Words(
            "Music for a caller who waits for a human; else silence.",
            "Música para quem espera por uma pessoa; senão, silêncio.",
        ),
    ),
}

_MEDIA: Mapping[str, Column] = {
    "playback_mode": Column(
        rule=choice("auto", "unicast", "binary", "json", "file"),
        default="auto",
        meaning=Words(
            "How the voice reaches the caller; `auto`: as installed.",
            "Como a voz chega a quem liga; `auto`: conforme a instalação.",
        ),
    ),
    "media_mode": Column(
        rule=choice("stream", "unicast"),
        default="stream",
        meaning=Words(
            "How the caller's voice comes: the audio module, or `unicast`.",
            "Como vem a voz de quem liga: o módulo de áudio ou `unicast`.",
        ),
    ),
    "enabled": Column(rule=FLAG, default=True, meaning=Words("Whether it answers.", "Se atende.")),
}

SECRETARY: Mapping[str, Column] = {
    **_WHO,
    **_WORDS,
    **_WHAT,
    **LIMITS,
    **_MEDIA,
    **RECORDED,
    **REPORTED,
}
