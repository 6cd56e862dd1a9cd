"""Fit and judge the peak memory of processes; writes docs/memory.md and prints the figures of memory.yaml.

    python benchmarks/fit_memory.py

Reads knowledge/prediction/measured_memory.csv (benchmarks/memory.py; rows without a version are older ones). Memory of
the model's part = fixed + convolution weights x a + other weights x b + live activations x c, all factors non-negative,
errors relative. Judged twice: figures of one half of the networks on the other half, and each network by all others,
which gives the 80 % interval.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from evidence_rows import profiled
from numpy.typing import NDArray
from scipy.optimize import nnls

from advisor.prediction.fusion import fuse
from advisor.prediction.memory import figures, held_weights
from advisor.profiling.liveness import in_place, peak_activation_bytes
from advisor.resources import data_dir
from advisor.schema import Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8
from advisor.writing import write_text

FORMS = {"fp32": "", "int8": " int8", "u8s8": " int8", "dynamic": " int8-dynamic"}

FEWEST = 6  # networks; four figures are fitted to them


@dataclass(frozen=True)
class Sample:
    """One reading: megabytes of convolution weights, other weights and live activations, and the model's part."""

    model: str
    variant: str
    features: tuple[float, float, float, float]
    measured: float


def after(original: Workload, variant: str) -> Workload:
    """Return the network as the variant holds it."""
    if variant in ("u8s8", "int8"):
        return preview_static(StaticInt8(signedness="u8s8"), original)
    return preview_dynamic(DynamicInt8(), original) if variant == "dynamic" else original


def samples() -> dict[str, list[Sample]]:
    """Return the readings by runtime and form, as memory.yaml names them."""
    found: dict[str, list[Sample]] = defaultdict(list)
    with (data_dir("knowledge") / "prediction" / "measured_memory.csv").open(newline="") as file:
        for r in csv.DictReader(file):
            original = profiled(f"timm:{r['model']}", r["input"])
            assert original is not None, r["model"]
            workload = after(original, r["variant"])
            live = peak_activation_bytes(in_place(fuse(workload, r["runtime"]))) / 1e6
            convolutions, others = (b / 1e6 for b in held_weights(workload))
            # A few old readings give one factor for all weights and one fixed part for both forms.
            key = r["runtime"] + (FORMS[r["variant"]] if r["version"] else "")
            features = (convolutions, others, live, 1.0) if r["version"] else (0.0, convolutions + others, live, 1.0)
            found[key].append(Sample(r["model"], r["variant"], features, float(r["model_mb"])))
    return {key: mine for key, mine in found.items() if len({s.model for s in mine}) >= FEWEST}


def fitted(mine: list[Sample]) -> NDArray[np.float64]:
    """Return the four factors of least relative squares."""
    columns = np.array([s.features for s in mine])
    measured = np.array([s.measured for s in mine])
    figures, _ = nnls(columns / measured[:, None], np.ones(len(mine)))
    return figures


def ratios(mine: list[Sample], figures: NDArray[np.float64]) -> list[float]:
    """Return measured over predicted."""
    return [float(s.measured / (np.array(s.features) @ figures)) for s in mine]


def left_out(mine: list[Sample]) -> list[float]:
    """Return measured over predicted, each network by figures of all others."""
    found = []
    for sample in mine:
        others = [s for s in mine if s.model != sample.model]
        found += ratios([sample], fitted(others))
    return found


def conformal(values: list[float]) -> tuple[float, float]:
    """Return the ends that hold 80 % of new values, with the correction for few."""
    n = len(values)
    low, high = max(0.1 - 0.9 / n, 0.0), min(0.9 + 0.9 / n, 1.0)
    return float(np.quantile(values, low)), float(np.quantile(values, high))


def halves(mine: list[Sample]) -> tuple[float, float]:
    """Return mean error and coverage where one half of the networks judges the other, both ways round."""
    names = sorted({s.model for s in mine})
    errors: list[float] = []
    inside: list[bool] = []
    for first in (names[::2], names[1::2]):
        training = [s for s in mine if s.model in first]
        test = [s for s in mine if s.model not in first]
        figures = fitted(training)
        low, high = conformal(left_out(training))
        for ratio in ratios(test, figures):
            errors.append(abs(1 / ratio - 1))
            inside.append(low <= ratio <= high)
    return float(np.mean(errors)), float(np.mean(inside))


def gains(found: dict[str, list[Sample]]) -> dict[str, tuple[int, float, float]]:
    """Return by runtime: float peaks over integer ones that are known, their middle error and the factor of 80 %."""
    errors: dict[str, list[float]] = defaultdict(list)
    ends = {(s.model, key, s.variant): (s.measured, ratio) for key, mine in found.items()
            for s, ratio in zip(mine, left_out(mine), strict=True)}  # fmt: skip
    process = figures().process
    for (model, key, variant), (measured, ratio) in ends.items():
        runtime = key.split()[0]
        if variant == "fp32" or (model, runtime, "fp32") not in ends or runtime not in process:
            continue
        before, off = ends[model, runtime, "fp32"]
        base = process[runtime].baseline_mb
        real, predicted = ((base + before / a) / (base + measured / b) for a, b in ((1.0, 1.0), (off, ratio)))
        errors[runtime].append(abs(float(np.log(real / predicted))))
    return {
        runtime: (len(off), *(float(f) for f in np.exp(np.quantile(off, [0.5, min(1.0, 0.8 * (1 + 1 / len(off)))]))))
        for runtime, off in errors.items()
    }


def page(found: dict[str, list[Sample]]) -> str:
    """Lay out the page."""
    lines = [
        "# Memory of a process: predicted against measured",
        "",
        "Written by `python benchmarks/fit_memory.py` from knowledge/prediction/measured_memory.csv: peak resident "
        "memory of a fresh process that loads and runs the file once it is written, less the memory of Python "
        "and the runtime before (benchmarks/memory.py), batch 1, one thread, random weights. 1 MB = 1e6 bytes.",
        "",
        "Peak = baseline of the runtime + fixed + convolution weights x a + other weights x b + live activations x c. "
        "Live activations: the largest sum of what is alive together in the graph as the runtime executes it, "
        "pointwise operations in place.",
        "",
        "| runtime and form | networks | a | b | c | fixed MB | mean error, other half | inside the interval, "
        "other half | 80 % interval |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for key, mine in found.items():
        a, b, c, fixed = fitted(mine)
        low, high = conformal(left_out(mine))
        error, inside = halves(mine)
        lines.append(f"| {key} | {len({s.model for s in mine})} | {a:.2f} | {b:.2f} | {c:.2f} | {fixed:.1f} "
                     f"| {error:.0%} | {inside:.0%} | {low:.2f} to {high:.2f} |")  # fmt: skip
    lines += [
        "",
        "Ratio of the float file's peak to that of an integer one of the same network, both by figures of the other "
        "networks:",
        "",
        "| runtime | ratios | median factor off | 80 % lie within a factor of |",
        "|---|---|---|---|",
        *(f"| {name} | {n} | {middle:.2f} | {within:.2f} |" for name, (n, middle, within) in gains(found).items()),
        "",
        "onnxruntime holds float weights of convolutions more than twice and integer weights about twice: its own "
        "layout stands beside what the file brought. Files in fp16 and of weights alone were not measured. openvino "
        "and pytorch rest on eight networks of an older measurement. executorch and aotinductor run inside of Python "
        "with torch here, which takes 550 to 800 MB before a model is opened; on a device they need no Python, and "
        "what their runtimes take there is assumed. Of other runtimes no usable figure is published: the peaks of "
        "Qualcomm AI Hub jump between 3 and 100 MB for one network from device to device, so those runtimes stay "
        "assumed, with a wide interval.",
        "",
        "## Readings",
        "",
        "| runtime and form | network | variant | weights MB | live MB | measured MB | over predicted, left out |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, mine in found.items():
        for s, ratio in zip(mine, left_out(mine), strict=True):
            lines.append(f"| {key} | {s.model} | {s.variant} | {s.features[0] + s.features[1]:.1f} "
                         f"| {s.features[2]:.2f} | {s.measured:.0f} | {ratio:.2f} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    found = samples()
    written = page(found)
    write_text(Path(__file__).parents[1] / "docs" / "memory.md", written)
    for key, mine in found.items():
        a, b, c, fixed = fitted(mine)
        low, high = conformal(left_out(mine))
        print(f"{key}: fixed_mb: {fixed:.1f}, convolutions: {a:.2f}, weights: {b:.2f}, activations: {c:.2f}, "
              f"low: {low:.2f}, high: {high:.2f}, n: {len(mine)}")  # fmt: skip
    print("ratio:", ", ".join(f"{name}: {within:.2f}" for name, (_, _, within) in gains(found).items()))
    print("\n".join(line for line in written.splitlines() if line.startswith("| onnx") and line.count("|") == 10))


if __name__ == "__main__":
    main()
