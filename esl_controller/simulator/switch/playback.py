"""`playback`: frame by frame, as the loop of `switch_ivr_play_file` (switch_ivr_play_say.c)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from esl_controller.simulator.switch.event import Header
from esl_controller.simulator.switch.sound import InvalidSoundError, Sound, open_sound

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

Steps = Generator[None, None, None]
_FILE = "switch_ivr_play_say.c"


@dataclass(slots=True)
class Playback:
    """A sound being played to the caller."""

    path: str
    broken: bool = False
    """A break or a terminating digit ends it at its next frame."""


def play(session: Session, path: str) -> Steps:
    """Play a file or stream to its end, a break, a terminating digit or the end of the call.

    A file at another rate than the channel's is converted as a whole; FreeSWITCH's clicks at the
    seams of such files are not imitated.
    """
    session.start_media()
    session.channel.set("playback_terminator_used", None)
    # Any file played resets the session's media (switch_core_session_reset): unicast is over.
    session.media.end_unicast()
    try:
        sound = open_sound(path, session.channel.codec, session.channel.ptime_ms)
    except (InvalidSoundError, ValueError):
        session.set_response("FILE NOT FOUND")
        return
    kind = [("Playback-File-Type", sound.file_type)] if sound.file_type else []
    fields = [*kind, ("Playback-File-Path", path)]
    session.fire("PLAYBACK_START", (_FILE, "switch_ivr_play_file", 1649), fields)
    playback = Playback(path)
    session.playbacks.append(playback)
    frames = yield from _play_frames(session, sound, playback)
    session.playbacks.remove(playback)
    _report(session, frames, fields, broken=playback.broken)
    session.broke = playback.broken
    session.set_response("PLAYBACK ERROR" if session.interrupted else "FILE PLAYED")


def _play_frames(session: Session, sound: Sound, playback: Playback) -> Generator[None, None, int]:
    """How many frames were written until the end came."""
    frames = 0
    while not session.interrupted:
        yield from session.parse_messages()
        if playback.broken:
            break
        frame = next(sound.frames, None)
        if frame is None or session.interrupted:
            break
        session.media.write(frame)
        frames += 1
        yield
    return frames


def _report(session: Session, frames: int, fields: list[Header], *, broken: bool) -> None:
    codec = session.channel.codec
    samples = frames * codec.rate_hz * session.channel.ptime_ms // 1000
    for name, value in (
        ("playback_last_offset_pos", samples),
        ("playback_seconds", samples // codec.rate_hz),
        ("playback_ms", samples * 1000 // codec.rate_hz),
        ("playback_samples", samples),
    ):
        session.channel.set(name, str(value))
    status = ("Playback-Status", "break" if broken else "done")
    session.fire("PLAYBACK_STOP", (_FILE, "switch_ivr_play_file", 2023), [*fields, status])
