"""Latency on a machine that was calibrated: the costs of all operations of the fused graph, added up.

Answers for ONNX Runtime on the CPU in float, static and dynamic int8; half precision and weight-only storage were not
timed. The interval is that of networks which the fit had not seen.
"""

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from advisor.schema import Basis, Estimate, Metric, Workload
from advisor.schema.calibration import QUANTITIES, Calibration, CostTable, HeldOut
from advisor.schema.identity import remembered

from .op_terms import terms
from .query import Query, register

Numbers = NDArray[np.float64]
_FORMS = {"static_int8": "int8", "qat": "int8", "dynamic_int8": "int8_dynamic"}
_NOT_TIMED = frozenset({"half", "weight_only"})
_BORROWED = 1.15  # widening by operations that were not timed, in proportion to their share
_OTHER_THREADS = 1.15  # widening for a number of threads that was not timed
_CONFIDENCE = 0.9


def calibration_of(query: Query) -> Calibration | None:
    """Return the calibration that speaks of this plan, or None."""
    found, plan = query.device.calibration, query.plan
    if found is None or plan.unit != "cpu" or plan.runtime != found.runtime or _NOT_TIMED & set(plan.techniques):
        return None
    timed = {"fp32", "int8"}
    if any(op.precision not in timed or op.attrs.get("summary") for op in query.after.ops):
        return None
    return found


def form_of(query: Query) -> str:
    """Return the form in which the plan computes: fp32, int8 or int8_dynamic."""
    step = query.step(*_FORMS)
    if step is not None:
        return _FORMS[step.technique]
    return "int8" if any(op.precision == "int8" for op in query.after.ops) else "fp32"


def total_ms(workload: Workload, table: CostTable, runtime: str = "onnxruntime") -> float:
    """Return the milliseconds of one inference of a network (not fused yet)."""
    return float(op_times(workload, table, runtime)[0].sum()) + table.constant_ms


def op_times(workload: Workload, table: CostTable, runtime: str = "onnxruntime") -> tuple[Numbers, NDArray[np.bool_]]:
    """Return the milliseconds of each operation of the fused graph, and which ones were not timed themselves."""
    found = terms(workload, runtime, table.block)
    known = _vectors(table)
    rows = [_cost(name, known) for name in found.names]
    costs = np.array([row for row, _ in rows]).reshape(-1, len(QUANTITIES))
    borrowed = np.array([not own for _, own in rows], dtype=np.bool_)
    return (found.quantities * costs[found.classes]).sum(axis=1), borrowed[found.classes]


@remembered(16)
def _vectors(table: CostTable) -> dict[str, Numbers]:
    return {cost.name: np.array([getattr(cost, q) for q in QUANTITIES]) for cost in table.costs}


def _cost(name: str, known: dict[str, Numbers]) -> tuple[Numbers, bool]:
    """Return the cost of a class, else of the one that shares most of its name, and whether it is its own."""
    if name in known:
        return known[name], True
    kind, number = name.split(" ", maxsplit=1)[0], name.rsplit(" ", 1)[-1]
    alike = [cost for other, cost in known.items() if other.split(" ", maxsplit=1)[0] == kind]
    same_number = [
        cost for other, cost in known.items() if other.startswith(kind.split("_")[0]) and other.endswith(number)
    ]
    own_number = [cost for other, cost in known.items() if other.startswith(f"{kind} ") and other.endswith(number)]
    chosen = own_number or alike or same_number or list(known.values())
    return np.median(np.array(chosen), axis=0), False


def predict(query: Query, calibration: Calibration) -> Estimate:
    """Return the latency in ms with its 80 % interval."""
    device, wanted = query.device, query.threads
    tables = {table.threads: table for table in calibration.tables}
    form = form_of(query)
    ms = _at_threads({n: total_ms(query.after, table, query.plan.runtime) for n, table in tables.items()}, wanted)
    nearest = min(tables, key=lambda n: abs(n - wanted))
    times, borrowed = op_times(query.after, tables[nearest], query.plan.runtime)
    share = float(times[borrowed].sum() / max(times.sum(), 1e-12))
    error = calibration.error(form, nearest) or max(calibration.errors, key=lambda e: e.high)
    ms *= error.centre
    widen = [_BORROWED ** (share * 4.0)] if share else []
    widen += [_OTHER_THREADS] * (wanted not in tables)
    low, high = _widened(error, widen)
    notes = [f"{form.replace('_', ' ')} with {wanted} thread{'s' * (wanted > 1)}, timed on {calibration.date[:10]}"]
    if share > 0.01:
        notes.append(f"{share:.0%} of it is operations that were not timed here")
    if wanted not in tables:
        notes.append(f"between the numbers of threads that were timed ({', '.join(map(str, sorted(tables)))})")
    return Estimate(
        metric=Metric.LATENCY, low=ms * low, mid=ms, high=ms * high, basis=Basis.CALIBRATED,
        predictor=Calibrated.name, n=error.n, references=(f"calibration:{device.id}",), note="; ".join(notes),
    )  # fmt: skip


def _at_threads(times: dict[int, float], wanted: int) -> float:
    """Interpolate between numbers of threads as a power law; beyond the ends the nearest one stands."""
    if wanted in times:
        return times[wanted]
    known = sorted(times)
    return float(np.exp(np.interp(log(wanted), np.log(known), np.log([times[n] for n in known]))))


def _widened(error: HeldOut, factors: list[float]) -> tuple[float, float]:
    further = sum(log(f) ** 2 for f in factors)
    return exp(-sqrt(log(error.low) ** 2 + further)), exp(sqrt(log(error.high) ** 2 + further))


def ratio_spread(base: Query, candidate: Query) -> float | None:
    """Return the factor of the 80 % interval of the ratio of two plans; None unless a calibration speaks of both.

    Within one form what both share cancels; between forms the spread is that of networks against themselves in float.
    """
    left, right = calibration_of(base), calibration_of(candidate)
    if left is None or right is None or base.threads != candidate.threads:
        return None
    forms = form_of(base), form_of(candidate)
    found = [right.error(form, candidate.threads) for form in forms]
    known = [error for error in found if error is not None]
    if not known:
        return None
    if forms[0] == forms[1]:
        return max(error.ratio for error in known)
    return max(error.ratio_forms for error in known)


@register
class Calibrated:
    """Costs of operations timed on the device itself."""

    name = "calibrated"
    metric = Metric.LATENCY

    def supports(self, query: Query) -> float | None:
        """Answer for forms that were timed on a calibrated device."""
        return None if calibration_of(query) is None else _CONFIDENCE

    def estimate(self, query: Query) -> Estimate:
        """Return the latency in ms."""
        found = calibration_of(query)
        if found is None:
            raise ValueError("a calibrated latency was asked where there is none")
        return predict(query, found)

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        if query.device.calibration is None:
            return f"{query.device.name} is not calibrated ('advisor devices calibrate')"
        return f"the calibration did not time {query.plan.label} on {query.plan.path}"
