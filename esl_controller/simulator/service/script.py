"""What the emulated model says and hears: a dialogue by turn, by keyword and after functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from esl_controller.simulator.service.recogniser import Recogniser

SPOKEN_AFTER = "\n\n"
"""In the instructions of a response, what follows this is said word for word."""


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A function the model asks for."""

    name: str
    arguments: str = "{}"
    """JSON text, sent as it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: words, functions or a failure."""

    text: str = ""
    calls: tuple[ScriptedCall, ...] = ()
    fail: tuple[str, str, str] | None = None
    """Type, code and message of the error that ends the response."""
    wav: str = ""
    """Path of a mono 16-bit WAV played instead of the synthetic voice."""


@dataclass(frozen=True, slots=True)
class Script:
    """A dialogue. The last of `answers` and of `caller_lines` repeat for ever."""

    answers: tuple[Answer, ...] = (Answer("Certainly. Is there anything else I can do for you?"),)
    """By turn of the caller, first to last."""
    keywords: Mapping[str, Answer] = field(default_factory=dict)
    """By a word in the caller's last text (digits pressed, for instance)."""
    after_function: Answer = Answer("All right, that is done: {output}")
    """`{output}` is what the function returned."""
    caller_lines: tuple[str, ...] = ()
    """What the transcription hears, by turn; without lines it tells the length."""
    recogniser: Recogniser | None = None
    """Hears what was really said instead."""

    def answer(self, turn: int) -> Answer:
        """The answer to the caller's turn number `turn`, from 0."""
        return self.answers[min(turn, len(self.answers) - 1)]

    def answer_text(self, text: str, turn: int) -> Answer:
        """The answer to a text: by keyword, else by turn."""
        for word, answer in self.keywords.items():
            if word.lower() in text.lower():
                return answer
        return self.answer(turn)

    def answer_function(self, output: str) -> Answer:
        """The answer once a function has returned."""
        return Answer(self.after_function.text.replace("{output}", output))

    def caller_line(self, turn: int, length_ms: int, audio: bytes = b"", rate_hz: int = 0) -> str:
        """What the transcription makes of the caller's turn; `audio` is L16."""
        if self.recogniser is not None and rate_hz:
            return self.recogniser.words(audio, rate_hz)
        if not self.caller_lines:
            return f"[speech {length_ms / 1000:.1f} s]"
        return self.caller_lines[min(turn, len(self.caller_lines) - 1)]


def spoken_text(instructions: str) -> str:
    """What instructions of the form «Say exactly …:», blank line, text, want said; else empty."""
    head, _, text = instructions.partition(SPOKEN_AFTER)
    return text.strip() if head.lower().startswith("say ") else ""


DEMO = Script(
    answers=(
        Answer("Good morning, you have reached the front desk. How can I help you?"),
        Answer("Let me look that up.", calls=(ScriptedCall("lookup_customer", '{"query":"me"}'),)),
        Answer("Would you like me to connect you to a colleague?"),
        Answer("Very well. Is there anything else?"),
    ),
    keywords={
        "transfer": Answer(
            "One moment, I will connect you.",
            calls=(ScriptedCall("transfer_call", '{"destination":"100"}'),),
        ),
        "goodbye": Answer("Good-bye.", calls=(ScriptedCall("end_call", "{}"),)),
    },
)
ECHO = Script()
LOAD = Script(answers=(Answer("One, two, three, four."),))
"""Answers of the same length, of about two seconds, for ever."""
TALK = Script(
    answers=(
        Answer(
            "Yes, we are open until six today, and until eight tomorrow. "
            "Shall I make a note that you will call again?"
        ),
    )
)
"""The same of about five seconds."""
DESK = Script(
    answers=(
        Answer(
            "Ten metres forward, certainly. I will tell the driver, and then I will also make a "
            "note of it in your file, so that nobody forgets it."
        ),
        Answer("I am sorry, please go on. What did he do?"),
        Answer("That is good to hear. Is there anything else I can do for you?"),
    ),
    keywords={
        "keypad": Answer("You pressed one and two: opening hours. We are open from eight to six.")
    },
    caller_lines=(
        "go forward ten meters",
        "he was not an ill disposed young man",
        "he might even have been made amiable himself",
    ),
)
"""Fits the recorded voices that come with the package."""
RECEPTION = Script(
    answers=(
        Answer("Certainly, a table for two tomorrow evening. At what time would you like to come?"),
        Answer("Eight o'clock. Your table is booked. Is there anything else I can do for you?"),
        Answer(
            "We are open every day from noon until eleven in the evening. The kitchen takes orders "
            "until ten, and on Sundays we also serve breakfast from nine in the morning."
        ),
        Answer(
            "One moment, please. I will connect you to the manager.",
            calls=(ScriptedCall("transfer_call", '{"destination":"manager"}'),),
        ),
    ),
    after_function=Answer(""),
    caller_lines=(
        "I would like to book a table for two people tomorrow evening",
        "at eight o'clock please",
        "what are your opening hours",
        "could you connect me to the manager",
    ),
)
"""A restaurant's: a booking, a question, a transfer. The lines are the caller's in the demo."""
RECEPTION_PT = Script(
    answers=(
        Answer("Claro, uma mesa para duas pessoas amanhã à noite. A que horas vocês chegam?"),
        Answer("Oito horas. A sua mesa está reservada. Posso ajudar em mais alguma coisa?"),
        Answer(
            "Abrimos todos os dias do meio-dia às onze da noite. A cozinha recebe pedidos até as "
            "dez, e aos domingos também servimos café da manhã a partir das nove."
        ),
        Answer(
            "Um momento, por favor. Vou passar para o gerente.",
            calls=(ScriptedCall("transfer_call", '{"destination":"manager"}'),),
        ),
    ),
    after_function=Answer(""),
    caller_lines=(
        "boa noite, eu queria reservar uma mesa para duas pessoas amanhã à noite",
        "às oito horas, por favor",
        "qual é o horário de funcionamento",
        "pode me passar para o gerente",
    ),
)


def _everything(today: date) -> Script:
    """Calls each function that reaches a tenant's own systems, in one answer."""
    monday = today + timedelta(days=7 - today.weekday())
    start = f"{monday.isoformat()}T10:00"
    calls = (
        ScriptedCall("lookup_customer"),
        ScriptedCall("check_appointment", f'{{"date": "{monday.isoformat()}"}}'),
        ScriptedCall("book_appointment", f'{{"start": "{start}", "customer_name": "Maria"}}'),
        ScriptedCall("create_ticket", '{"subject": "No bread since Monday"}'),
        ScriptedCall("take_message", '{"message": "Please call me back", "name": "Maria"}'),
        ScriptedCall("shop_stock", '{"article": "bread"}'),
    )
    return Script(
        answers=(Answer("Let me see to all of that.", calls), Answer("You are welcome.")),
        after_function=Answer("It is done."),
        caller_lines=("book me for monday, open a ticket, and pass a message on", "thank you"),
    )


SCRIPTS = {
    "demo": DEMO,
    "echo": ECHO,
    "load": LOAD,
    "talk": TALK,
    "desk": DESK,
    "reception": RECEPTION,
    "reception_pt": RECEPTION_PT,
    "systems": _everything(date.today()),
}
