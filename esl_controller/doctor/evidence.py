"""What log files and the spool still tell of one call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
)
from esl_controller.record.entries import EntryDamaged, SpoolEntry, decode

LOGS = (Path("/var/log/voice-ai"), "worker-*.log*")
"""Where the shipped supervisord.conf has workers write, and VOICE_AI_LOG_DIRECTORY should."""
MAX_LINES = 500
WORKER_EVENTS = frozenset(
    {
        *("hub.late", "worker_hangs", "worker_lost", "app.draining", "app.stopped"),
        *("spool_not_written", "settings_not_read", "lease_not_taken"),
    }
)
"""Of no call, but of every call of the worker at that time."""
AROUND = timedelta(seconds=5)


def log_files() -> list[Path]:
    """The workers' logs, oldest first; those that are compressed by now are older than a day."""
    directory, pattern = LOGS
    plain = (path for path in directory.glob(pattern) if path.suffix != ".gz")
    return sorted(plain, key=lambda path: path.stat().st_mtime)


def lines_of(
    lines: Iterable[bytes], call_uuid: str, began: datetime | None, ended: datetime | None
) -> list[dict[str, Any]]:
    """Lines that name the call, and those of the worker's own troubles while it went on."""
    wanted = call_uuid.encode()
    own = tuple(event.encode() for event in WORKER_EVENTS)
    found = []
    for raw in lines:
        if wanted in raw or (began is not None and any(event in raw for event in own)):
            line = _decoded(raw)
            if line.get("call_uuid") == call_uuid or _meanwhile(line, began, ended):
                found.append(line)
    return sorted(found, key=lambda line: str(line.get("timestamp", "")))[-MAX_LINES:]


def _decoded(raw: bytes) -> dict[str, Any]:
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        line = msgspec.json.decode(raw)
        if isinstance(line, dict):
            return line
    return {}


def _meanwhile(line: Mapping[str, Any], began: datetime | None, ended: datetime | None) -> bool:
    if began is None or line.get("event") not in WORKER_EVENTS:
        return False
    try:
        at = datetime.fromisoformat(str(line.get("timestamp")))
    except ValueError:
        return False
    return began - AROUND <= at <= (ended or at) + AROUND


def spooled(spool_dir: Path, call_uuid: str) -> dict[str, Any]:
    """What waits there of the call, as `calls show` has it; empty where nothing does."""
    entries = list(_entries(spool_dir))
    ours = {
        entry.conversation_uuid: entry
        for entry in entries
        if isinstance(entry, ConversationRealtime)
        and call_uuid in (entry.call_uuid, entry.conversation_uuid)
    }
    if not ours:
        return {}
    key, conversation = ours.popitem()  # the last one written holds the most
    return {
        "conversation": asdict(conversation),
        "turns": _of(entries, Turn, key),
        "function_calls": _of(entries, FunctionCallRecord, key),
        "transfers": _of(entries, TransferRecord, key),
        "usage": [],
        "cost_usd": None,
    }


def _of(entries: Sequence[SpoolEntry], kind: type[Any], conversation_uuid: str) -> list[Any]:
    """The last entry of each row: its key is the first field."""
    key = fields(kind)[0].name
    rows = {
        getattr(entry, key): asdict(entry)
        for entry in entries
        if isinstance(entry, kind) and entry.conversation_uuid == conversation_uuid
    }
    return list(rows.values())


def _entries(spool_dir: Path) -> Iterator[SpoolEntry]:
    for path in sorted([*spool_dir.glob("*/*.segment"), *spool_dir.glob("rejected/*")]):
        try:
            content = path.read_bytes()
        except OSError:  # another worker has stored and removed it meanwhile
            continue
        for line in content.splitlines():
            if not line.startswith(b"#"):
                with contextlib.suppress(EntryDamaged):
                    yield decode(line)
