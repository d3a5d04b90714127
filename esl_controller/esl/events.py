"""Typed views of framed messages: what happened on a call, what a command was answered."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .errors import CommandFailed, RemoteProtocolError
from .framing import (
    API_RESPONSE,
    COMMAND_REPLY,
    DISCONNECT_NOTICE,
    EVENT_JSON,
    EVENT_PLAIN,
    Headers,
    Message,
    check_line_count,
    encode_headers,
)

DTMF_DIGITS: Final = frozenset("0123456789*#ABCDabcd")


class Event:
    """One FreeSWITCH event: `headers` (decoded on access) and `body` (never percent-encoded)."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body

    @classmethod
    def parse(cls, message: Message) -> Event:
        """Read an event message. Raise `RemoteProtocolError` if it holds no event."""
        if message.kind == EVENT_PLAIN:
            return cls(*_parse_plain(message.body))
        if message.kind == EVENT_JSON:
            return cls(*_parse_json(message.body))
        raise RemoteProtocolError(f"{message.kind} is no event")

    def get(self, name: str, default: str = "") -> str:
        """Return the header `name`, or `default`."""
        return self.headers.get(name, default)

    def variable(self, name: str, default: str = "") -> str:
        """Return the channel variable `name` as it was when the event was raised."""
        return self.headers.get(f"variable_{name}", default)

    @property
    def name(self) -> str:
        """`Event-Name`, such as ``CHANNEL_ANSWER``."""
        return self.headers.get("Event-Name")

    @property
    def subclass(self) -> str:
        """`Event-Subclass` of a CUSTOM event, such as ``mod_audio_stream::play``."""
        return self.headers.get("Event-Subclass")

    @property
    def key(self) -> str:
        """What handlers are registered for: the subclass of a CUSTOM event, else the name."""
        name = self.name
        return self.subclass or name if name == "CUSTOM" else name

    @property
    def unique_id(self) -> str:
        """The channel the event is about."""
        return self.headers.get("Unique-ID")

    @property
    def application(self) -> str:
        """The dialplan application of CHANNEL_EXECUTE and CHANNEL_EXECUTE_COMPLETE."""
        return self.headers.get("Application")

    @property
    def application_uuid(self) -> str:
        """The `Event-UUID` that was given with the execute command."""
        return self.headers.get("Application-UUID")

    @property
    def application_response(self) -> str:
        """How an application ended, such as ``FILE PLAYED``; most say ``_none_``."""
        return self.headers.get("Application-Response")

    @property
    def job_uuid(self) -> str:
        """The `Job-UUID` of a BACKGROUND_JOB."""
        return self.headers.get("Job-UUID")

    @property
    def hangup_cause(self) -> str:
        """`Hangup-Cause`, such as ``NORMAL_CLEARING``; empty while the call lives."""
        return self.headers.get("Hangup-Cause")

    @property
    def dtmf_digit(self) -> str:
        """The digit of a DTMF event. Raise `RemoteProtocolError` if there is none."""
        digit = self.headers.get("DTMF-Digit")
        if digit not in DTMF_DIGITS:
            raise RemoteProtocolError("DTMF event without a digit")
        return digit.upper()

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json_body(self) -> dict[str, Any]:
        """Return the body of a mod_audio_stream event. Raise `RemoteProtocolError` if no object."""
        return _json_object(self.body)

    def __repr__(self) -> str:
        return f"<Event {self.key} {self.unique_id}>"


def _parse_plain(data: bytes) -> tuple[Headers, bytes]:
    """Split an event into its headers and its own body.

    The outer Content-Length has fixed where the event ends, so whatever follows the first empty
    line is the body. The inner Content-Length is not needed, and events made from SIP messages
    carry a second one of their own.
    """
    block, end, body = data.partition(b"\n\n")
    if not end:
        raise RemoteProtocolError("event without an empty line")
    check_line_count(block)
    headers = Headers(block, percent_encoded=True)
    if not headers.get("Event-Name"):
        raise RemoteProtocolError("event without a name")
    return headers, body


def _parse_json(data: bytes) -> tuple[Headers, bytes]:
    values = _json_object(data)
    body = _json_text(values.pop("_body", ""))
    block = encode_headers((name, _json_text(value)) for name, value in values.items())
    return _parse_plain(block + b"\n\n" + body.encode("utf-8", "replace"))


def _json_text(value: object) -> str:
    """Render a JSON value as the plain format does (arrays: ``ARRAY::a|:b``)."""
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(str(item) for item in value)
    return str(value)


def _json_object(data: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not a JSON object: {error}") from error
    return value


class Reply:
    """The answer to one command: `text` is the Reply-Text, or the body of an api response."""

    __slots__ = ("job_uuid", "text")

    def __init__(self, text: str, job_uuid: str = "") -> None:
        self.text = text
        self.job_uuid = job_uuid

    @classmethod
    def parse(cls, message: Message) -> Reply:
        """Read a reply. Raise `RemoteProtocolError` if the message is none."""
        if message.kind == API_RESPONSE:
            return cls(message.body.decode("utf-8", "replace"))
        if message.kind == COMMAND_REPLY:
            return cls(message.headers.get("Reply-Text"), message.headers.get("Job-UUID"))
        raise RemoteProtocolError(f"{message.kind} is no reply")

    @property
    def ok(self) -> bool:
        """False for ``-ERR …`` and ``-USAGE: …``; a bare value counts as success."""
        return not self.text.startswith(("-ERR", "-USAGE"))

    def require_ok(self, command: str) -> Reply:
        """Return the reply itself. Raise `CommandFailed` naming `command` if it is an error."""
        if not self.ok:
            raise CommandFailed(command, self.text.strip())
        return self

    def __repr__(self) -> str:
        return f"<Reply {self.text[:40]!r}>"


class ChannelData:
    """The answer to `connect`: everything FreeSWITCH knows about the call at that moment."""

    __slots__ = ("headers", "uuid")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.uuid = headers.get("Unique-ID")
        """UUID of the channel."""

    @classmethod
    def parse(cls, message: Message) -> ChannelData:
        """Read a `connect` reply. Raise `CommandFailed` on ``-ERR``, `RemoteProtocolError` else."""
        Reply.parse(message).require_ok("connect")
        if not message.headers.get("Unique-ID"):
            raise RemoteProtocolError("connect reply without Unique-ID")
        return cls(message.headers)

    def get(self, name: str, default: str = "") -> str:
        """Return the header `name`, or `default`."""
        return self.headers.get(name, default)

    def variable(self, name: str, default: str = "") -> str:
        """Return the channel variable `name`, or `default`."""
        return self.headers.get(f"variable_{name}", default)

    @property
    def caller_id_name(self) -> str:
        """What the caller calls himself: hostile text, may hold any character."""
        return self.headers.get("Caller-Caller-ID-Name")

    @property
    def caller_id_number(self) -> str:
        """The number the caller shows: hostile text, may hold any character."""
        return self.headers.get("Caller-Caller-ID-Number")

    @property
    def destination_number(self) -> str:
        """The number that was dialled, as the dialplan sees it."""
        return self.headers.get("Caller-Destination-Number")

    @property
    def full_control(self) -> bool:
        """Whether the dialplan said ``full``: without it api, bgapi, event and exit are refused."""
        return self.headers.get("Control") == "full"

    @property
    def asynchronous(self) -> bool:
        """Whether the dialplan said ``async``: without it each execute blocks its reply."""
        return self.headers.get("Socket-Mode") == "async"


class DisconnectNotice:
    """FreeSWITCH says that the call (`lingering`) or the connection (not `lingering`) has ended."""

    __slots__ = ("lingering", "uuid")

    def __init__(self, *, lingering: bool, uuid: str) -> None:
        self.lingering = lingering
        self.uuid = uuid

    @classmethod
    def parse(cls, message: Message) -> DisconnectNotice:
        """Read a disconnect notice. Raise `RemoteProtocolError` if the message is none."""
        if message.kind != DISCONNECT_NOTICE:
            raise RemoteProtocolError(f"{message.kind} is no disconnect notice")
        headers = message.headers
        return cls(
            lingering=headers.get("Content-Disposition") == "linger",
            uuid=headers.get("Controlled-Session-UUID"),
        )
