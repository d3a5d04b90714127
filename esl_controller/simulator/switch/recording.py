"""`uuid_record`: one WAV file, left what comes from the far end, right what is played to it.

`mask` writes silence for both and goes on (switch_ivr_async.c, record_callback, SMF_MASK).
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING

from esl_controller.simulator.switch.sound import interleaved

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

OK = "+OK Success\n"
FAILED = "-ERR Operation failed\n"
USAGE = "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n"


class Tape:
    """One recording going on."""

    def __init__(self, path: Path, rate_hz: int, *, stereo: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.masked = False
        self._stereo = stereo
        self._file = wave.open(str(path), "wb")  # noqa: SIM115 - open until `stop`
        self._file.setnchannels(2 if stereo else 1)
        self._file.setsampwidth(2)
        self._file.setframerate(rate_hz)

    def add(self, heard: bytes, played: bytes) -> None:
        """A packet of both ways."""
        if self.masked:
            heard = played = bytes(len(heard))
        self._file.writeframes(interleaved(heard, played) if self._stereo else heard)

    def stop(self) -> None:
        """Close the file."""
        self._file.close()


def uuid_record(session: Session, rest: str) -> str:
    """The api, for a living call."""
    what, _, path = rest.partition(" ")
    path = path.split(" ", maxsplit=1)[0]
    taps = session.media.taps
    tapes = {name: tap for name, tap in taps.items() if isinstance(tap, Tape)}
    if not path or what not in ("start", "stop", "mask", "unmask"):
        return USAGE
    if what == "start":
        if path not in tapes:
            stereo = session.channel.get("RECORD_STEREO") == "true"
            taps[path] = Tape(Path(path), session.channel.codec.rate_hz, stereo=stereo)
        return OK
    tape = tapes.get(path)
    if tape is None:
        return FAILED
    if what == "stop":
        del taps[path]
        tape.stop()
    else:
        tape.masked = what == "mask"
    return OK
