"""Words by which machines give themselves away, in English, Portuguese and Spanish. Pure."""

from __future__ import annotations

import re
from typing import Final

_MACHINE: Final = re.compile(
    r"leave (?:me |us )?(?:a |your )?(?:brief |detailed )?(?:message|name)|after the (?:tone|beep)"
    r"|at the (?:tone|beep)|voice ?mail|mail ?box|answering machine|can'?t (?:take|come to)"
    r"|cannot take|(?:is|are|am) (?:not|un)\s?available|unavailable (?:right now|at)"
    r"|has been forwarded|please record|reached the (?:voice|mail)"
    r"|deixe (?:a sua |sua |uma |o seu )?(?:mensagem|recado)|após o (?:sinal|bipe|bip|tom)"
    r"|depois do (?:sinal|bipe|bip)|caixa postal|correio de voz|secretária eletrônica"
    r"|não (?:posso|podemos|pode) atender|grave (?:a sua |sua )?mensagem"
    r"|deje (?:su |un |tu )?(?:mensaje|recado)|después (?:de la señal|del tono)"
    r"|buzón de voz|contestador|no (?:puedo|podemos|puede) atender"
)
_SCREENING: Final = re.compile(
    r"(?:say|state|record) your name|who(?:'s| is) calling|who are you calling for"
    r"|(?:reason|purpose) (?:for|of) (?:your |the )?call|call (?:assist|screen)"
    r"|before (?:i|we) (?:try to )?connect|person you(?:'re| are) (?:calling|trying to reach)"
    r"|(?:diga|fale|informe) (?:o )?seu nome|quem (?:está ligando|fala|gostaria)"
    r"|motivo d[ao] (?:sua )?(?:ligação|chamada)"
    r"|(?:diga|indique) su nombre|quién (?:llama|habla)|motivo de (?:su |la )?llamada"
)
_WAIT: Final = re.compile(
    r"(?:please )?hold|one moment|stay on the line|connecting you|all (?:our )?(?:agents|lines)"
    r"|aguarde|um momento|um instante|não desligue|espere|un momento|no cuelgue|manténgase"
)


def is_machine(text: str) -> bool:
    """Someone who is not there speaks."""
    return _MACHINE.search(text.casefold()) is not None


def is_screening(text: str) -> bool:
    """Something asks who calls before anybody answers."""
    return _SCREENING.search(text.casefold()) is not None


def asks_to_wait(text: str) -> bool:
    """Somebody, or something, wants us to hold."""
    return _WAIT.search(text.casefold()) is not None
