"""`uuid_audio_stream` (mod_audio_stream.c, stream_function): arguments and answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from esl_controller.simulator.switch import audio_stream
from esl_controller.simulator.switch.quirks import Edition

if TYPE_CHECKING:
    from esl_controller.simulator.switch.audio_stream import AudioStream
    from esl_controller.simulator.switch.core import Switch
    from esl_controller.simulator.switch.session import Session

SUCCESS = "+OK Success\n"
FAILED = "-ERR Operation Failed\n"
NO_REPLY = "-ERR no reply"
_COMMANDS = "start | stop | send_text | pause | resume | graceful-shutdown"
_MIXES = ("mono", "mixed", "stereo")
MAX_METADATA_BYTES = 8192


def usage(edition: Edition) -> str:
    """The usage line; an edition that can clear lists `break`."""
    if edition is Edition.EARSHOT:
        return "-ERR usage: uuid_audio_stream <uuid> start <url> <mix> <rate>\n"
    words = {
        Edition.CLOSED: _COMMANDS.replace("resume |", "resume | break |"),
        Edition.ALCHEMILLA: _COMMANDS.replace("graceful-shutdown", "break"),
    }.get(edition, _COMMANDS)
    return (
        f"-USAGE: <uuid> [{words} ] [wss-url | path] [mono | mixed | stereo] "
        "[8000 | 16000] [metadata]\n"
    )


def run(switch: Switch, argument: str) -> str:
    """Carry out `<uuid> start|stop|…`; `stop` blocks as long as the module would."""
    words = _split(argument, 2)
    if len(words) < 2:
        return usage(switch.quirks.edition)
    session = switch.living(words[0])
    command, _, rest = words[1].partition(" ")
    if session is None:
        return FAILED
    if command == "start":
        return _start(session, rest)
    streams = session.media.streams
    if not streams or command not in ("stop", "send_text", "pause", "resume", "break"):
        return FAILED
    return _command(streams[0], command, rest)


def _start(session: Session, rest: str) -> str:
    words = _split(rest, 4)
    if len(words) < 2:
        return usage(session.switch.quirks.edition)
    url, mix = words[0], words[1]
    rate_hz = _rate(words[2]) if len(words) > 2 else 8000
    metadata = _clean(words[3]) if len(words) > 3 else None
    if mix not in _MIXES:
        return NO_REPLY
    if not rate_hz or not audio_stream.valid_url(url) or session.media.streams:
        return FAILED
    if metadata is not None and len(metadata.encode()) > MAX_METADATA_BYTES:
        metadata = metadata.encode()[:MAX_METADATA_BYTES].decode("utf-8", "ignore")
    audio_stream.start(session, url, mix, rate_hz, metadata)
    return SUCCESS


def _command(stream: AudioStream, command: str, rest: str) -> str:
    if command == "stop":
        stream.stop(_first_word(rest))
        return SUCCESS
    if command == "send_text":
        return SUCCESS if rest and stream.send_text(_first_word(rest)) else FAILED
    if command == "break":
        return SUCCESS if stream.edition.clear() else FAILED
    stream.pause(command == "pause")
    return SUCCESS


def _rate(text: str) -> int:
    """`8k`, `16k` or a multiple of 8000; 0 for anything else."""
    named = {"8k": 8000, "16k": 16000}.get(text)
    rate = named or (int(text) if text.isdigit() else 0)
    return rate if rate and rate % 8000 == 0 else 0


def _split(text: str, count: int) -> list[str]:
    """At most `count` words; the last keeps the rest of the line with its spaces."""
    text = text.strip()
    return text.split(" ", count - 1) if text else []


def _clean(text: str) -> str:
    """Backslashes are eaten, quotes around the whole are taken off (switch_utils.c)."""
    text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == "'" else text


def _first_word(text: str) -> str:
    """Up to the first space, unless in single quotes."""
    quoted = re.match(r"'([^']*)'", text)
    return quoted.group(1) if quoted else _clean(text.partition(" ")[0])
