"""What a stored value may be: a rule reads one column, and says in words what it allows. Pure."""

from __future__ import annotations

import contextlib
import difflib
import math
import re
import uuid
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from esl_controller.esl import dialable
from esl_controller.settings.types import host_entry

"""No hyphen in front: FreeSWITCH would take the destination of a transfer for an option."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*")
_URL = re.compile(r"(wss?|https?)://[\x21-\x5b\x5d-\x7e]{1,2000}")
"""Without a backslash: not every reader of addresses sees the same host behind one."""
SPEED = (0.25, 1.5)
"""OpenAI API reference, Realtime, `audio.output.speed`."""


class Words(NamedTuple):
    """The same in the languages of the guides."""

    en: str
    pt: str


class PartlyWrong(ValueError):
    """Some of a value is wrong; `value` is what can be used of it."""

    def __init__(self, problems: Sequence[str], value: Any) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)
        self.value = value


@dataclass(frozen=True, slots=True)
class Rule:
    """How a column is read."""

    read: Callable[[Any], Any]
    """Takes what is stored, never NULL, and returns what is used.

    Raises PartlyWrong, or ValueError saying what is wrong and what is allowed.
    """
    allowed: Words
    limits: tuple[float, float] | None = None
    """Of numbers: least and greatest. The database checks them too."""
    choices: tuple[str, ...] = ()
    """All there are, where they are few."""


def text(limit: int) -> Rule:
    """Any text that is not empty."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise ValueError(f"must be 1 to {limit} characters of text")
        return value

    return Rule(read, Words(f"text of at most {limit}", f"texto de até {limit}"))


def choice(*allowed: str) -> Rule:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"is {value!r:.60}, must be one of {', '.join(allowed)}")
        return str(value)

    words = " \\| ".join(f"`{one}`" for one in allowed)
    return Rule(read, Words(words, words), choices=allowed)


def whole(low: int, high: int) -> Rule:
    """A whole number; numeric where FusionPBX's schema upgrade made the column."""

    def read(value: Any) -> int:
        if not _is_number(value) or value != int(value):
            raise ValueError(f"is {value!r:.60}, must be a whole number")
        if not low <= value <= high:
            raise ValueError(f"is {value!s:.60}, must be between {low} and {high}")
        return int(value)

    words = Words(f"whole number, {low} to {high}", f"número inteiro, {low} a {high}")
    return Rule(read, words, (low, high))


def number(low: float, high: float) -> Rule:
    """A number with a fraction."""

    def read(value: Any) -> float:
        if not _is_number(value):
            raise ValueError(f"is {value!r:.60}, must be a number")
        if not low <= value <= high:
            raise ValueError(f"is {value!s:.60}, must be between {low} and {high}")
        return float(value)

    words = Words(f"number, {low:g} to {high:g}", f"número, {low:g} a {high:g}")
    return Rule(read, words, (low, high))


def _is_number(value: Any) -> bool:
    if isinstance(value, int):  # of any length: one of 400 digits is no float
        return not isinstance(value, bool)
    return isinstance(value, float | Decimal) and math.isfinite(value)


def _read_money(value: Any) -> Decimal:
    if not _is_number(value) or not 0 <= value <= MOST_USD:
        raise ValueError(f"is {value!r:.60}, must be an amount in USD")
    return Decimal(value)


def _read_flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):  # how FusionPBX up to 5.4 stores booleans
        return bool(value == "true")
    raise ValueError(f"is {value!r:.60}, must be true or false")


def _read_uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise ValueError(f"is {value!r:.60}, must be a UUID") from None


def _read_object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a JSON object")
    return value


def _read_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("must be a JSON list")
    return value


def _read_dialable(value: Any) -> str:
    if not isinstance(value, str) or not dialable.DIALABLE.fullmatch(value):
        raise ValueError(f"is {value!r:.60}, must be digits, letters and * # + . _ -, at most 32")
    return value


def _read_language(value: Any) -> str:
    if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
        raise ValueError(f"is {value!r:.60}, must be a language tag such as pt-BR")
    tag = value.replace("_", "-")
    if tag != value:
        raise PartlyWrong([f"is {value!r}, must be written {tag}"], tag)
    return value


def _read_languages(value: Any) -> tuple[str, ...]:
    given = _read_list(value)
    problems: list[str] = []
    if len(given) > MAX_LANGUAGES:
        raise ValueError(f"must be a JSON list of at most {MAX_LANGUAGES}")
    tags: dict[str, None] = {}
    for one in given:
        try:
            tags[_read_language(one)] = None
        except PartlyWrong as error:
            problems += error.problems
            tags[error.value] = None
        except ValueError as error:
            problems.append(f"an entry: {error}")
    if problems:
        raise PartlyWrong(problems, tuple(tags))
    return tuple(tags)


def _read_time_zone(value: Any) -> str:
    try:
        return zoneinfo.ZoneInfo(str(value)).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"is {value!r:.60}, must be a zone such as America/Sao_Paulo") from None


def _read_url(value: Any) -> str:
    if isinstance(value, str) and _URL.fullmatch(value):
        with contextlib.suppress(ValueError):  # a port that is no number, brackets without an end
            parts = urlsplit(value)
            if parts.hostname and parts.port != 0:
                return value
    # What is there is not repeated: an address may hold a key.
    raise ValueError("must be a ws://, wss://, http:// or https:// address")


def _read_headers(value: Any) -> Mapping[str, str]:
    headers = _read_object(value)
    for name, content in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"is {name!r:.60}, must be a header name (RFC 9110 section 5.1)")
        if not isinstance(content, str) or not _HEADER_VALUE.fullmatch(content):
            raise ValueError(f"{name}: must be printable ASCII")  # the value may be a secret
    return headers


def _read_extensions(value: Any) -> tuple[str, ...]:
    extensions = _read_list(value)
    if len(extensions) > MAX_EXTENSIONS:
        raise ValueError(f"must be a JSON list of at most {MAX_EXTENSIONS} numbers")
    return tuple(map(_read_dialable, extensions))


def _read_web_address(value: Any) -> str:
    address = _read_url(value)
    if not address.startswith(("https://", "http://")) or "@" in urlsplit(address).netloc:
        raise ValueError("must be an https:// or http:// address without a user name")
    return address


def _read_addresses(value: Any) -> tuple[str, ...]:
    addresses = _read_list(value)
    if len(addresses) > MAX_ADDRESSES:
        raise ValueError(f"must be a JSON list of at most {MAX_ADDRESSES}")
    for one in addresses:
        if not isinstance(one, str) or not _EMAIL.fullmatch(one):
            raise ValueError(f"is {one!r:.80}, must be an e-mail address")
    return tuple(addresses)


def _read_sealed(value: Any) -> str:
    if not isinstance(value, str) or not _SEALED.fullmatch(value):
        raise ValueError("must be sealed: a key of the operator's goes to no tenant's system")
    return value


def words_of(*known: str) -> Rule:
    """A list of some of a few words."""

    def read(value: Any) -> tuple[str, ...]:
        for one in _read_list(value):
            if one not in known:
                raise ValueError(f"has {one!r:.60}, may have {', '.join(known)}")
        return tuple(value)

    return Rule(read, Words(f"list of {', '.join(known)}", f"lista de {', '.join(known)}"))


def _read_pause_words(value: Any) -> tuple[str, ...]:
    words = _read_list(value)
    if len(words) > MAX_PAUSE_WORDS:
        raise ValueError(f"must be a JSON list of at most {MAX_PAUSE_WORDS}")
    for word in words:
        if not isinstance(word, str) or not 2 <= len(word.strip()) <= 100:
            raise ValueError("must be a JSON list of words of 2 to 100 characters")
    return tuple(words)


def _is_host(entry: object) -> bool:
    return isinstance(entry, str) and not host_entry(entry)


def _read_hosts(value: Any) -> tuple[str, ...]:
    entries = _read_list(value)
    wrong = [entry for entry in entries if not _is_host(entry)]
    used = tuple(entry.lower() for entry in entries if _is_host(entry))[:MAX_HOSTS]
    problems = [f"holds {entry!r:.60}, must hold hosts" for entry in wrong]
    if len(entries) > MAX_HOSTS:
        problems.append(f"must be a JSON list of at most {MAX_HOSTS} hosts")
    if problems:
        raise PartlyWrong(problems, used)
    return used


def _read_voice_settings(value: Any) -> Mapping[str, Any]:
    settings, problems = dict(_read_object(value)), []
    for name in sorted(settings.keys() - {"speed"}):
        problems.append(f"{name!r:.30} is not used by this version{did_you_mean(name, ['speed'])}")
        del settings[name]
    if settings.get("speed") is not None:
        try:
            settings["speed"] = number(*SPEED).read(settings["speed"])
        except ValueError as error:
            problems.append(f"speed {error}")
            del settings["speed"]
    if problems:
        raise PartlyWrong(problems, settings)
    return settings


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about a name nobody knows; empty when nothing is near."""
    near = difflib.get_close_matches(name.lower(), sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


MAX_EXTENSIONS = 256
MAX_HOSTS = 100
MAX_LANGUAGES = 20
MAX_PAUSE_WORDS = 100
MAX_ADDRESSES = 20
_SEALED = re.compile(r"sealed:[0-9a-f]{16}:[\x21-\x7e]{1,16384}")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*"
)
"""RFC 5321 without quoted names and addresses in brackets: nothing that ends a header or a command.
"""
MOST_USD = 9_999_999_999
"""What the columns of amounts hold."""

MONEY = Rule(
    _read_money, Words("amount in USD, 0 or more", "valor em USD, 0 ou mais"), (0, MOST_USD)
)
FLAG = Rule(_read_flag, Words("true or false", "true ou false"))
UUID = Rule(_read_uuid, Words("UUID", "UUID"))
LIST = Rule(_read_list, Words("JSON list", "lista JSON"))
OBJECT = Rule(_read_object, Words("JSON object", "objeto JSON"))
DIALABLE = Rule(
    _read_dialable,
    Words("digits, letters and `* # + . _ -`", "dígitos, letras e `* # + . _ -`"),
)
EXTENSIONS = Rule(
    _read_extensions, Words('list of numbers, `["8000"]`', 'lista de números, `["8000"]`')
)
LANGUAGE = Rule(_read_language, Words("language tag such as `pt-BR`", "idioma, como `pt-BR`"))
LANGUAGES = Rule(
    _read_languages, Words('list of tags, `["en", "es"]`', 'lista de idiomas, `["en", "es"]`')
)
TIME_ZONE = Rule(
    _read_time_zone,
    Words("zone such as `America/Sao_Paulo`", "fuso, como `America/Sao_Paulo`"),
)
URL = Rule(_read_url, Words("address, wss://…", "endereço, wss://…"))
HEADERS = Rule(
    _read_headers, Words("JSON object of HTTP headers", "objeto JSON de cabeçalhos HTTP")
)
WEB_ADDRESS = Rule(_read_web_address, Words("address, https://…", "endereço, https://…"))
ADDRESSES = Rule(
    _read_addresses,
    Words('list of e-mail addresses, `["a@example.com"]`', 'lista de e-mails, `["a@example.com"]`'),
)
SEALED = Rule(_read_sealed, Words("`sealed:…`", "`sealed:…`"))
HOSTS = Rule(
    _read_hosts, Words('list of hosts, `["crm.example"]`', 'lista de hosts, `["crm.exemplo"]`')
)
PAUSE_WORDS = Rule(
    _read_pause_words,
    Words('list of words, `["card number"]`', 'lista de palavras, `["número do cartão"]`'),
)
VOICE_SETTINGS = Rule(
    _read_voice_settings,
    Words('`{"speed": 1.0}`, 0.25 to 1.5', '`{"speed": 1.0}`, 0.25 a 1.5'),
)
