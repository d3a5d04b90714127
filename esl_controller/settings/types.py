"""What settings are made of: secrets, limits and the checks a type alone cannot make."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[\x20-\x7e]*")
"""`Name: value` with a token as name and no control character (RFC 9110 section 5)."""

_HOST_ENTRY = re.compile(
    r"\*|(((\*\.)?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?)|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
)


_SENDABLE = re.compile(r"[0-9A-Za-z:/._\[\]{}-]+")
"""No blank, quote, query or user: it becomes a word of a FreeSWITCH command."""


class Secret:
    """A value that never shows itself by accident; `reveal` is the one way to read it."""

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the one place that needs it. Never log it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(set)" if self._value else "Secret(empty)"


def network(text: str) -> str | None:
    """None for an address or network, else what is allowed."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return "networks such as 10.0.0.0/8 or 192.0.2.7"
    return None


def pattern(text: str) -> str | None:
    """None for a regular expression, or nothing, else what is allowed."""
    try:
        re.compile(text)
    except re.error as error:
        return f"a regular expression ({error})"
    return None


def each(check: Callable[[Any], str | None]) -> Callable[[tuple[Any, ...]], str | None]:
    """Turn a check of one value into a check of a list."""
    return lambda values: next((said for v in values if (said := check(v))), None)


def host_entry(entry: str) -> str | None:
    """None for `*`, a host, `*.example.com`, an address or a network, else what is allowed."""
    if _HOST_ENTRY.fullmatch(entry) or network(entry) is None:
        return None
    return "hosts such as *, gateway.example, *.example.com, 127.0.0.1:8000 or 10.0.0.0/8"


def one_of(*words: str) -> Callable[[str], str | None]:
    """Make a check of one of a few words."""
    return lambda text: None if text in words else f"one of {', '.join(words)}"


def websocket_url(text: str) -> str | None:
    """None for a ws:// or wss:// address with a host, else what is allowed."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    return None if usable else "a WebSocket address, ws://… or wss://…"


def worker_url(text: str) -> str | None:
    """None for nothing, or a ws:// or wss:// address with `{index}` in its path that FreeSWITCH
    can be told, else what is allowed."""
    if not text:
        return None
    good = websocket_url(text) is None and _SENDABLE.fullmatch(text)
    if good and urlsplit(text).path.count("{index}") == 1 and text.count("{") == 1:
        return None
    return "a WebSocket address with the worker's number in it, wss://host:8443/worker/{index}"


def without_secrets(url: str) -> str:
    """An address to show: what stands before the host and in the query may be a key."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "***" if parts.query else ""
    return parts._replace(netloc=host, query=query, fragment="").geturl()


def variable(name: str) -> str | None:
    """None for the name of an environment variable, else what is allowed."""
    return None if _VARIABLE.fullmatch(name) else "names of environment variables"


def header(line: Secret) -> str | None:
    """None for a header line, else what is allowed."""
    return None if _HEADER.fullmatch(line.reveal()) else "headers written as `Name: value`"


def long_enough(token: Secret) -> str | None:
    """None for no token or one that cannot be guessed, else what is allowed."""
    return None if len(token.reveal()) in {0, *range(16, 513)} else "16 to 512 characters, or none"


def multiple_of_20(value: int) -> str | None:
    """None for whole 20 ms frames, else what is allowed."""
    return None if value % 20 == 0 else "a multiple of 20"


def doc(
    text: str,
    *,
    check: Callable[[Any], str | None] | None = None,
    ge: float | None = None,
    le: float | None = None,
    pattern: str | None = None,
) -> msgspec.Meta:
    """What a setting means and what it may hold beyond its type.

    `check` takes the converted value and says what is allowed instead, or None when it is good.
    """
    limits = {"ge": ge, "le": le, "pattern": pattern}
    given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
    return msgspec.Meta(description=text, extra={"check": check} if check else {}, **given)


Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
"""A TCP or UDP port; 0 lets the system choose one."""
HOST = r"^[0-9A-Za-z_.:\-]+\Z"
WORD = r"^[\x21-\x7e]{1,128}\Z"
HOST_OR_EMPTY = r"^[0-9A-Za-z_.:\-]*\Z"
PATH_OR_EMPTY = r"^(/[0-9A-Za-z_.@+/\-]+)?\Z"


def allowed(kind: Any) -> str:
    """What a setting of this annotated type may hold, in words."""
    info = msgspec.inspect.type_info(kind)
    while isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    match info:
        case msgspec.inspect.IntType():
            return f"a whole number from {info.ge} to {info.le}"
        case msgspec.inspect.FloatType():
            return f"a number from {info.ge:g} to {info.le:g}"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType():
            return "one of " + ", ".join(str(value) for value in info.values)
        case msgspec.inspect.VarTupleType():
            return "a list (in a variable: separated by commas)"
        case msgspec.inspect.CustomType():
            return "text, `env:NAME` or `file:PATH`"
        case _:
            return _TEXTS.get(getattr(info, "pattern", None) or "", "text")


_TEXTS = {
    HOST: "a host name or address",
    HOST_OR_EMPTY: "a host name or address, or nothing",
    PATH_OR_EMPTY: "the whole path of a file, or nothing",
    WORD: "printable text without blanks",
}
