"""Structured logs: one line per event, with the call it belongs to, secrets taken out.

`bind_call` ties `domain_uuid` and `call_uuid` to the current greenlet. Greenlets it spawns and
callbacks of the hub know nothing of that: what runs there keeps a logger made by `call_logger`.

Lines go to standard error by `LineWriter`, which never waits: the hub carries all calls' audio, and
a pipe whose reader stopped (a stopped supervisor, a paused terminal) would block it otherwise.
"""

from __future__ import annotations

import logging
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from gevent import monkey
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from esl_controller.settings.host import Log
from esl_controller.telemetry.log_file import LogFile
from esl_controller.telemetry.redaction import redact_value

LINE_BYTES = 4096
"""Longest line. Equals PIPE_BUF on Linux: a pipe that polls writable takes this much (pipe(7))."""
_OWN_KEYS = frozenset({"level", "timestamp"})
_CHATTY = ("urllib3", "websocket", "geventwebsocket", "geventwebsocket.handler")
"""Libraries whose debug lines hold addresses and whole messages."""
_FIRST_KEYS = ("timestamp", "level", "event", "domain_uuid", "call_uuid")

bind_call = structlog.contextvars.bound_contextvars
"""`with bind_call(domain_uuid=…, call_uuid=…):` names the call in every line below it."""


def call_logger() -> FilteringBoundLogger:
    """A logger that keeps the names bound here and now, wherever it is used."""
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger.bind(**structlog.contextvars.get_contextvars())


class LineWriter:
    """Writes whole lines to a file descriptor that is ready, and drops and counts the others."""

    def __init__(self, fd: int, file: LogFile | None = None) -> None:
        """`file` stands behind the descriptor, and may be moved away."""
        self._fd, self._file = fd, file
        # gevent's own poll would switch greenlets; this one must return at once.
        self._poll = monkey.get_original("select", "poll")()
        self._poll.register(fd, select.POLLOUT)
        self.dropped = 0

    def write_line(self, line: bytes) -> None:
        """Write one line without waiting; cut it if it is too long."""
        if len(line) >= LINE_BYTES:
            line = line[: LINE_BYTES - 5] + b" ..."
        if not self._write(line + b"\n"):
            self.dropped += 1

    def _write(self, line: bytes) -> bool:
        if self._file is not None:
            self._file.look()
        try:
            ready = self._poll.poll(0)
            return bool(ready and ready[0][1] & select.POLLOUT) and os.write(self._fd, line) > 0
        except OSError:
            return False


class _Redactor:
    """A structlog processor: the last one before the line is rendered."""

    def __init__(self, *, phone_numbers: bool) -> None:
        self._phone_numbers = phone_numbers

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        for key, value in event.items():
            if key not in _OWN_KEYS:
                event[key] = redact_value(key, value, phone_numbers=self._phone_numbers)
        return event


class _LibraryHandler(logging.Handler):
    """Brings what libraries log by the standard module into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        structlog.get_logger().log(
            record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
        )


def configure(settings: Log, fd: int = 2, *, name: str = "") -> LineWriter:
    """Set up logging for the process. Returns the writer, whose `dropped` is worth a metric.

    `name`: of its file, where the settings have a directory for them. Raises OSError.
    """
    kept = settings.directory and name
    writer = LineWriter(fd, LogFile(Path(settings.directory, name), fd) if kept else None)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    structlog.configure(
        processors=_processors(settings, fd),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_args: _Lines(writer),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_LibraryHandler()], level=level, force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    return writer


def for_a_command() -> Callable[[], None]:
    """Let warnings of a command go to standard error, never among its answer.

    Returns what puts things back as they were.
    """
    before = structlog.get_config()
    writer = LineWriter(2)
    structlog.configure(
        processors=_processors(Log(), 2),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_args: _Lines(writer),
    )
    return lambda: structlog.configure(**before)


class _Lines:
    """What structlog calls with the rendered line."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def msg(self, line: str | bytes) -> None:
        self._writer.write_line(line if isinstance(line, bytes) else line.encode())

    debug = info = warning = error = critical = fatal = exception = log = msg


def _processors(settings: Log, fd: int) -> list[Processor]:
    console = settings.format == "console" or (settings.format == "auto" and os.isatty(fd))
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _Redactor(phone_numbers=settings.redact_phone_numbers),
        structlog.dev.ConsoleRenderer(colors=_coloured()) if console else _render_json,
    ]


def _coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    first = {key: event.pop(key) for key in _FIRST_KEYS if key in event}
    return msgspec.json.encode({**first, **event}, enc_hook=str)
