"""Latency of one inference: a roofline with an efficiency per class of operation, arithmetic and class of unit.

Every fused operation takes max(MACs / (peak x efficiency), bytes / (bandwidth x efficiency)) plus a fixed overhead.
A datasheet model: its intervals are wide on purpose. Ratios of two plans on one path are far tighter (`ratio.py`).
"""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from advisor.schema import MAC_KINDS, Estimate, ExecPath, Metric

from .demand import PRECISIONS, Demand, Numbers, demand, padded_macs, unaligned
from .efficiency import CLASSES, INDEX, MAC_CLASSES, Entry, Mode, figures
from .fusing.style import block_of
from .query import Query, register
from .rates import BYTES, Rate, arithmetic_of, entry_of, path_of, rate_of
from .storage import stored_bytes


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one inference, by class of operation, with what they rest on."""

    total_ms: float
    by_class: dict[str, float]
    rates: tuple[Rate, ...]  # the one that takes most of the time first
    widen: tuple[float, ...]  # factors that widen the interval
    remarks: tuple[str, ...]


def timing(query: Query) -> Timing | None:
    """Return the predicted time of the plan, or None where the path's peaks or efficiencies are not known."""
    if "timing" not in query.shared:
        query.shared["timing"] = _time(query)
    found: Timing | None = query.shared["timing"]
    return found


def _time(query: Query) -> Timing | None:
    path, entry = path_of(query), entry_of(query)
    if path is None or entry is None or float_on_integers(query, path):
        return None
    load = demand(query.after, query.plan.runtime, block_of(query.plan.runtime, query.device.cpu))
    times = np.zeros(len(load.classes))
    used: list[tuple[float, Rate]] = []
    for arithmetic, rows in rows_by_arithmetic(load, query, path).items():
        rate = rate_of(arithmetic, query)
        if rate is None:
            return None
        part = _op_times(load, rate, entry, path)
        times[rows] = part[rows]
        used.append((float(part[rows].sum()), rate))
    extra, remark = _overflow(query, entry, path)
    return _timing(query, load, times, used, entry.start_us / 1e3 + extra, remark)


def float_on_integers(query: Query, path: ExecPath) -> bool:
    """Whether layers with MACs stay in float on a path that has no float arithmetic."""
    return path.restrictions.integer_only and any(
        op.kind in MAC_KINDS and op.precision != "int8" for op in query.after.ops
    )


def rows_by_arithmetic(load: Demand, query: Query, path: ExecPath) -> dict[str, NDArray[np.bool_]]:
    """Return which operations the path computes in which arithmetic."""
    rows: dict[str, NDArray[np.bool_]] = {}
    for code in np.unique(load.precisions):
        arithmetic = arithmetic_of(PRECISIONS[code], query, path)
        rows[arithmetic] = rows.get(arithmetic, np.zeros(len(load.classes), dtype=np.bool_)) | (load.precisions == code)
    return rows


def op_costs(load: Demand, rate: Rate, entry: Entry, path: ExecPath) -> tuple[Numbers, Numbers]:
    """Milliseconds of arithmetic and of transfer of each operation at full efficiency; 1 GMAC/s is 1e6 MACs per ms."""
    per_activation, per_weight = BYTES[rate.arithmetic]
    moved = load.activations * per_activation + load.weights * per_weight
    macs = padded_macs(load, path.restrictions.channel_alignment or 1)
    factors = np.array([entry.unaligned.get(name, 1.0) for name in CLASSES])[load.classes]
    slowed = np.where(unaligned(load, entry.block), factors, 1.0)
    return macs * slowed / (rate.gmacs * 1e6), moved / (rate.gbs * 1e6)


def _op_times(load: Demand, rate: Rate, entry: Entry, path: ExecPath) -> Numbers:
    arithmetic, transfer = op_costs(load, rate, entry, path)
    compute, stream = shares(rate.mode)
    classes = load.classes
    times: Numbers = np.maximum(arithmetic / compute[classes], transfer / stream[classes]) + rate.mode.overhead_us / 1e3
    return times


def shares(mode: Mode) -> tuple[Numbers, Numbers]:
    """Return the efficiencies of arithmetic and of transfer by class, in the order of `CLASSES`."""
    slowest = min(mode.compute.values())
    compute = np.array([mode.compute.get(name, slowest if name in MAC_CLASSES else 1.0) for name in CLASSES])
    stream = np.array([mode.stream.get(name, mode.stream["default"]) for name in CLASSES])
    return compute, stream


def _overflow(query: Query, entry: Entry, path: ExecPath) -> tuple[float, str]:
    """Return the milliseconds spent on streaming weights that do not fit on the chip, with a remark."""
    capacity = query.device.memory.on_chip_kb
    if not path.restrictions.weight_capacity or entry.overflow_gbs is None or capacity is None:
        return 0.0, ""
    beyond = stored_bytes(query.after.weights) - capacity.value * 1024
    if beyond <= 0:
        return 0.0, ""
    return beyond / (
        entry.overflow_gbs * 1e6
    ), f"{beyond / 1e6:.1f} MB of weights do not fit on the chip and are streamed"


def _timing(
    query: Query, load: Demand, times: Numbers, used: list[tuple[float, Rate]], once_ms: float, remark: str
) -> Timing:
    used.sort(key=lambda item: -item[0])
    rates = tuple(rate for _, rate in used)
    by_class = np.bincount(load.classes, weights=times, minlength=len(CLASSES))
    limits, remarks = figures(), [note for rate in rates for note in rate.remarks]
    widen = [limits.missing_peak] * (any(rate.borrowed_peak for rate in rates) + bool(remark))
    widen.append(limits.confidence.get(query.device.confidence, 1.0))
    if remark:
        remarks.append(remark)
    if load.summary:
        remarks.append("the layers are known by their sums alone")
        widen.append(limits.summary)
    if load.unknown:
        share = max(load.unknown_share, float(by_class[INDEX["unknown"]]) / max(float(times.sum()), 1e-12))
        widen.append(1.0 + (limits.unknown_ops - 1.0) * min(1.0, share + 0.1))
        remarks.append(
            f"{len(load.unknown)} unknown operations ({', '.join(sorted(set(load.unknown))[:3])}) are a guess"
        )
    classes = {name: float(by_class[i]) for i, name in enumerate(CLASSES) if by_class[i] > 0}
    return Timing(float(times.sum()) + once_ms, classes, rates, tuple(widen), tuple(dict.fromkeys(remarks)))


def widened(low: float, high: float, factors: tuple[float, ...]) -> tuple[float, float]:
    """Widen an interval of factors by independent further ones, in quadrature of their logarithms."""
    further = sum(log(f) ** 2 for f in factors)
    return exp(-sqrt(log(low) ** 2 + further)), exp(sqrt(log(high) ** 2 + further))


def predict_latency(query: Query) -> Estimate | None:
    """Return the latency of one inference in ms, or None where it cannot be known."""
    found = timing(query)
    if found is None or not found.rates:
        return None
    mode = found.rates[0].mode
    low, high = widened(mode.low, mode.high, found.widen)
    top = sorted(found.by_class.items(), key=lambda item: -item[1])[:2]
    most = " and ".join(f"{name.replace('_', ' ')} {share / found.total_ms:.0%}" for name, share in top)
    first = f"{found.rates[0].arithmetic} at {found.rates[0].gmacs:.3g} GMAC/s peak, {most}"
    return Estimate(
        metric=Metric.LATENCY, low=found.total_ms * low, mid=found.total_ms, high=found.total_ms * high,
        basis=mode.basis, predictor=Roofline.name, n=mode.n, references=(mode.source,),
        note="; ".join((first, *found.remarks)),
    )  # fmt: skip


@register
class Roofline:
    """Peaks of the profile times efficiencies of the class of unit."""

    name = "roofline"
    metric = Metric.LATENCY

    def supports(self, query: Query) -> float | None:
        """Answer where the profile states a peak and an efficiency is known for the class of unit."""
        found = timing(query)
        if found is None or not found.rates:
            return None
        return {"fitted": 0.6, "published": 0.5}.get(found.rates[0].mode.basis, 0.3)

    def estimate(self, query: Query) -> Estimate:
        """Return the latency in ms."""
        found = predict_latency(query)
        if found is None:
            raise ValueError("latency was asked where it is not known")
        return found

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        path = path_of(query)
        if path is None:
            return f"{query.device.name} has no path {query.plan.path}"
        if float_on_integers(query, path):
            return f"{path.label} has no float arithmetic and this plan leaves layers in float"
        if not path.peak_gmacs:
            return f"the profile of {query.device.name} states no arithmetic peak for {path.label}"
        return f"no efficiency is known for {query.plan.runtime} on this class of unit"
