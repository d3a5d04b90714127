"""Journal entries as lines of text that show whether they are whole. Pure.

A line is the CRC-32 of the rest in hex, a space, and one JSON object with `kind` and `entry`.
JSON holds no raw line feed, so a line is an entry and a file cut anywhere loses only its last one.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from esl_controller.database.acts import AuditRecord, Errand, OutboundCall, WorkerLost
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    JournalEntry,
    TransferRecord,
    Turn,
    UsageRecord,
)

MAX_LINE_BYTES = 4 * 1024 * 1024
SpoolEntry = JournalEntry | WorkerLost
_KINDS: dict[str, type[SpoolEntry]] = {
    "conversation": ConversationRealtime,
    "turn": Turn,
    "function_call": FunctionCallRecord,
    "transfer": TransferRecord,
    "usage": UsageRecord,
    "audit": AuditRecord,
    "outbound": OutboundCall,
    "errand": Errand,
    "worker_lost": WorkerLost,
}
_NAMES = {model: kind for kind, model in _KINDS.items()}


class EntryDamaged(ValueError):
    """A line is not what was written."""


class EntryTooLong(ValueError):
    """An entry is over MAX_LINE_BYTES."""


class _Line(msgspec.Struct):
    kind: str
    entry: Any


class _Read(msgspec.Struct):
    """The same, with the entry unread."""

    kind: str
    entry: msgspec.Raw


_LINES = msgspec.json.Decoder(_Read)
_ENTRIES = {kind: msgspec.json.Decoder(model, strict=False) for kind, model in _KINDS.items()}


def encode(entry: SpoolEntry) -> bytes:
    """Return the line of an entry; raises EntryTooLong."""
    try:
        body = msgspec.json.encode(_Line(_NAMES[type(entry)], entry))
    except UnicodeEncodeError:  # half a surrogate pair, which JSON text from a peer may hold
        whole = _without_lone_surrogates(msgspec.to_builtins(entry))
        body = msgspec.json.encode(_Line(_NAMES[type(entry)], whole))
    if len(body) > MAX_LINE_BYTES:
        raise EntryTooLong(f"{_NAMES[type(entry)]} of {len(body)} bytes")
    return b"%08x %b\n" % (zlib.crc32(body), body)


def decode(line: bytes) -> SpoolEntry:
    """Return the entry of a line, with or without its line feed; raises EntryDamaged."""
    checksum, _, body = line.rstrip(b"\n").partition(b" ")
    if checksum != b"%08x" % zlib.crc32(body):
        raise EntryDamaged("checksum differs")
    try:
        wrapped = _LINES.decode(body)
        return _ENTRIES[wrapped.kind].decode(wrapped.entry)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError) as error:
        raise EntryDamaged(f"not an entry: {error}") from error


def _without_lone_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_without_lone_surrogates(k): _without_lone_surrogates(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_lone_surrogates(item) for item in value]
    return value
