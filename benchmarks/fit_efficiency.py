"""Fit efficiencies by class of unit to published and own latencies; write knowledge/prediction/efficiency_fitted.yaml.

    python benchmarks/fit_efficiency.py FOLDER [--only onnxruntime-x86-amx openvino-x86-amx]

Each (entry, arithmetic) is fitted by itself: logarithms of efficiencies, of the transfer rate and of the overhead are
moved from their assumed values as far as the errors demand (soft L1 on log errors, a prior of a factor of 2). The error
shown and the interval written are those of networks and of devices that the fit had not seen. At the end stand the
errors of the own measurements that belong to no fit.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from evidence_rows import Row, rows, x86_rows
from scipy.optimize import least_squares

from advisor.prediction.demand import demand
from advisor.prediction.efficiency import INDEX, MAC_CLASSES, Mode, assumed_figures, entry_for, figures, mode_for
from advisor.prediction.latency import float_on_integers, op_costs, predict_latency, rows_by_arithmetic, shares
from advisor.prediction.rates import entry_of, path_of, rate_of

TARGET = Path(__file__).resolve().parent.parent / "knowledge" / "prediction" / "efficiency_fitted.yaml"
FEWEST_ROWS, FEWEST_MODELS = 6, 3
PRIOR_WIDTH = np.log(2.0)
ERROR_WIDTH = 0.25
NARROWEST = 1.12  # repeated measurements of one network differ by about this factor
ENOUGH = 30  # errors from which tenths can be told


@dataclass
class Sample:
    """One row as the fit needs it: costs of the fitted arithmetic at full efficiency, the rest as a constant."""

    row: Row
    classes: np.ndarray
    arithmetic: np.ndarray
    transfer: np.ndarray
    rest_ms: float
    weight: float = 1.0


def sample(row: Row, arithmetic: str) -> Sample | None:
    query = row.query
    path, entry = path_of(query), entry_of(query)
    if path is None or entry is None or float_on_integers(query, path):
        return None
    load = demand(query.after, query.plan.runtime)
    rest, found = entry.start_us / 1e3, None
    for name, mask in rows_by_arithmetic(load, query, path).items():
        rate = rate_of(name, query)
        if rate is None:
            return None
        compute_ms, transfer_ms = op_costs(load, rate, entry, path)
        if name == arithmetic:
            found = Sample(row, load.classes[mask], compute_ms[mask], transfer_ms[mask], 0.0)
        else:
            compute, stream = shares(rate.mode)
            times = np.maximum(compute_ms / compute[load.classes], transfer_ms / stream[load.classes])
            rest += float((times + rate.mode.overhead_us / 1e3)[mask].sum())
    if found is not None:
        found.rest_ms = rest
    return found


def main_arithmetic(row: Row) -> str | None:
    """Return the arithmetic in which most MACs of a row are done."""
    query = row.query
    path = path_of(query)
    if path is None or entry_of(query) is None or float_on_integers(query, path):
        return None
    load = demand(query.after, query.plan.runtime)
    masks = rows_by_arithmetic(load, query, path)
    return max(masks, key=lambda name: load.macs[masks[name]].sum())


class Fit:
    """Parameters of one mode as logarithms: efficiencies by class, a factor on all transfers and on slow ones."""

    slow = ("activation", "norm", "softmax", "quantize", "elementwise")

    def __init__(self, samples: list[Sample], start: Mode) -> None:
        self.samples, self.start = samples, start
        self.compute0, self.stream0 = (np.log(x) for x in shares(start))
        self.names = [*list(MAC_CLASSES), "stream", *list(self.slow), "overhead"]
        self.prior = np.zeros(len(self.names))

    def predict(self, theta: np.ndarray, samples: list[Sample]) -> np.ndarray:
        """Return the milliseconds of every sample."""
        compute, stream = self.compute0.copy(), self.stream0.copy() + theta[len(MAC_CLASSES)]
        compute[: len(MAC_CLASSES)] += theta[: len(MAC_CLASSES)]
        for i, name in enumerate(self.slow):
            stream[INDEX[name]] += theta[len(MAC_CLASSES) + 1 + i]
        overhead = self.start.overhead_us / 1e3 * np.exp(theta[-1])
        ec, es = np.exp(compute), np.exp(stream)
        return np.array([
            s.rest_ms + overhead * len(s.classes)
            + np.maximum(s.arithmetic / ec[s.classes], s.transfer / es[s.classes]).sum()
            for s in samples
        ])  # fmt: skip

    def run(self, samples: list[Sample]) -> np.ndarray:
        """Return the parameters that fit these samples best."""
        observed = np.log([s.row.ms for s in samples])
        weights = np.sqrt(np.array([s.weight for s in samples]))

        def residuals(theta: np.ndarray) -> np.ndarray:
            error = (np.log(self.predict(theta, samples)) - observed) / ERROR_WIDTH * weights
            soft = np.sign(error) * np.sqrt(2 * (np.sqrt(1 + error**2) - 1))
            return np.concatenate([soft, theta / PRIOR_WIDTH])

        return least_squares(residuals, self.prior, max_nfev=60).x

    def mode(self, theta: np.ndarray, low: float, high: float, n: int, source: str) -> dict:
        """Return the mode as the file holds it."""
        compute = {c: round(float(np.exp(self.compute0[i] + theta[i])), 4) for i, c in enumerate(MAC_CLASSES)}
        stream = {}
        for name, i in INDEX.items():
            if name in MAC_CLASSES:
                continue
            extra = theta[len(MAC_CLASSES) + 1 + self.slow.index(name)] if name in self.slow else 0.0
            stream[name] = round(float(np.exp(self.stream0[i] + theta[len(MAC_CLASSES)] + extra)), 4)
        stream["default"] = round(float(np.exp(self.stream0[INDEX["move"]] + theta[len(MAC_CLASSES)])), 4)
        return {
            "compute": compute, "stream": stream,
            "overhead_us": round(float(self.start.overhead_us * np.exp(theta[-1])), 3),
            "low": round(low, 3), "high": round(high, 3), "basis": "fitted", "n": n, "source": source,
        }  # fmt: skip


def held_out(fit: Fit, key: str) -> np.ndarray:
    """Return log(observed / predicted) of each sample from a fit without its network or its device."""
    values = [getattr(s.row, key) for s in fit.samples]
    errors = np.zeros(len(values))
    for value in sorted(set(values)):
        inside = [s for s, v in zip(fit.samples, values, strict=True) if v != value]
        outside = [s for s, v in zip(fit.samples, values, strict=True) if v == value]
        theta = fit.run(inside)
        mask = np.array([v == value for v in values])
        errors[mask] = np.log([s.row.ms for s in outside]) - np.log(fit.predict(theta, outside))
    return errors


def interval(errors: np.ndarray) -> tuple[float, float]:
    """Return the factors that hold 80 % of the errors (of a few: all); never narrower than repeated measurements."""
    low, high = np.quantile(errors, [0.1, 0.9]) if len(errors) >= ENOUGH else (errors.min(), errors.max())
    return min(float(np.exp(low)), 1 / NARROWEST), max(float(np.exp(high)), NARROWEST)


STAGES = (("fp32",), ("fp16", "bf16"), ("int8", "int8_dynamic", "int8_foreign"))


def group(found: list[Row], stage: tuple[str, ...]) -> dict[tuple[str, str], list[Sample]]:
    """Return the samples of each (entry, arithmetic) of this stage; every device has the same weight."""
    grouped: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for row in found:
        arithmetic = main_arithmetic(row)
        entry = entry_of(row.query)
        # Dynamic quantization leaves convolutions in float, yet tells about the integer kernels.
        if row.precision.startswith("dynamic"):
            arithmetic = "int8_dynamic"
        if arithmetic in stage and entry is not None and (one := sample(row, arithmetic)) is not None:
            grouped[entry.id, arithmetic].append(one)
    for samples in grouped.values():
        count = defaultdict(int)
        for s in samples:
            count[s.row.device] += 1
        for s in samples:
            s.weight = len(samples) / len(count) / count[s.row.device]
    return dict(grouped)


def fit_group(key: tuple[str, str], samples: list[Sample]) -> dict | None:
    models, devices = {s.row.model for s in samples}, {s.row.device for s in samples}
    if len(samples) < FEWEST_ROWS or len(models) < FEWEST_MODELS:
        print(f"{key[0]:24s} {key[1]:13s} {len(samples)} rows of {len(models)} networks: too few, stays assumed")
        return None
    entry = next(e for e in assumed_figures().entries if e.id == key[0])
    start = mode_for(entry, key[1])
    fit = Fit(samples, start)
    by_model = held_out(fit, "model")
    errors = np.concatenate([by_model, held_out(fit, "device")]) if len(devices) > 1 else by_model
    theta = fit.run(samples)
    own = np.log([s.row.ms for s in samples]) - np.log(fit.predict(theta, samples))
    low, high = interval(errors)
    if any(s.row.throughput for s in samples):
        low, high = low / 1.4, high * 1.4  # the factor from throughput to latency is between 1 and 3.9
    if len(devices) == 1:
        low, high = low / 1.25, high * 1.25  # other devices of the class were not seen
    inside = np.mean((errors >= np.log(low)) & (errors <= np.log(high)))
    print(f"{key[0]:24s} {key[1]:13s} n={len(samples):4d} networks={len(models):2d} devices={len(devices):2d}  "
          f"fitted {np.median(np.abs(np.expm1(-own))):5.1%}  "
          f"other networks {np.median(np.abs(np.expm1(-by_model))):5.1%}  "
          f"interval {low:.2f}..{high:.2f} holds {inside:.0%}")  # fmt: skip
    return fit.mode(theta, low, high, len(samples), "+".join(sorted({s.row.source for s in samples})))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", default=[""], help="fit only entries whose ids begin so; all others stay as they are"
    )
    parser.add_argument(
        "evidence", type=Path, nargs="?", help="folder with latency.csv.gz, device_alias.csv, ncnn_workloads.csv"
    )
    options = parser.parse_args()
    evidence = options.evidence
    found = list(x86_rows()) + (list(rows(evidence)) if evidence else [])
    print(f"{len(found)} rows")
    modes: dict[str, dict[str, dict]] = {}
    if TARGET.exists():
        modes = yaml.safe_load(TARGET.read_text(encoding="utf-8"))["modes"]
    for stage in STAGES:
        for key, samples in sorted(group(found, stage).items()):
            mode = fit_group(key, samples) if key[0].startswith(tuple(options.only)) else None
            if mode is not None:
                modes.setdefault(key[0], {})[key[1]] = mode
        write(modes)
        figures.cache_clear()
        entry_for.cache_clear()
    judge(list(x86_rows(unseen=True)))


def judge(unseen: list[Row]) -> None:
    """Print how well the shipped figures predict measurements that no fit has seen."""
    parts: dict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
    for row in unseen:
        found, entry = predict_latency(row.query), entry_of(row.query)
        if found is not None and entry is not None:
            parts[entry.id, row.precision].append((row.ms / found.mid, found.low <= row.ms <= found.high))
    for (entry_id, precision), errors in sorted(parts.items()):
        ratios, inside = np.array([e[0] for e in errors]), [e[1] for e in errors]
        print(f"unseen {entry_id:24s} {precision:15s} n={len(ratios):3d}  observed / predicted {ratios.min():.2f} "
              f".. {np.median(ratios):.2f} .. {ratios.max():.2f}  inside {np.mean(inside):.0%}")  # fmt: skip


def write(modes: dict[str, dict[str, dict]]) -> None:
    head = ("# Written by benchmarks/fit_efficiency.py; do not edit. Modes by entry of efficiency.yaml.\n"
            "# low, high: 80 % interval from networks and devices that a fit had not seen. Sources: evidence ids;\n"
            "# PEERS-b1 is knowledge/prediction/measured_x86.csv, OWN-amx measured_x86_amx.csv.\n")  # fmt: skip
    text = head + yaml.safe_dump({"modes": modes}, sort_keys=True, default_flow_style=None, width=160)
    temporary = TARGET.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(TARGET)


if __name__ == "__main__":
    main()
