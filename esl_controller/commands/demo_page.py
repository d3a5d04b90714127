"""The demo's page: the call as a picture, and where the time of each turn went."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from esl_controller.models import Turn
from esl_controller.simulator.caller_script import Note

WIDTH, HALF = 1100, 60
PARTS = (
    ("network_ms", "network", "#4c78a8"),
    ("model_ms", "model", "#f58518"),
    ("buffer_ms", "buffer", "#54a24b"),
    ("playout_ms", "playout", "#b279a2"),
)
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:1140px;margin:2em auto;padding:0 1em;color:#222}
svg{width:100%;height:auto;background:#fafafa;border:1px solid #ddd}
table{border-collapse:collapse;width:100%}td,th{padding:.3em .6em;border-bottom:1px solid #eee;
text-align:left;vertical-align:top}.n{text-align:right;white-space:nowrap}
.bar{display:flex;height:14px;min-width:220px}.cut{color:#a33}
@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}svg{background:#1e1e1e;
border-color:#333}td,th{border-color:#333}}
"""


def turn_table(turns: Sequence[Turn]) -> str:
    """Where the time went, for a terminal."""
    lines = [f"{'answer':<44}{'total':>8}{'network':>9}{'model':>8}{'buffer':>8}{'playout':>9}"]
    for turn in turns:
        if turn.total_ms is not None:
            parts = [_ms(getattr(turn, name)) for name, _, _ in PARTS]
            lines.append(
                f"{turn.content[:42]:<44}{_ms(turn.total_ms):>8}{parts[0]:>9}{parts[1]:>8}"
                f"{parts[2]:>8}{parts[3]:>9}"
            )
    return "\n".join(lines)


def page(turns: Sequence[Turn], recording: Path, notes: Sequence[Note]) -> str:
    """One self-contained HTML page beside the recording."""
    colours = " ".join(f'<span style="color:{c}">■</span> {n}' for _, n, c in PARTS)
    rows = "\n".join(_row(turn, _longest(turns)) for turn in turns)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Demo call</title><style>{_STYLE}</style>
<h1>Demo call</h1>
<audio controls src="{escape(recording.name)}" style="width:100%"></audio>
<p>Left channel and upper half: the caller. Right channel and lower half: what the caller heard.</p>
{_waveform(recording, notes)}
<h2>Where the time went</h2><p>{colours}. From the end of the caller's turn to the first frame of
the answer; playout is what the switch still holds ahead of the caller's ear.</p>
<table><tr><th>who</th><th>what</th><th class="n">ms</th><th>parts</th></tr>
{rows}
</table></html>
"""


def _row(turn: Turn, longest_ms: int) -> str:
    parts = "".join(
        f'<i style="background:{colour};width:{100 * value / longest_ms:.1f}%" '
        f'title="{label} {value} ms"></i>'
        for name, label, colour in PARTS
        if (value := getattr(turn, name))
    )
    who = "caller" if turn.role == "user" else "agent"
    cut = ' <span class="cut">interrupted</span>' if turn.interrupted else ""
    return (
        f"<tr><td>{who}<td>{escape(turn.content)}{cut}"
        f'<td class="n">{_ms(turn.total_ms)}<td><div class="bar">{parts}</div></tr>'
    )


def _longest(turns: Sequence[Turn]) -> int:
    sums = [sum(getattr(t, name) or 0 for name, _, _ in PARTS) for t in turns]
    return max(1, *sums) if sums else 1


def _waveform(recording: Path, notes: Sequence[Note]) -> str:
    with wave.open(str(recording), "rb") as sound:
        rate, count = sound.getframerate(), sound.getnframes()
        samples = np.frombuffer(sound.readframes(count), dtype="<i2").reshape(-1, 2)
    length_s = count / rate
    caller = _path(samples[:, 0], HALF)
    agent = _path(samples[:, 1], 3 * HALF)
    start = notes[0].at if notes else 0.0
    marks = "".join(_mark(note, start, length_s) for note in notes)
    seconds = "".join(
        f'<text x="{WIDTH * s / length_s:.0f}" y="{4 * HALF + 14}" font-size="11" '
        f'fill="#888">{s} s</text>'
        for s in range(0, int(length_s) + 1, 5)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {4 * HALF + 18}" role="img" '
        f'aria-label="Waveform of both directions"><path d="{caller}" fill="#4c78a8"/>'
        f'<path d="{agent}" fill="#f58518"/>{marks}{seconds}</svg>'
    )


def _path(samples: np.ndarray, middle: int) -> str:
    """Loudest sample of each pixel column, mirrored."""
    columns = np.array_split(np.abs(samples.astype(np.int32)), WIDTH)
    tops = [HALF * 0.95 * float(column.max() if column.size else 0) / 32768 for column in columns]
    upper = " ".join(f"L{x} {middle - top:.1f}" for x, top in enumerate(tops))
    lower = " ".join(f"L{x} {middle + tops[x]:.1f}" for x in range(len(tops) - 1, -1, -1))
    return f"M0 {middle} {upper} {lower} Z"


def _mark(note: Note, start: float, length_s: float) -> str:
    x = WIDTH * max(0.0, note.at - start) / length_s
    return (
        f'<line x1="{x:.0f}" x2="{x:.0f}" y1="0" y2="{4 * HALF}" stroke="#bbb" '
        f'stroke-dasharray="3 3"/><title>{escape(note.what)}</title>'
    )


def _ms(value: int | None) -> str:
    return "-" if value is None else str(value)
