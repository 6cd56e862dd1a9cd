"""The spread of errors as a picture, without a plotting library: one bar of tenths for each question."""

from html import escape
from pathlib import Path

import numpy as np

WIDTH, LEFT, ROW = 760, 210, 26
SHOWN = np.log(3.0)


def plot(items: list[tuple[str, np.ndarray]], path: Path) -> None:
    """Draw for each question the tenth to ninetieth percentile of predicted over true, the quartiles and the median."""
    height = ROW * (len(items) + 2)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
             f'font-size="12"><rect width="100%" height="100%" fill="white"/>']  # fmt: skip
    for factor in (0.5, 0.75, 0.9, 1.0, 1.1, 1.33, 2.0):
        x = place(np.log(factor))
        parts.append(f'<line x1="{x}" x2="{x}" y1="{ROW}" y2="{height - ROW}" stroke="#ddd"/>'
                     f'<text x="{x}" y="{height - 8}" text-anchor="middle" fill="#555">{factor:g}</text>')  # fmt: skip
    parts.append(f'<text x="{LEFT}" y="16" fill="#333">predicted / measured: 10-90 %, quartiles, median</text>')
    for row, (label, errors) in enumerate(items):
        y = ROW * (row + 1)
        p10, p25, p50, p75, p90 = np.percentile(-errors, (10, 25, 50, 75, 90))
        parts += [
            f'<text x="{LEFT - 8}" y="{y + 17}" text-anchor="end">{escape(label)}</text>',
            bar(p10, p90, y + 9, 8, "#bcd3ea"), bar(p25, p75, y + 9, 8, "#5b8fc7"),
            bar(p50 - 0.006, p50 + 0.006, y + 6, 14, "#14385f"),
        ]  # fmt: skip
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def place(value: float) -> float:
    """Return where a logarithm lies."""
    share = (min(max(value, -SHOWN), SHOWN) + SHOWN) / (2 * SHOWN)
    return round(LEFT + share * (WIDTH - LEFT - 20), 1)


def bar(low: float, high: float, y: float, thick: float, colour: str) -> str:
    width = max(place(high) - place(low), 1)
    return f'<rect x="{place(low)}" y="{y}" width="{width:.1f}" height="{thick}" fill="{colour}"/>'
