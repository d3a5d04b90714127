"""Makes src/taps.h: `python design_taps.py > src/taps.h`. Needs scipy; nothing else here does.

One low-pass for each pair of rates, by Parks and McClellan: flat to 3.4 kHz where the slower side
has 8 kHz, to 6.5 kHz where it has 16. What would fold into that band, or appear as an image of it,
is held 20 dB lower than what falls between its end and the edge.
"""

from __future__ import annotations

import textwrap

from scipy.signal import remez

PROTOTYPES = (
    # name, rate it runs at (lowest common multiple), end of the band, edge, taps on each side
    ("TAPS_8_16", 16000, 3400, 4000, 48),
    ("TAPS_8_24", 24000, 3400, 4000, 72),
    ("TAPS_16_24", 48000, 6500, 8000, 72),
)
WEIGHTS = (1, 40, 250)
"""Of the band, of what lies between the edge and the band's image, and of everything above."""


def prototype(rate_hz: int, band_hz: int, edge_hz: int, reach: int) -> list[float]:
    """The taps from the middle one to the last; all together they add up to one."""
    image_hz = 2 * edge_hz - band_hz
    bands = [0, band_hz, edge_hz, image_hz, image_hz + 0.001, rate_hz / 2]
    taps = remez(
        2 * reach + 1, bands, [1, 0, 0], weight=WEIGHTS, fs=rate_hz, maxiter=200, grid_density=32
    )
    return [float(tap) for tap in taps[reach:] / taps.sum()]


def main() -> None:
    """Print the header."""
    print(
        "/* Made by design_taps.py: the right half of each symmetrical filter, the middle first. */"
    )
    for name, *spec in PROTOTYPES:
        words = ", ".join(f"{tap:.9e}f" for tap in prototype(*spec))
        print(f"static const float {name}[] = {{")
        print(textwrap.indent(textwrap.fill(words, 96), "    "))
        print("};")


if __name__ == "__main__":
    main()
