"""FreeSWITCH events and Event Socket framing, as bytes. Pure.

Shapes after `switch_event.c` (serialisation, percent-encoding) and `mod_event_socket.c` (framing).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# switch_utils.h, SWITCH_URL_UNSAFE, and everything outside printable ASCII.
_UNSAFE = re.compile(rb"[^!$'()*,\-./0-9A-Z_a-z~]")
_ESCAPED = re.compile(rb"%(?:[0-9A-Fa-f]{2})")

GOODBYE = b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"

NOTICE_BYTES = 511
"""`char disco_buf[512]` without its NUL."""

Header = tuple[str, str]


@lru_cache(maxsize=65536)
def url_encode(value: str) -> str:
    """Percent-encode as `switch_url_encode` does: an escape already there is left alone."""
    data = value.encode("utf-8", "surrogateescape")
    out = []
    start = 0
    for kept in _ESCAPED.finditer(data):
        out += [_UNSAFE.sub(_escape, data[start : kept.start()]), kept.group()]
        start = kept.end()
    out.append(_UNSAFE.sub(_escape, data[start:]))
    return b"".join(out).decode("ascii")


def _escape(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match.group()[0]


@dataclass(slots=True)
class Event:
    """One event. `headers` in the order they are written; values as they are, not encoded."""

    name: str
    headers: list[Header]
    body: bytes = b""
    subclass: str = ""
    uuid: str = ""
    """The channel it belongs to; empty for an event of the whole switch."""
    owner_uuid: str = ""
    """Of a background job: the channel whose socket asked for it."""

    def plain(self) -> bytes:
        """The framed `text/event-plain` message."""
        text = "".join([f"{name}: {url_encode(value)}\n" for name, value in self.headers])
        if self.body:
            inner = f"{text}Content-Length: {len(self.body)}\n\n".encode() + self.body
        else:
            inner = f"{text}\n".encode()
        return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(inner), inner)

    def json(self) -> bytes:
        """The framed `text/event-json` message; the body is the field `_body`."""
        fields = dict(self.headers)
        if self.body:
            fields |= {"Content-Length": str(len(self.body))}
            fields |= {"_body": self.body.decode("utf-8", "replace")}
        inner = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
        return b"Content-Length: %d\nContent-Type: text/event-json\n\n%b" % (len(inner), inner)


def command_reply(text: str, *extra: Header) -> bytes:
    """`Content-Type: command/reply` with its text, which is not percent-encoded."""
    more = "".join(f"{name}: {value}\n" for name, value in extra)
    return f"Content-Type: command/reply\nReply-Text: {text}\n{more}\n".encode()


def api_response(body: str) -> bytes:
    """`Content-Type: api/response` with the api command's output as it is."""
    data = body.encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(data), data)


def connect_reply(headers: Iterable[Header], mode: Iterable[Header]) -> bytes:
    """The answer to `connect`: channel data without a length, mode headers last."""
    lines = [f"{name}: {url_encode(value)}\n" for name, value in headers]
    lines += [f"{name}: {url_encode(value)}\n" for name, value in mode]
    return ("".join(lines) + "\n").encode()


def disconnect_notice(uuid: str) -> bytes:
    """The last message before FreeSWITCH closes; `uuid` empty on an inbound connection."""
    session = f"Controlled-Session-UUID: {uuid}\nContent-Disposition: disconnect\n" if uuid else ""
    head = f"Content-Type: text/disconnect-notice\n{session}Content-Length: {len(GOODBYE)}\n\n"
    return head.encode() + GOODBYE


def linger_notice(uuid: str, channel_name: str, linger_s: int) -> bytes:
    """Said when the call ended and the connection stays; -1 for without end.

    The name is printed raw, into 512 bytes (mod_event_socket.c, read_packet): a caller writes it.
    """
    text = (
        "Content-Type: text/disconnect-notice\n"
        f"Controlled-Session-UUID: {uuid}\n"
        "Content-Disposition: linger\n"
        f"Channel-Name: {channel_name}\n"
        f"Linger-Time: {linger_s}\n"
        "Content-Length: 0\n\n"
    )
    return text.encode("utf-8", "surrogateescape")[:NOTICE_BYTES]


def stamp(epoch_us: int) -> str:
    """`2026-11-22 19:10:22`, local time, as in variables and `Event-Date-Local`."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch_us // 1_000_000))


@lru_cache(maxsize=16)
def _dates(epoch_s: int) -> tuple[str, str]:
    gmt = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(epoch_s))
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch_s)), gmt


@dataclass(slots=True)
class EventOrigin:
    """The headers every event starts with, and the counter of events."""

    core_uuid: str
    switchname: str = "fs-sim"
    sequence: int = 0

    def headers(self, name: str, source: tuple[str, str, int], now_us: int) -> list[Header]:
        """Opening headers of event `name` raised at `source` (file, function, line)."""
        self.sequence += 1
        local, gmt = _dates(now_us // 1_000_000)
        return [
            ("Event-Name", name),
            ("Core-UUID", self.core_uuid),
            ("FreeSWITCH-Hostname", self.switchname),
            ("FreeSWITCH-Switchname", self.switchname),
            ("FreeSWITCH-IPv4", "127.0.0.1"),
            ("FreeSWITCH-IPv6", "::1"),
            ("Event-Date-Local", local),
            ("Event-Date-GMT", gmt),
            ("Event-Date-Timestamp", str(now_us)),
            ("Event-Calling-File", source[0]),
            ("Event-Calling-Function", source[1]),
            ("Event-Calling-Line-Number", str(source[2])),
            ("Event-Sequence", str(self.sequence)),
        ]
