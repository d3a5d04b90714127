"""docs/editions.md: what the program knows of the editions of mod_audio_stream."""

from __future__ import annotations

from bridge.playout.editions import EDITIONS, flavours, needs_idle_silence
from bridge.playout.modes import Flavour, PlayoutMode
from esl_controller.calls.audio_module import best_playback, editions, without_unicast

_ABOUT = {
    Flavour.OPEN: "amigniter/mod_audio_stream, the open-source edition: what `deploy/audio-module` "
    "builds. It plays nothing by itself, and writes files for the call to play",
    Flavour.CLOSED_1_0_3: "the same project's closed-source edition; its free binary carries "
    f"{EDITIONS[Flavour.CLOSED_1_0_3].channels} channels, and refuses further ones without a word",
    Flavour.CLOSED_1_1_0: "its successor, with resampling of its own",
    Flavour.EARSHOT: "mod_earshot, a module of its own, which plays raw audio and "
    'takes `{"type":"clear"}`; it brings the ticket in the address instead of a header',
    Flavour.ALCHEMILLA: "AlchemillaHQ/mod-audio-stream, a rewrite with the contract of 1.0.3",
    Flavour.CLOUDFIELDCZ: "cloudfieldcz/mod_audio_stream_fork; it answers like the open edition, "
    "so `VOICE_AI_MEDIA_FLAVOUR` must name it",
    Flavour.JAMBONZ: "jambonz' mod_audio_fork; its commands are others, and no call is served "
    "by it yet",
    Flavour.VOXCOM_US: "voxcom-us' fork, which writes what it is sent to the channel itself",
    Flavour.JULIANOTARGA: "julianotarga's fork, which does so too",
}
_ANSWERS = {
    "`-USAGE:`, and offers `break`": "-USAGE: <uuid> [start | stop | break]",
    "`-USAGE:`, and begins its formats with `[l16 \\| pcmu`": "-USAGE: <uuid> [l16 | pcmu]",
    "`-USAGE:`, and ends its commands with `graceful-shutdown`": "-USAGE: graceful-shutdown ]",
    "`-ERR usage: uuid_audio_stream`": "-ERR usage: uuid_audio_stream <uuid>",
    "anything else but `Command not found`": "-ERR something",
}


def editions_page() -> str:
    """docs/editions.md."""
    lines = [
        "# Editions of mod_audio_stream",
        "",
        "mod_audio_stream brings a call's sound to a worker by a WebSocket. There are several",
        "modules of that name and of that kind, which bring it in alike and play what is sent back",
        "each in its own way. `esl-controller doctor` says which one FreeSWITCH has loaded and how",
        "answers are played then; the messages are in [media protocol](media-protocol.md).",
        "",
        "| edition | what it is |",
        "|---|---|",
        *(f"| `{one.value}` | {_ABOUT[one]} |" for one in Flavour),
        "",
        "The names are values of `VOICE_AI_MEDIA_FLAVOUR`, `jambonz` excepted; `auto` asks",
        "FreeSWITCH.",
        "",
        "## Ways of playing",
        "",
        "A worker takes the best way of the module it finds (`VOICE_AI_MEDIA_PLAYBACK=auto`, or a",
        "secretary's `playback_mode`). Where there is no module at all",
        "`VOICE_AI_MEDIA_INPUT=unicast` brings the caller's sound, too.",
        "",
        f"| edition | {' | '.join(f'`{mode.value}`' for mode in PlayoutMode)} | `auto` | later |",
        "|---|" + "---|" * (len(PlayoutMode) + 2),
        *(_row(one) for one in Flavour),
        _row(None),
        "",
        "*s*: `send_silence_when_idle=-1` must be set before the channel has media, and a worker",
        "sets it. On a call that the dialplan answers before `socket` it is too late for that: it",
        "is played to by `unicast` unless the dialplan has set it.",
        "",
        "*later*: what plays when `unicast` ends in mid-call, as it does when something else plays",
        "on the call or its codec changes; empty: the dialplan gets the call. Beside `unicast` a",
        "module that replaces what FreeSWITCH writes (`cloudfieldcz`, `alchemilla`) has left an",
        "L16 channel that never ended: leave these on `auto`.",
        "",
        "## Which one it is",
        "",
        "FreeSWITCH is asked `uuid_audio_stream` without arguments. Its answer tells:",
        "",
        "| the answer | likeliest first |",
        "|---|---|",
        *(_answer(words, text) for words, text in _ANSWERS.items()),
        "| `Command not found` | no module |",
        "",
        "Where several answer alike only `VOICE_AI_MEDIA_FLAVOUR` can tell them apart.",
    ]
    return "\n".join(lines) + "\n"


def _row(flavour: Flavour | None) -> str:
    cells = []
    for mode in PlayoutMode:
        plays = mode is PlayoutMode.UNICAST if flavour is None else flavour in flavours(mode)
        silence = " (*s*)" if plays and flavour and needs_idle_silence(mode, flavour) else ""
        cells.append(f"yes{silence}" if plays else "")
    name = f"`{flavour.value}`" if flavour else "none"
    later = without_unicast(flavour)
    cells += [f"`{best_playback(flavour).value}`", f"`{later[0].value}`" if later else ""]
    return f"| {name} | {' | '.join(cells)} |"


def _answer(words: str, text: str) -> str:
    found = editions(text)
    return f"| {words} | {', '.join(f'`{one.value}`' for one in found)} |"
