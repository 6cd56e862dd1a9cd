"""Judging a fit on networks it has not seen: each family is predicted by a fit that left it out."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from math import ceil

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.calibrated import total_ms
from advisor.schema.calibration import CostTable, HeldOut

from .collect import Sample
from .fit import Equations, fitted, scaled_table
from .probes import STACKS

COVERAGE = 0.8


def left_out_tables(equations: Equations, families: Sequence[str]) -> dict[str, CostTable]:
    """Return for each family the costs with one thread that a fit without it finds."""
    return {family: fitted(equations, family) for family in families}


def errors(samples: Sequence[Sample], tables: dict[str, CostTable], threads: int) -> tuple[HeldOut, ...]:
    """Return the errors by form; with several threads the factors are fitted without the family as well."""
    mine = [s for s in samples if s.threads == threads]
    if threads > 1:
        tables = {family: scaled_table(found, mine, threads, family) for family, found in tables.items()}
    logs = {(s.probe, s.form): float(np.log(s.ms / total_ms(s.workload, tables[s.family]))) for s in mine}
    return tuple(_held_out(form, threads, mine, logs) for form in dict.fromkeys(s.form for s in mine))


def _held_out(form: str, threads: int, samples: Sequence[Sample], logs: dict[tuple[str, str], float]) -> HeldOut:
    # Stacks and blocks are harsher than networks, whose errors partly cancel: networks set the interval.
    mine = [s for s in samples if s.form == form]
    real = [s for s in mine if s.probe == s.family]
    judged = real if len(real) >= _ENOUGH else mine
    raw = np.array([logs[s.probe, form] for s in judged])
    found = raw - _centres(raw)
    wrong = np.abs(np.exp(-found) - 1.0)
    spread = float(np.exp(conformal(found)))
    return HeldOut(
        form=form, threads=threads, n=len(found), centre=round(float(np.exp(_shrunk(raw.sum(), len(raw)))), 4),
        mean_error=round(float(wrong.mean()), 4),
        within_10=round(float((wrong < 0.1).mean()), 4), low=round(1 / spread, 4), high=round(spread, 4),
        ratio=round(min(float(np.exp(conformal(_ratios(form, samples, logs)))), spread**_UNRELATED), 4),
        ratio_forms=round(float(np.exp(conformal(_against_float(form, judged, logs)))), 4),
    )  # fmt: skip


def _shrunk(total: float, count: int) -> float:
    """Return the mean error as if some networks without any stood beside those that were timed."""
    return total / (count + _UNBIASED)


def _centres(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each network the mean error of the others."""
    return np.array([_shrunk(logs.sum() - own, len(logs) - 1) for own in logs])


_UNBIASED = 5  # networks without error that a common error must outweigh
_UNRELATED = 2**0.5  # the ratio of two networks that share nothing is this much wider than either, in logarithms
_ENOUGH = 4  # errors from which on split conformal prediction can state an 80 % interval


def conformal(logs: NDArray[np.float64], coverage: float = COVERAGE) -> float:
    """Return the half width of the split conformal interval: the ceil((n + 1) x coverage)-th smallest error."""
    ordered = np.sort(np.abs(logs))
    if not len(ordered):
        return 0.7  # nothing to judge by: a factor of two
    return float(ordered[min(ceil((len(ordered) + 1) * coverage), len(ordered)) - 1])


def _ratios(form: str, samples: Sequence[Sample], logs: dict[tuple[str, str], float]) -> NDArray[np.float64]:
    """Errors of ratios between blocks of one family, aligned and not: what they share cancels."""
    by_family: dict[str, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.form == form and sample.family not in STACKS:
            by_family[sample.family].append(logs[sample.probe, form])
    return np.array([a - b for values in by_family.values() for a, b in combinations(values, 2)])


def _against_float(form: str, samples: Sequence[Sample], logs: dict[tuple[str, str], float]) -> NDArray[np.float64]:
    """Errors of the ratio of each network in this form to itself in float."""
    return np.array([
        logs[s.probe, form] - logs[s.probe, "fp32"] for s in samples if s.form == form and (s.probe, "fp32") in logs
    ])  # fmt: skip
