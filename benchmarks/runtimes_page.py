"""The tables of docs/runtimes.md: predicted against measured, and what ran. `benchmarks.runtimes` makes the rows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from advisor import runtimes
from advisor.measurement.machine import machine_name

PAGE = Path(__file__).resolve().parents[1] / "docs" / "runtimes.md"
RUNTIMES = ("onnxruntime", "openvino", "ncnn", "executorch", "tflite")
BEGIN, END = "<!-- tables: python -m benchmarks.runtimes -->", "<!-- end of tables -->"


@dataclass(frozen=True)
class Row:
    """One network in one runtime. Times in milliseconds, batch 1, one thread; `refused` says why there are none."""

    network: str
    runtime: str
    refused: str = ""
    float_ms: float = 0.0
    int8_ms: float = 0.0
    predicted_ms: tuple[float, float, float] | None = None  # low, mid, high of the int8 plan
    predicted_gain: tuple[float, float, float] | None = None
    basis: str = ""
    verdict: str = ""  # of the gain: hit, miss, open
    bf16_ms: float | None = None
    float_off: float = 0.0  # largest difference to onnxruntime over the largest output
    int8_off: float = 0.0
    float_in: str = ""
    int8_in: str = ""
    elsewhere: int = 0
    size_mb: tuple[float, float] = (0.0, 0.0)
    top1: tuple[float, float] | None = None
    load: float = 0.0

    @property
    def gain(self) -> float:
        """Times as fast as the float file in the same runtime."""
        return self.float_ms / self.int8_ms if self.int8_ms else 0.0


def write_page(rows: list[Row]) -> None:
    """Put the tables between the marks of the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{_tables(rows)}\n{END}{after}", encoding="utf-8")


def _tables(rows: list[Row]) -> str:
    done = [row for row in rows if not row.refused]
    used = sorted({row.runtime for row in done}, key=RUNTIMES.index)
    versions = ", ".join(f"{name} {runtimes.get(name).version()}" for name in used)
    loads = [row.load for row in done]
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d} on {machine_name()}, batch 1, one thread, CPU time; load average "
        f"{min(loads, default=0):.1f} to {max(loads, default=0):.1f}. {versions}.",
        "",
        "### Predicted against measured",
        "",
        "Gain: time of the float file over that of the int8 file, in the same runtime. Predicted before anything ran.",
        "",
        "| network | runtime | float, ms | int8, ms | predicted, ms | gain | predicted gain | gain is a |",
        "|---|---|---|---|---|---|---|---|",
        *(_costs(row) for row in done),
        "",
        _summary(done),
        "",
        "### What really ran",
        "",
        "Off: largest difference to ONNX Runtime's outputs on random images, as a share of the largest output.",
        "Convolutions and products by what they compute in; elsewhere: operations outside of the fast kernels.",
        "",
        "| network | runtime | float, off | int8, off | float runs in | int8 runs in | elsewhere | MB, float to int8 |",
        "|---|---|---|---|---|---|---|---|",
        *(_placed(row) for row in done),
        "",
    ]
    lines += _trained(done) + _halves(done) + _refusals(rows)
    return "\n".join(lines)


def _costs(row: Row) -> str:
    low, mid, high = row.predicted_ms or (0.0, 0.0, 0.0)
    told = f"{mid:.3g} ({low:.3g} to {high:.3g}), {row.basis}" if row.predicted_ms else "-"
    gain = (
        f"{row.predicted_gain[1]:.2f} ({row.predicted_gain[0]:.2f} to {row.predicted_gain[2]:.2f})"
        if row.predicted_gain
        else "-"
    )
    return (
        f"| {row.network} | {row.runtime} | {row.float_ms:.3g} | {row.int8_ms:.3g} | {told} | {row.gain:.2f}x | "
        f"{gain} | {row.verdict or '-'} |"
    )


def _summary(rows: list[Row]) -> str:
    judged = [row for row in rows if row.verdict in ("hit", "miss")]
    inside = [row for row in rows if row.predicted_ms and row.predicted_ms[0] <= row.int8_ms <= row.predicted_ms[2]]
    factors = [
        max(row.int8_ms / row.predicted_ms[1], row.predicted_ms[1] / row.int8_ms) for row in rows if row.predicted_ms
    ]
    return (
        f"Of {len(judged)} gains that were conclusive, {sum(row.verdict == 'hit' for row in judged)} lie in the "
        f"predicted interval; of {len(factors)} times, {len(inside)} do, and half of the times are off by less than "
        f"{median(factors) if factors else 0:.2f}x."
    )


def _placed(row: Row) -> str:
    before, after = row.size_mb
    return (
        f"| {row.network} | {row.runtime} | {row.float_off:.1e} | {row.int8_off:.1e} | {row.float_in or '-'} | "
        f"{row.int8_in or '-'} | {row.elsewhere} | {before:.3g} to {after:.3g} |"
    )


def _trained(rows: list[Row]) -> list[str]:
    known = [row for row in rows if row.top1]
    if not known:
        return []
    lines = ["### Top-1 of the trained network", "", "| runtime | float | int8 |", "|---|---|---|"]
    return [*lines, *(f"| {row.runtime} | {row.top1[0]:.2f} | {row.top1[1]:.2f} |" for row in known if row.top1), ""]


def _halves(rows: list[Row]) -> list[str]:
    known = [row for row in rows if row.bf16_ms]
    if not known:
        return []
    lines = ["### OpenVINO in f32, in bf16 (its default on this CPU) and in int8", ""]
    lines += ["| network | f32, ms | bf16, ms | int8, ms |", "|---|---|---|---|"]
    return [
        *lines,
        *(f"| {row.network} | {row.float_ms:.3g} | {row.bf16_ms:.3g} | {row.int8_ms:.3g} |" for row in known),
        "",
    ]


def _refusals(rows: list[Row]) -> list[str]:
    refused = [f"- {row.network} in {row.runtime}: {row.refused}" for row in rows if row.refused]
    return ["### What was refused", "", *refused, ""] if refused else []
