"""Which edition of mod_audio_stream FreeSWITCH has, told from what its commands answer.

Pure: the caller asks FreeSWITCH. Answers were recorded on FreeSWITCH 1.11.1 with each edition.
"""

from __future__ import annotations

from bridge.playout.editions import EDITIONS, needs_idle_silence, told_by
from bridge.playout.modes import Flavour, PlayoutMode

USAGE_COMMAND = "uuid_audio_stream"
"""Run without arguments it answers how it is used, which differs between editions."""
_NO_COMMAND = "Command not found"
"""What FreeSWITCH itself answers where no module has the command (switch_loadable_module.c)."""


def loaded(usage: str) -> bool:
    """Whether some module answered, known to us or not."""
    return bool(usage.strip()) and _NO_COMMAND not in usage


def editions(usage: str) -> tuple[Flavour, ...]:
    """Editions that answer like this, likeliest first; empty when there is no module.

    The open edition and two of its forks give the same text: only a setting can tell them apart.
    One that is not known is taken for the open one: it brings the caller's audio at least.
    """
    if not loaded(usage):
        return ()
    return told_by(usage) or (Flavour.OPEN,)


def known(usage: str) -> bool:
    """Whether its answer is one of those recorded."""
    return bool(told_by(usage))


def best_playback(flavour: Flavour | None) -> PlayoutMode:
    """What `media.playback = auto` means with this module; None is no module at all.

    `unicast` is exact and fast. A module that itself plays raw audio as exactly needs no further
    port. One that can end FreeSWITCH plays only where it is asked for by name.
    """
    edition = EDITIONS[flavour] if flavour is not None else None
    raw = edition is not None and edition.plays_raw and not edition.holds_frame
    return PlayoutMode.BINARY if raw else PlayoutMode.UNICAST


def hears_beside_unicast(flavour: Flavour) -> bool:
    """Whether the module brings the caller's audio while `unicast` plays."""
    return EDITIONS[flavour].beside_unicast


def without_unicast(flavour: Flavour | None) -> tuple[PlayoutMode, Flavour] | None:
    """How to play when `unicast` ended in mid-call; None when nothing is left.

    A parked channel on which unicast played sends no idle silence, and it is too late to ask for
    it: modules that replace what FreeSWITCH writes would be silent.
    """
    if flavour is Flavour.OPEN:
        return PlayoutMode.FILE, flavour
    if flavour is None or needs_idle_silence(PlayoutMode.JSON, flavour):
        return None
    return PlayoutMode.JSON, flavour
