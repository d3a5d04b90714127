"""The ways an answer reaches the caller, and the modules that differ in them.

Settings name them; `bridge.playout.registry` makes them.
"""

from __future__ import annotations

import enum


class PlayoutMode(enum.Enum):
    """What carries our audio into FreeSWITCH."""

    UNICAST = "unicast"
    """Datagrams to FreeSWITCH's own Event Socket `unicast`; needs no module."""
    BINARY = "binary"
    """Binary WebSocket messages, played by the audio module."""
    JSON = "json"
    """`streamAudio` text messages, played by the audio module."""
    FILE = "file"
    """`streamAudio` text messages, written to files by the module, which the call plays."""


class Flavour(enum.Enum):
    """Audio modules for FreeSWITCH that play each in its own way."""

    OPEN = "open"
    """amigniter/mod_audio_stream, open-source edition: plays nothing by itself."""
    CLOSED_1_0_3 = "1.0.3"
    """The same module's closed-source edition."""
    ALCHEMILLA = "alchemilla"
    """AlchemillaHQ's rewrite, which follows the 1.0.3 contract."""
    CLOUDFIELDCZ = "cloudfieldcz"
    JAMBONZ = "jambonz"
    """jambonz mod_audio_fork."""
    VOXCOM_US = "voxcom-us"
    JULIANOTARGA = "julianotarga"


FLAVOURS: dict[PlayoutMode, tuple[Flavour, ...]] = {
    # With unicast any module may bring the caller's audio in; files are what one that plays raw
    # audio itself does not make.
    PlayoutMode.UNICAST: tuple(Flavour),
    PlayoutMode.FILE: (Flavour.OPEN,),
    PlayoutMode.BINARY: (
        Flavour.CLOSED_1_0_3,
        Flavour.ALCHEMILLA,
        Flavour.CLOUDFIELDCZ,
        Flavour.JAMBONZ,
    ),
    PlayoutMode.JSON: (
        Flavour.CLOSED_1_0_3,
        Flavour.ALCHEMILLA,
        Flavour.VOXCOM_US,
        Flavour.JULIANOTARGA,
    ),
}
"""Which modules can be used in which mode."""

_WRITE_FRAMES = (Flavour.VOXCOM_US, Flavour.JULIANOTARGA)
"""Modules that write the answer to the channel themselves, as `unicast` does; the others replace
what FreeSWITCH writes, or have it play files."""


def needs_idle_silence(mode: PlayoutMode, flavour: Flavour) -> bool:
    """Whether `send_silence_when_idle` must be set, or else must not.

    With it the park loop writes a frame each 20 ms, too, and switch_rtp.c drops the second frame of
    one timestamp: nearly all of the answer is lost (observed with unicast and voxcom-us).
    """
    return mode is not PlayoutMode.UNICAST and flavour not in _WRITE_FRAMES
