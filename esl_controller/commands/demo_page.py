"""The demo's page: the call as a picture, and where the time of each turn went. Pure but for the
recording it reads."""

from __future__ import annotations

import wave
from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np

from esl_controller.commands.demo_story import EMULATED, PARTS, Exchange, Mark, Story
from esl_controller.database.models import Turn

WIDTH, LANE, TOP = 1100, 56, 34
COLOURS = dict(
    zip(PARTS, ("#9aa5b1", "#4c78a8", "#c9b6a3", "#f58518", "#54a24b", "#b279a2"), strict=True)
)
_STEPS_MS = (50, 100, 200, 250, 500, 1000, 2000, 5000)
_FEWEST_PX = 44
"""Labels nearer to each other than this go to another line."""


def summary(story: Story) -> str:
    """Where the time went, for a terminal of 80 columns."""
    head = f"{'answer':<19}{'waited':>8}" + "".join(f"{part:>{_wide(part)}}" for part in PARTS)
    lines = [head]
    for one in story.exchanges:
        parts = one.parts_ms
        cells = "".join(f"{parts[part]:>{_wide(part)}.0f}" for part in PARTS)
        lines.append(f"{_short(one.answer.content, 18):<19}{_number(one.ear_ms):>8}{cells}")
    lines.append("milliseconds, from the caller's last sound to the answer's first")
    if any(one.emulator_ms for one in story.exchanges):
        lines.append(f"{EMULATED}: what the emulated model was set to wait, no measurement")
    return "\n".join(lines)


def _wide(part: str) -> int:
    return max(7, len(part) + 2)


def page(story: Story, recording: Path, answered_by: str) -> str:
    """One HTML file, with the recording in it, to be passed on."""
    template = files("esl_controller.commands").joinpath("demo_page.html").read_text("utf-8")
    return Template(template).substitute(
        recording=f"data:audio/wav;base64,{b64encode(recording.read_bytes()).decode()}",
        emulated=_emulated(story),
        answered_by=escape(answered_by),
        facts="".join(_facts(story)),
        waveform=_waveform(recording, story.marks),
        legend=" ".join(f'<i style="background:{c}"></i> {_named(n)}' for n, c in COLOURS.items()),
        waterfall=_waterfall(story.exchanges),
        turns="\n".join(_row(turn) for turn in story.turns),
    )


def _named(part: str) -> str:
    return "set for the emulator" if part == EMULATED else part


def _emulated(story: Story) -> str:
    """Which delays are settings."""
    ms = max((one.emulator_ms for one in story.exchanges), default=0.0)
    if not ms:
        return "All of it was measured."
    return (
        f"{ms:.0f} ms before each answer are a <b>setting of the emulated model</b>, which thinks "
        "nothing; all else was measured."
    )


def _facts(story: Story) -> Iterator[str]:
    silenced = max(story.silenced_ms, default=None)
    facts = [
        ("length of the call", f"{story.length_s:.0f} s"),
        ("greeting after the answer", f"{_number(story.greeting_ms)} ms"),
        ("typical wait for an answer", f"{_number(story.typical_wait_ms)} ms"),
        ("silent after an interruption", f"{_number(silenced)} ms"),
    ]
    for label, value in facts:
        yield f"<div><b>{value}</b>{label}</div>"


# --- the call -------------------------------------------------------------------------------------


def _waveform(recording: Path, marks: Sequence[Mark]) -> str:
    with wave.open(str(recording), "rb") as sound:
        rate, count = sound.getframerate(), sound.getnframes()
        samples = np.frombuffer(sound.readframes(count), dtype="<i2").reshape(-1, 2)
    length_s = max(count / rate, 0.001)
    lanes = [TOP + LANE, TOP + 3 * LANE]
    bottom = TOP + 4 * LANE
    paths = "".join(
        f'<path class="{who}" d="{_outline(samples[:, channel], middle)}"/>'
        f'<text class="lane" x="6" y="{middle - LANE + 13}">{label}</text>'
        for channel, (who, middle, label) in enumerate(
            (("caller", lanes[0], "caller"), ("agent", lanes[1], "what the caller heard"))
        )
    )
    step_s = 5 if length_s > 12 else 1
    seconds = "".join(
        f'<text class="axis" x="{WIDTH * s / length_s:.0f}" y="{bottom + 14}">{s} s</text>'
        for s in range(0, int(length_s) + 1, step_s)
        if s < length_s - 0.02 * length_s or s == 0
    )
    return (
        f'<svg id="wave" viewBox="0 0 {WIDTH} {bottom + 20}" data-length="{length_s:.3f}" '
        f'role="img" aria-label="Loudness of both directions over time">'
        f'<line class="middle" x1="0" x2="{WIDTH}" y1="{TOP + 2 * LANE}" y2="{TOP + 2 * LANE}"/>'
        f"{''.join(_marks(marks, length_s, bottom))}{paths}{seconds}"
        f'<line id="head" y1="{TOP}" y2="{bottom}"/></svg>'
    )


def _outline(samples: np.ndarray, middle: int) -> str:
    """Loudest sample of each pixel column, mirrored; the loudest of all fills the lane."""
    columns = np.array_split(np.abs(samples.astype(np.int32)), WIDTH)
    peaks = np.array([column.max() if column.size else 0 for column in columns], dtype=float)
    tops = LANE * 0.72 * peaks / max(1.0, peaks.max(initial=0.0))
    upper = " ".join(f"L{x} {middle - top:.1f}" for x, top in enumerate(tops))
    lower = " ".join(f"L{x} {middle + tops[x]:.1f}" for x in range(len(tops) - 1, -1, -1))
    return f"M0 {middle} {upper} {lower} Z"


def _marks(marks: Sequence[Mark], length_s: float, bottom: int) -> Iterator[str]:
    """Dashed lines with words above; words too near to the last go one line down."""
    last_x, low = -WIDTH, False
    for mark in marks:
        x = round(WIDTH * min(max(0.0, mark.at_s), length_s) / length_s)
        low = not low if x - last_x < _FEWEST_PX + 6 * len(mark.label) else False
        last_x = x
        at_end = x > WIDTH - 8 * len(mark.label)
        place = f'text-anchor="end" x="{x - 3}"' if at_end else f'x="{x + 3}"'
        yield (
            f'<line class="mark" x1="{x}" x2="{x}" y1="{4 + 14 * low}" y2="{bottom}"/>'
            f'<text class="word" {place} y="{13 + 14 * low}">{escape(mark.label)}</text>'
        )


# --- the waits ------------------------------------------------------------------------------------


def _waterfall(exchanges: Sequence[Exchange]) -> str:
    longest_ms = max((sum(one.parts_ms.values()) for one in exchanges), default=1.0)
    step_ms = next((step for step in _STEPS_MS if longest_ms / step <= 6), 10_000)
    full_ms = step_ms * (int(longest_ms / step_ms) + 1)
    ticks = "".join(
        f'<span style="left:{100 * ms / full_ms:.2f}%">{ms} ms</span>'
        for ms in range(0, full_ms, step_ms)
    )
    rows = "".join(_bar(number, one, full_ms) for number, one in enumerate(exchanges, 1))
    return f'<div class="fall"><div></div><div class="scale">{ticks}</div>{rows}</div>'


def _bar(number: int, one: Exchange, full_ms: int) -> str:
    parts = "".join(
        f'<i style="background:{COLOURS[part]};width:{100 * ms / full_ms:.2f}%" '
        f'title="{_named(part)} {ms:.0f} ms">{f"{ms:.0f}" if ms > full_ms / 20 else ""}</i>'
        for part, ms in one.parts_ms.items()
    )
    small = ", ".join(
        f"{_named(part)} {ms:.0f}" for part, ms in one.parts_ms.items() if ms or part != EMULATED
    )
    return (
        f'<div class="said"><b>{number}</b> {escape(_short(one.answer.content, 48))}</div>'
        f'<div><div class="bar">{parts}<em>{_number(one.ear_ms or one.answer.total_ms)} ms</em>'
        f"</div><small>{small}</small></div>"
    )


def _row(turn: Turn) -> str:
    who = "caller" if turn.role == "user" else "agent"
    cut = f" <em>interrupted after {_number(turn.heard_ms)} ms</em>" if turn.interrupted else ""
    return f'<p class="{who}"><b>{who}</b> {escape(turn.content)}{cut}</p>'


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
