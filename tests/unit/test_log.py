"""Log lines: which call they belong to, what they hide, and that they never wait."""

from __future__ import annotations

import json
import logging
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import structlog
from gevent import monkey

from esl_controller.settings.host import Log
from esl_controller.telemetry import log as log_module
from esl_controller.telemetry import log_file
from esl_controller.telemetry.log import LINE_BYTES, LineWriter, bind_call, call_logger, configure

close_now = monkey.get_original("os", "close")
"""gevent's own leaves the descriptor open until the hub has turned."""
PIPE_BYTES = 65536


class Pipe:
    """A pipe whose reader decides when to read."""

    def __init__(self) -> None:
        self.read_fd, self.write_fd = os.pipe()

    def lines(self) -> list[str]:
        os.set_blocking(self.read_fd, False)
        try:
            return os.read(self.read_fd, 10 * PIPE_BYTES).decode().splitlines()
        except BlockingIOError:
            return []

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    pipe = Pipe()
    yield pipe
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level
    close_now(pipe.read_fd)
    close_now(pipe.write_fd)


def test_lines_are_json_with_time_level_and_event_first(pipe: Pipe) -> None:
    configure(Log(format="json"), pipe.write_fd)
    structlog.get_logger().info("call.started", turns=1, obj=object)
    (event,) = pipe.events()
    assert list(event)[:3] == ["timestamp", "level", "event"]
    assert (event["event"], event["level"], event["turns"]) == ("call.started", "info", 1)


def test_lines_below_the_level_are_not_written(pipe: Pipe) -> None:
    configure(Log(format="json", level="warning"), pipe.write_fd)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [event["event"] for event in pipe.events()] == ["loud"]


def test_each_greenlet_names_its_own_call(pipe: Pipe) -> None:
    configure(Log(format="json"), pipe.write_fd)
    log = structlog.get_logger()

    def call(number: int) -> None:
        with bind_call(domain_uuid="d", call_uuid=str(number)):
            gevent.sleep(0)
            log.info("outer", number=str(number))
            gevent.spawn(inner, call_logger(), number).join()

    def inner(kept: Any, number: int) -> None:
        gevent.sleep(0)
        kept.info("inner", number=str(number))

    gevent.joinall([gevent.spawn(call, number) for number in range(5)])
    log.info("none")
    events = pipe.events()
    assert len(events) == 11
    assert all(e["call_uuid"] == e["number"] and e["domain_uuid"] == "d" for e in events[:-1])
    assert "call_uuid" not in events[-1]


def test_secrets_and_digits_are_hidden_in_keys_texts_and_tracebacks(pipe: Pipe) -> None:
    configure(Log(format="json"), pipe.write_fd)
    log = structlog.get_logger()
    log.info("x Bearer abcdefghi", api_key="k-value", note="card 4111111111111111", digits="99")
    try:
        raise ValueError("refused sk-1234567890abcdef")
    except ValueError:
        log.exception("boom")
    text = "\n".join(pipe.lines())
    for hidden in ("abcdefghi", "k-value", "4111", '"99"', "sk-1234567890"):
        assert hidden not in text
    assert "ValueError: refused [hidden]" in text


def test_telephone_numbers_are_hidden_when_asked(pipe: Pipe) -> None:
    configure(Log(format="json", redact_phone_numbers=True), pipe.write_fd)
    structlog.get_logger().info("from +5511912345678")
    assert pipe.events()[0]["event"] == "from [number …78]"


def test_libraries_write_the_same_lines(pipe: Pipe) -> None:
    configure(Log(format="json", level="info"), pipe.write_fd)
    logging.getLogger("esl").info("peer %s token=%s", "10.0.0.1", "abcdef")
    logging.getLogger("urllib3.connectionpool").info("GET /secret")
    (event,) = pipe.events()
    assert event["event"] == "peer 10.0.0.1 token=[hidden]"
    assert event["logger"] == "esl"


def test_console_format_on_a_terminal_only(pipe: Pipe) -> None:
    ours, theirs = pty.openpty()
    try:
        configure(Log(format="auto"), theirs)
        structlog.get_logger().info("on a terminal")
        assert not os.read(ours, 1000).startswith(b"{")
    finally:
        close_now(ours)
        close_now(theirs)
    configure(Log(format="auto"), pipe.write_fd)
    structlog.get_logger().info("in a pipe")
    assert pipe.events()[0]["event"] == "in a pipe"


def test_a_long_line_is_cut_and_stays_one_line(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_fd)
    writer.write_line(b"a" * 10_000)
    writer.write_line(b"b")
    assert [len(line) for line in pipe.lines()] == [LINE_BYTES - 1, 1]


@pytest.mark.timeout(10)
def test_a_reader_that_stopped_costs_lines_and_never_waits(pipe: Pipe) -> None:
    """With a plain write this test would hang: the pipe is full."""
    writer = LineWriter(pipe.write_fd)
    for _ in range(200):
        writer.write_line(b"x" * 1000)
    assert writer.dropped > 100
    assert len(pipe.lines()) + writer.dropped == 200
    writer.write_line(b"and on")
    assert pipe.lines() == ["and on"]


def test_every_line_that_is_written_is_whole(pipe: Pipe) -> None:
    writer = LineWriter(pipe.write_fd)
    for size in range(1, 4096, 37):
        writer.write_line(b"x" * size)
    assert all(set(line) == {"x"} for line in pipe.lines())


def test_a_reader_that_went_away_costs_lines_only() -> None:
    read_fd, write_fd = os.pipe()
    close_now(read_fd)
    writer = LineWriter(write_fd)
    writer.write_line(b"x")
    assert writer.dropped == 1
    close_now(write_fd)


def test_chatty_libraries_are_quiet_at_debug_too(pipe: Pipe) -> None:
    configure(Log(format="json", level="debug"), pipe.write_fd)
    for name in log_module._CHATTY:
        logging.getLogger(name).debug("GET https://example.org/?key=abc")
    assert pipe.events() == []


def test_a_file_that_is_moved_away_is_made_anew(
    tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As logrotate does it: every line is in one of the two."""
    monkeypatch.setattr(log_file, "LOOK_S", 0.0)
    settings = Log(format="json", directory=str(tmp_path))
    configure(settings, pipe.write_fd, name="worker-0.log")
    log, path, moved = call_logger(), tmp_path / "worker-0.log", tmp_path / "worker-0.log.1"
    log.info("before")
    path.rename(moved)
    log.info("after")
    assert "before" in moved.read_text("utf-8")
    assert "after" in path.read_text("utf-8")
    with pytest.raises(OSError, match="No such file"):
        configure(Log(directory=str(tmp_path / "none")), pipe.write_fd, name="worker-0.log")
