"""docs/editions.md: what the program knows of the editions of mod_audio_stream."""

from __future__ import annotations

from collections.abc import Callable

from bridge.playout.editions import EDITIONS, Edition, flavours, needs_idle_silence
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
    "`-USAGE:`, and offers `break` in place of `graceful-shutdown`": "-USAGE: <uuid> [start | stop "
    "| send_text | pause | resume | break ] [wss-url | path]",
    "`-USAGE:`, and offers `break` otherwise": "-USAGE: <uuid> [start | stop | break]",
    "`-USAGE:`, and begins its formats with `[l16 \\| pcmu`": "-USAGE: <uuid> [l16 | pcmu]",
    "`-USAGE:`, and ends its commands with `graceful-shutdown`": "-USAGE: graceful-shutdown ]",
    "`-ERR usage: uuid_audio_stream`": "-ERR usage: uuid_audio_stream <uuid>",
    "anything else but `Command not found`": "-ERR something",
}


def _named(which: Callable[[Edition], bool]) -> str:
    names = [f"`{flavour.value}`" for flavour, one in EDITIONS.items() if which(one)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


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
        "| edition | what it is | what is said here is from |",
        "|---|---|---|",
        *(f"| `{one.value}` | {_ABOUT[one]} | {EDITIONS[one].basis.value} |" for one in Flavour),
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
        "on the call or its codec changes; empty: the dialplan gets the call. A second `unicast`",
        "is no way out: FreeSWITCH says `+OK` and sends nothing, since its park loop goes on with",
        "the first one, whose socket is closed (switch_ivr.c, `switch_ivr_park`: `conninfo`).",
        "",
        "## What must not be",
        "",
        f"- **Beside `unicast`** {_named(lambda one: not one.beside_unicast)}",
        "  bring no caller's audio: where an answer goes by `unicast` such a call goes without the",
        "  module. AlchemillaHQ's, started without `STREAM_PLAYBACK`, asks FreeSWITCH for the",
        "  caller's next frame until there is none, and FreeSWITCH never says so of a bug that",
        "  only reads: the call stands still at its first packet, and memory fills by about 240 MB",
        "  a second for each call (24 GB, and the kernel ended FreeSWITCH). Of the others, which",
        "  replace frames, FreeSWITCH keeps an L16 channel for ever once `unicast` has played on",
        "  it (`switch_core_session_write_frame` unlocks another codec than it locked).",
        "  cloudfieldcz answers like the open edition: with `VOICE_AI_MEDIA_FLAVOUR=auto` it is",
        "  taken for that, and telephones of L16 leave channels behind. Name it.",
        f"- **Nothing else plays** on a channel where {_named(lambda one: one.holds_frame)} has an",
        " answer queued. It writes into the frame before the one it is given; when a",
        " `playback` has ended, or the channel has gone to another application, that one is",
        " gone, and FreeSWITCH ends (SIGSEGV in its stream_frame_write, at the first",
        " `uuid_broadcast`). Nothing of ours does so, and what is queued is dropped before",
        " the channel leaves; what others do (`uuid_broadcast`) cannot be kept off. So it",
        " plays only where it is asked for by name, and `doctor` warns of it.",
        "",
        "What would mend AlchemillaHQ's (at 432bf27): `SWITCH_TRUE` as the last argument of",
        "`switch_core_media_bug_read` in `stream_frame`, twice, and",
        "`SWITCH_ABC_TYPE_WRITE_REPLACE` in place of `SWITCH_ABC_TYPE_WRITE` in its",
        "capture_callback. Built so, 50 playbacks under an answer and a stream without",
        "`STREAM_PLAYBACK` did no harm.",
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
