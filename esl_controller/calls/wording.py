"""Our own words of a conversation, in the language it is held in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.session.phrases import Phrases
from esl_controller.database.hours import Opening, Reason
from esl_controller.database.models import RouteEntry, SecretaryRealtime
from esl_controller.tenants.dates import clock_words, date_words, primary, when_words
from esl_controller.tenants.prompt import Known, render, spoken


@dataclass(frozen=True, slots=True)
class _Closed:
    now: str
    today: str
    opens: str
    """With {when}."""
    offer: str


_CLOSED = {
    "en": _Closed(
        "We are closed at the moment.",
        "We are closed today.",
        "We open again {when}.",
        "How can I help you meanwhile?",
    ),
    "pt": _Closed(
        "No momento estamos fechados.",
        "Hoje estamos fechados.",
        "Abrimos de novo {when}.",
        "Em que posso ajudar enquanto isso?",
    ),
    "es": _Closed(
        "En este momento estamos cerrados.",
        "Hoy estamos cerrados.",
        "Volvemos a abrir {when}.",
        "¿En qué puedo ayudarle mientras tanto?",
    ),
}
_STILL = (
    "What you can still do: answer questions, say when it opens, and write down who called and "
    "what they want."
)


def phrases_of(secretary: SecretaryRealtime, known: Known, language: str | None = None) -> Phrases:
    """The tenant's own words where there are any, else ours.

    Args:
        language: what the caller has changed to; the tenant's own words are in the secretary's.
    """
    preset = _PHRASES.get(primary(language or secretary.language), _PHRASES["en"])
    if language is not None and primary(language) != primary(secretary.language):
        return Phrases(**preset)
    own = {
        "still_there": spoken(secretary.silence_prompt or "", known),
        "good_bye": spoken(secretary.farewell_message or "", known),
    }
    return Phrases(**{**preset, **{name: words for name, words in own.items() if words}})


def greeting_when_closed(secretary: SecretaryRealtime, opening: Opening, known: Known) -> str:
    """What is said first outside the hours: that it is closed, when it opens, and an offer."""
    if secretary.closed_message:
        return spoken(secretary.closed_message, known)
    words = _CLOSED.get(primary(secretary.language), _CLOSED["en"])
    closed = words.today if opening.reason is Reason.CLOSED_DATE else words.now
    return " ".join(filter(None, (closed, _opens(opening, secretary.language, words), words.offer)))


def when_closed(secretary: SecretaryRealtime, opening: Opening, known: Known) -> str:
    """What the model is told of it."""
    at = f"{date_words(opening.at, 'en')}, {clock_words(opening.at)}"
    opens = opening.next_open_at
    again = f"It opens again {when_words(opens, opening.at, 'en')}." if opens else ""
    told = (
        f"It is {at}, and closed: nobody is there now. {again} Tell the caller so, and promise "
        "nobody before then."
    )
    return f"{told}\n{render(secretary.closed_prompt or _STILL, known)}"


def _opens(opening: Opening, language: str | None, words: _Closed) -> str:
    then = opening.next_open_at
    return words.opens.format(when=when_words(then, opening.at, language)) if then else ""


def languages_told(entry: RouteEntry) -> str:
    """What the model is told of the languages its callers may choose from."""
    secretary = entry.secretary
    others = [one for one in secretary.languages if one != secretary.language]
    if not others:
        return ""
    first = f"Begin in {language_name(secretary.language)}. " if secretary.language else ""
    listed = ", ".join(f"{language_name(one)} ({one})" for one in others)
    return (
        f"{first}When the caller asks for another of these languages or speaks it, call "
        f"change_language first and then go on in it: {listed}. You speak no others."
    )


def language_name(tag: str) -> str:
    """In English; the tag itself where we have no name for it."""
    return _NAMES.get(primary(tag), tag)


_NAMES: Mapping[str, str] = {
    "ar": "Arabic",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
_PHRASES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "still_there": "Are you still there?",
        "good_bye": "Thank you for calling. Good-bye!",
        "time_up": "Our time for this call is over. Thank you, and good-bye!",
        "connecting": "One moment, I am connecting you.",
        "say_again": "I am sorry, I did not catch that. Could you say it again?",
    },
    "pt": {
        "still_there": "Você ainda está na linha?",
        "good_bye": "Obrigado pela ligação. Até logo!",
        "time_up": "O tempo desta ligação acabou. Obrigado e até logo!",
        "connecting": "Um momento, vou transferir a sua ligação.",
        "say_again": "Desculpe, não entendi. Pode repetir?",
    },
    "es": {
        "still_there": "¿Sigue usted en la línea?",
        "good_bye": "Gracias por llamar. ¡Hasta luego!",
        "time_up": "El tiempo de esta llamada ha terminado. ¡Gracias y hasta luego!",
        "connecting": "Un momento, le paso con la persona indicada.",
        "say_again": "Perdone, no le he entendido. ¿Puede repetirlo?",
    },
}
