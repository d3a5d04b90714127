"""What mod_audio_stream says of a stream that cannot come ends the wait for it."""

from __future__ import annotations

import pytest

from esl_controller.calls.caller_stream import CallerStream


class Nobody:
    def on_stream_closed(self, *_: object) -> None:
        raise AssertionError("it never was")


def told(code: int, error: str) -> str:
    return f'{{"status":"error","message":{{"code":{code},"error":"{error}"}}}}'


@pytest.mark.parametrize(
    ("text", "is_refusal"),
    [
        (told(6, "Connection refused (system error 111)"), True),
        (told(10, "Timeout"), True),
        (told(9, "TLS error: error:0A000086:SSL routines::certificate verify failed"), True),
        (told(9, "TLS error: error:00000005:lib(0)::reason(5)"), True),
        (told(9, "TLS error: error:0A000126:SSL routines::unexpected eof while reading"), False),
        (told(1, "Connection closed without WebSocket CLOSE (abnormal EOF)"), False),
    ],
)
def test_only_what_is_of_a_handshake_is_a_refusal(text: str, is_refusal: bool) -> None:
    stream = CallerStream(Nobody())  # type: ignore[arg-type]
    stream.hear_error(text)
    assert stream.joined.is_set() is is_refusal
    assert (stream.refusal == f"mod_audio_stream: {text}") is is_refusal
