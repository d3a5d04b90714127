"""Columns of a secretary that say what is recorded, and what is left on machines."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.tenants.checks import FLAG, PAUSE_WORDS, Words, choice, text
from esl_controller.tenants.columns.column import Column

RECORDED: Mapping[str, Column] = {
    "record_calls": Column(
        rule=FLAG,
        default=False,
        meaning=Words(
            "Whether calls are recorded, in stereo, where FusionPBX looks for recordings.",
            "Se as chamadas são gravadas, em estéreo, onde o FusionPBX procura gravações.",
        ),
    ),
    "recording_consent": Column(
        rule=choice("none", "announce", "ask"),
        default="announce",
        instead="ask",
        meaning=Words(
            "What callers are told of it: nothing, that they are recorded, or also that they may "
            "refuse. What is said before the notice was heard is silence in the recording.",
            "O que se diz a quem liga: nada, que a chamada é gravada, ou também que pode recusar. "
            "O que se fala antes do aviso fica em silêncio na gravação.",
        ),
    ),
    "recording_notice": Column(
        rule=text(1000),
        meaning=Words(
            "The words of that notice; empty: ours, in its language.",
            "As palavras do aviso; vazio: as nossas, no idioma dela.",
        ),
    ),
    "recording_pause_words": Column(
        rule=PAUSE_WORDS,
        default=[],
        meaning=Words(
            "Words of either side after which the recording pauses, as before a card number; "
            "empty: ours, in its language.",
            "Palavras de qualquer dos lados que pausam a gravação, como antes de um número de "
            "cartão; vazio: as nossas, no idioma dela.",
        ),
    ),
    "voicemail_message": Column(
        rule=text(2000),
        meaning=Words(
            "What is left on an answering machine we reach; empty: nothing, we hang up.",
            "O que se deixa na secretária eletrônica que atender; vazio: nada, desligamos.",
        ),
    ),
}
