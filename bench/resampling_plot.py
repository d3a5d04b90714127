"""What passes a resampler, drawn as SVG without any library."""

from __future__ import annotations

from collections.abc import Mapping

Curve = list[tuple[float, float]]
"""Hz and dB."""
Pair = tuple[int, int]

WIDTH, HEIGHT, GAP, COLUMNS = 300, 170, 46, 3
LOWEST_DB, HIGHEST_DB = -120.0, 5.0
COLOURS = {"python": "#8a8f98", "compiled": "#0b62d6"}


def plot(curves: Mapping[Pair, Mapping[str, Curve]]) -> str:
    """One small picture for each pair of rates."""
    rows = -(-len(curves) // COLUMNS)
    size = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        'font-family="sans-serif" font-size="10">',
        "<title>Level of what comes out of a tone, by its frequency</title>",
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fff"/>',
    ]
    for number, (pair, by_engine) in enumerate(curves.items()):
        left = GAP + number % COLUMNS * (WIDTH + GAP)
        top = GAP // 2 + number // COLUMNS * (HEIGHT + GAP)
        parts.append(f'<g transform="translate({left},{top})">{_panel(pair, by_engine)}</g>')
    return "\n".join([*parts, _legend(size[1]), "</svg>"]) + "\n"


def _panel(pair: Pair, by_engine: Mapping[str, Curve]) -> str:
    end_hz = pair[0] / 2
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#bbb"/>']
    for db in range(-120, 1, 20):
        y = _y(db)
        parts.append(f'<path d="M0 {y:.1f}H{WIDTH}" stroke="#eee"/>')
        parts.append(f'<text x="-4" y="{y + 3:.1f}" text-anchor="end">{db}</text>')
    for khz in range(0, int(end_hz / 1000) + 1, 2):
        x = khz * 1000 / end_hz * WIDTH
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + 12}" text-anchor="middle">{khz}</text>')
    edge = min(pair) / 2 / end_hz * WIDTH
    parts.append(f'<path d="M{edge:.1f} 0V{HEIGHT}" stroke="#c33" stroke-dasharray="3 3"/>')
    for name, curve in by_engine.items():
        points = " ".join(f"{hz / end_hz * WIDTH:.1f},{_y(db):.1f}" for hz, db in curve)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.3"/>'
        )
    title = f"{pair[0] // 1000} to {pair[1] // 1000} kHz"
    parts.append(f'<text x="{WIDTH / 2}" y="-6" text-anchor="middle">{title}</text>')
    return "".join(parts)


def _y(db: float) -> float:
    shown = min(HIGHEST_DB, max(LOWEST_DB, db))
    return (HIGHEST_DB - shown) / (HIGHEST_DB - LOWEST_DB) * HEIGHT


def _legend(height: int) -> str:
    text = "dB by kHz of the input; red: the slower side's edge"
    marks = "".join(
        f'<tspan fill="{colour}" dx="12">{name}</tspan>' for name, colour in COLOURS.items()
    )
    return f'<text x="{GAP}" y="{height - 6}">{text}{marks}</text>'
