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
from advisor.prediction.memory import figures, held_weights, in_floats
from advisor.profiling.liveness import in_place, peak_activation_bytes
from advisor.resources import data_dir
from advisor.schema import Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8
from advisor.writing import write_text

FORMS = {"fp32": "", "int8": " int8", "u8s8": " int8", "dynamic": " int8-dynamic"}

FEWEST = 6  # networks; four or five figures are fitted to them
FEATURES = ("convolutions", "winograd", "weights", "activations", "fixed_mb")
WINOGRAD = ("ncnn",)  # weights of 3x3 convolutions of stride 1 are told apart: that takes two thirds of the error away


@dataclass(frozen=True)
class Sample:
    """One reading: the megabytes that count (see `FEATURES`), and the model's part."""

    model: str
    variant: str
    features: tuple[float, ...]
    measured: float


Readings = dict[str, list[Sample]]  # by runtime and form, as memory.yaml names them
WEIGHTS = np.array([1.0, 1.0, 1.0, 0.0, 0.0])


def after(original: Workload, variant: str) -> Workload:
    """Return the network as the variant holds it."""
    if variant in ("u8s8", "int8"):
        return preview_static(StaticInt8(signedness="u8s8"), original)
    return preview_dynamic(DynamicInt8(), original) if variant == "dynamic" else original


def samples() -> Readings:
    """Return the readings by runtime and form, as memory.yaml names them."""
    found: dict[str, list[Sample]] = defaultdict(list)
    with (data_dir("knowledge") / "prediction" / "measured_memory.csv").open(newline="") as file:
        for r in csv.DictReader(file):
            original = profiled(f"timm:{r['model']}", r["input"])
            assert original is not None, r["model"]
            workload = after(original, r["variant"])
            apart = r["runtime"] in WINOGRAD
            fused = fuse(workload, r["runtime"])
            live = peak_activation_bytes(in_place(in_floats(fused) if apart else fused)) / 1e6
            convolutions, winograd, others = (b / 1e6 for b in held_weights(workload, apart))
            # A few old readings give one factor for all weights and one fixed part for both forms.
            key = r["runtime"] + (FORMS[r["variant"]] if r["version"] else "")
            if not r["version"]:
                features = (0.0, 0.0, convolutions + winograd + others, live, 1.0)
            elif apart:
                features = (convolutions, winograd, others, live, 1.0)
            else:
                features = (convolutions + winograd, 0.0, others, live, 1.0)
            found[key].append(Sample(r["model"], r["variant"], features, float(r["model_mb"])))
    return {key: mine for key, mine in found.items() if len({s.model for s in mine}) >= FEWEST}


def fitted(key: str, found: Readings, without: frozenset[str] = frozenset()) -> NDArray[np.float64]:
    """Return the factors of least relative squares, of all networks but those named.

    An integer form of WINOGRAD has too few readings for five factors of its own: it takes a share of what the network
    would in floats, whose factors are known, and so many copies of its weights.
    """
    columns, measured = _columns(key, found, without)
    runtime = key.split(maxsplit=1)[0]
    if runtime not in WINOGRAD or key == runtime:
        return _least(columns, measured)
    floats = fitted(runtime, found, without)
    share, copies = _least(np.stack((columns @ floats, columns @ WEIGHTS), axis=1), measured)
    return share * floats + copies * WEIGHTS


def _columns(key: str, found: Readings, without: frozenset[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mine = [s for s in found[key] if s.model not in without]
    return np.array([s.features for s in mine]), np.array([s.measured for s in mine])


def _least(columns: NDArray[np.float64], measured: NDArray[np.float64]) -> NDArray[np.float64]:
    figures, _ = nnls(columns / measured[:, None], np.ones(len(measured)))
    return figures


def ratio(sample: Sample, figures: NDArray[np.float64]) -> float:
    """Return measured over predicted."""
    return float(sample.measured / (np.array(sample.features) @ figures))


def left_out(key: str, found: Readings, without: frozenset[str] = frozenset()) -> list[float]:
    """Return measured over predicted, each network by figures of all others."""
    mine = [s for s in found[key] if s.model not in without]
    return [ratio(s, fitted(key, found, without | {s.model})) for s in mine]


def conformal(values: list[float]) -> tuple[float, float]:
    """Return the ends that hold 80 % of new values, with the correction for few."""
    n = len(values)
    low, high = max(0.1 - 0.9 / n, 0.0), min(0.9 + 0.9 / n, 1.0)
    return float(np.quantile(values, low)), float(np.quantile(values, high))


def halves(key: str, found: Readings) -> tuple[float, float]:
    """Return mean error and coverage where one half of the networks judges the other, both ways round."""
    names = sorted({s.model for s in found[key]})
    errors: list[float] = []
    inside: list[bool] = []
    for test in (frozenset(names[1::2]), frozenset(names[::2])):
        figures = fitted(key, found, test)
        low, high = conformal(left_out(key, found, test))
        for off in (ratio(s, figures) for s in found[key] if s.model in test):
            errors.append(abs(1 / off - 1))
            inside.append(low <= off <= high)
    return float(np.mean(errors)), float(np.mean(inside))


def gains(found: Readings) -> dict[str, tuple[int, float, float]]:
    """Return by runtime: float peaks over integer ones that are known, their middle error and the factor of 80 %."""
    errors: dict[str, list[float]] = defaultdict(list)
    ends = {(s.model, key, s.variant): (s.measured, ratio) for key, mine in found.items()
            for s, ratio in zip(mine, left_out(key, found), strict=True)}  # fmt: skip
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


def page(found: Readings) -> str:
    """Lay out the page."""
    lines = [
        "# Memory of a process: predicted against measured",
        "",
        "Written by `python benchmarks/fit_memory.py` from knowledge/prediction/measured_memory.csv: peak resident "
        "memory of a fresh process that loads and runs the file once it is written, less the memory of Python "
        "and the runtime before (benchmarks/memory.py), batch 1, one thread, random weights. 1 MB = 1e6 bytes.",
        "",
        "Peak = baseline of the runtime + fixed + convolution weights x a + other weights x b + live activations x c. "
        "Of ncnn, weights of 3x3 convolutions of stride 1 count w times: it turns them into Winograd's form, 36 or 64 "
        "numbers for 9. Its int8 factors are for the bytes that the network would have in floats: one share of all "
        "float factors, and one addition for weights. Live activations: the largest sum of what is alive together in "
        "the graph as the runtime executes it, pointwise operations in place.",
        "",
        "| runtime and form | networks | a | w | b | c | fixed MB | mean error, other half | inside the interval, "
        "other half | 80 % interval |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for key, mine in found.items():
        a, w, b, c, fixed = fitted(key, found)
        low, high = conformal(left_out(key, found))
        error, inside = halves(key, found)
        small = f"{w:.2f}" if _told_apart(key) else "a"
        lines.append(f"| {key} | {len({s.model for s in mine})} | {a:.2f} | {small} | {b:.2f} | {c:.2f} | {fixed:.1f} "
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
        for s, off in zip(mine, left_out(key, found), strict=True):
            lines.append(f"| {key} | {s.model} | {s.variant} | {sum(s.features[:3]):.1f} "
                         f"| {s.features[3]:.2f} | {s.measured:.0f} | {off:.2f} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def _told_apart(key: str) -> bool:
    return key.split(maxsplit=1)[0] in WINOGRAD


def main() -> None:
    found = samples()
    written = page(found)
    write_text(Path(__file__).parents[1] / "docs" / "memory.md", written)
    for key, mine in found.items():
        named = dict(zip(FEATURES, fitted(key, found), strict=True))
        if not _told_apart(key):
            del named["winograd"]
        low, high = conformal(left_out(key, found))
        told = ", ".join(f"{name}: {value:.2f}" for name, value in named.items())
        print(f"{key}: {told}, low: {low:.2f}, high: {high:.2f}, n: {len(mine)}")
    print("ratio:", ", ".join(f"{name}: {within:.2f}" for name, (_, _, within) in gains(found).items()))
    print("\n".join(line for line in written.splitlines() if line.startswith("| onnx") and line.count("|") == 11))


if __name__ == "__main__":
    main()
