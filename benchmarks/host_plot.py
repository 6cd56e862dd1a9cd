"""A scatter plot as SVG text: predicted against measured milliseconds, both on logarithmic axes."""

from collections.abc import Sequence
from math import floor, log10
from pathlib import Path

SIZE, MARGIN = 460, 56
COLOURS = {"fp32": "#1f6feb", "int8": "#d29922", "int8_dynamic": "#2da44e"}


def scatter(points: Sequence[tuple[str, float, float]], path: Path, title: str) -> None:
    """Draw (form, measured, predicted) points with the diagonal and a band of 10 %."""
    values = [v for _, a, b in points for v in (a, b)]
    low, high = 0.8 * min(values), 1.25 * max(values)

    def at(value: float) -> float:
        return MARGIN + (log10(value) - log10(low)) / (log10(high) - log10(low)) * (SIZE - 2 * MARGIN)

    def up(value: float) -> float:
        return SIZE - at(value)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" ',
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<text x="{SIZE / 2}" y="20" text-anchor="middle" font-size="13">{title}</text>',
    ]
    for factor, dash in ((1.0, ""), (1.1, "4 3"), (1 / 1.1, "4 3")):
        parts.append(
            f'<line x1="{at(low):.1f}" y1="{up(low * factor):.1f}" x2="{at(high):.1f}" y2="{up(high * factor):.1f}" '
            f'stroke="#999" stroke-dasharray="{dash}"/>'
        )
    for tick in _ticks(low, high):
        parts.append(f'<text x="{at(tick):.1f}" y="{SIZE - MARGIN + 16}" text-anchor="middle">{tick:g}</text>')
        parts.append(f'<text x="{MARGIN - 8}" y="{up(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
        parts.append(
            f'<line x1="{at(tick):.1f}" y1="{SIZE - MARGIN}" x2="{at(tick):.1f}" y2="{MARGIN}" stroke="#eee"/>'
        )
    for form, measured, predicted in points:
        parts.append(
            f'<circle cx="{at(measured):.1f}" cy="{up(predicted):.1f}" r="3.5" fill="{COLOURS[form]}" '
            'fill-opacity="0.7"/>'
        )
    for i, (form, colour) in enumerate(COLOURS.items()):
        parts.append(f'<circle cx="{MARGIN + 14}" cy="{MARGIN + 14 + 16 * i}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{MARGIN + 24}" y="{MARGIN + 18 + 16 * i}">{form.replace("_", " ")}</text>')
    parts.append(f'<text x="{SIZE / 2}" y="{SIZE - 12}" text-anchor="middle">measured, ms</text>')
    parts.append(
        f'<text x="14" y="{SIZE / 2}" text-anchor="middle" transform="rotate(-90 14 {SIZE / 2})">predicted, ms</text>'
    )
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _ticks(low: float, high: float) -> list[float]:
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    return [digit * 10.0**power for power in powers for digit in (1, 2, 5) if low <= digit * 10.0**power <= high]
