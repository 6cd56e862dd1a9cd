"""Reading and writing quantities with units, and counts. 1 MB is 1e6 bytes, 1 MiB 2**20."""

import math
import re

from .errors import GoalError

_FACTORS: dict[str, dict[str, float]] = {
    "ms": {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3},
    "MB": {"b": 1e-6, "kb": 1e-3, "mb": 1.0, "gb": 1e3, "kib": 1024e-6, "mib": 1048576e-6, "gib": 1073.741824},
    "mJ": {"j": 1e3, "mj": 1.0, "uj": 1e-3, "µj": 1e-3},
    "pp": {"pp": 1.0, "%": 1.0, "points": 1.0, "point": 1.0},
    "fps": {"fps": 1.0, "/s": 1.0},
    "s": {"s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0},
}
_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\s\d]*)\s*")


def parse_quantity(text: str, unit: str, what: str) -> float:
    """Read '33ms', '0.5 GB' or a bare number in `unit` (ms, MB, mJ, pp, fps, s); `what` names the option in errors."""
    match = _QUANTITY.fullmatch(text)
    factors = _FACTORS[unit]
    if not match:
        raise GoalError(f"{what}: {text!r} is not a number with a unit", remedy=f"Write for instance '10{unit}'.")
    value, suffix = float(match[1]), match[2].lower() or unit.lower()
    if suffix not in factors:
        raise GoalError(f"{what}: unknown unit {match[2]!r}", remedy=f"Use one of {', '.join(factors)}.")
    if not math.isfinite(value) or value < 0:
        raise GoalError(f"{what}: {text!r} is not a limit", remedy="Give a finite number that is not negative.")
    return value * factors[suffix]


def si(value: float, unit: str = "") -> str:
    """Write with three significant digits and k, M, G: si(4.09e9) == '4.09 G'."""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= factor:
            return f"{three(value / factor)} {prefix}{unit}"
    return f"{three(value)} {unit}".rstrip()


def three(value: float) -> str:
    """Write with three significant digits and no exponent for everyday magnitudes."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 6)}f}"


def counted(count: int, word: str) -> str:
    """Write '1 rule' or '3 rules'."""
    return f"{count} {word}{'' if count == 1 else 's'}"


def span(low: float, mid: float, high: float, unit: str, signed: bool = False) -> str:
    """Write '41.0 ms (33.0 to 52.0)'."""
    sign = "+" if signed else ""

    def show(x: float) -> str:
        return f"{x:{sign}.1f}" if signed else three(x)

    if low == high:
        return f"{show(mid)} {unit}"
    return f"{show(mid)} {unit} ({show(low)} to {show(high)})"
