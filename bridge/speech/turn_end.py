"""How long a caller must be silent until a turn is over: by what was said so far. Pure.

A voice that pauses behind "and" or "my number is" goes on; the words tell that sooner than a longer
wait after every sentence would.
"""

from __future__ import annotations

OPEN_FACTOR = 2.5
"""Of the silence that ends a turn, where the words want to go on."""
MAX_SILENCE_MS = 3000
_OPEN = {
    "en": "a an and are as at because but by for from have i if in is my of on or our so the their "
    "to uh um was we well which with would your",
    "pt": "a ao aos as com como da das de do dos e em eu hum mas me meu minha na nas no nos num "
    "numa o os ou para pela pelo por porque pra quando que se sem seu sua tipo um uma",
    "es": "a al con como de del e el en es este la las lo los mi o para pero por porque que se si "
    "sin su un una y yo",
}
OPEN_WORDS = {language: frozenset(words.split()) for language, words in _OPEN.items()}
"""Nobody ends a turn with these, in the languages they are known for."""


def silence_needed_ms(text: str, language: str, silence_ms: int) -> int:
    """Silence that ends a turn of these words.

    Args:
        language: its base, `pt` of `pt-BR`.
        silence_ms: what is enough behind a sentence.
    """
    last = text.rstrip(" .…").rpartition(" ")[2].lower()
    wants_more = last in OPEN_WORDS.get(language, ()) or text.rstrip().endswith((",", "…"))
    needed_ms = round(silence_ms * OPEN_FACTOR) if wants_more else silence_ms
    return min(needed_ms, max(silence_ms, MAX_SILENCE_MS))
