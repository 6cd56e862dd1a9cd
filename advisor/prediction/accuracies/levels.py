"""The named terms of the pooled model: at which levels results share something, and what they share.

The model of a branch (quantization, pruning, low rank, distillation) adds deviations of levels: of a recipe, of a
family under a recipe, of a toolkit, of a network, of a setting. Every level is one key function from a case to the
name of its group, or None where the case is outside the level; a level may hold several keys (the settings). Parts are
what a group's deviation multiplies: a constant, or the scale of what was removed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import asinh, log, sinh

import numpy as np
from numpy.typing import NDArray

from .case import PRUNED, QUANTIZED, Case

Numbers = NDArray[np.float64]
ONE, CUT, GAP = "one", "cut", "gap"
QUANTIZE, PRUNE, LOW_RANK, DISTIL, HALF = "quantize", "prune", "low rank", "distil", "half"
SCALE = 0.5  # points; losses well below it are taken as they are, those above by their logarithm
# Points that a unit of ln(1 / kept) costs at first sight, by whether training follows; deviations correct it.
_STEEP = {"1": 2.0, "joint": 5.0, "scratch": 2.0, "few": 6.0, "0": 60.0}
# Points that few bits cost after training at first sight: about three times as many from 4 to 3 and from 3 to 2 bits.
_WEIGHT_BITS = {16: 0.0, 8: 0.25, 6: 0.7, 5: 1.2, 4: 2.5, 3: 7.0, 2: 15.0, 1: 40.0}
_ACTIVATION_BITS = {16: 0.0, 8: 0.15, 6: 1.3, 5: 2.0, 4: 3.5, 3: 6.0, 2: 15.0, 1: 40.0}
_TAUGHT = 0.35  # of it, where training makes up for it


def bent(points: float) -> float:
    """Return points on the scale on which errors are alike: linear near 0, logarithmic far from it."""
    return asinh(points / SCALE)


def unbent(value: float) -> float:
    """Return the points of a bent value."""
    return SCALE * sinh(max(min(value, 7.0), -7.0))


def branch_of(case: Case) -> str | None:
    """Return which model answers for a technique."""
    if case.technique == "fp16":
        return HALF
    if case.technique in QUANTIZED:
        return QUANTIZE
    if case.technique in PRUNED:
        return PRUNE
    return {"low_rank": LOW_RANK, "distill": DISTIL}.get(case.technique)


def usual(case: Case, branch: str) -> float:
    """Return the bent points that are expected at first sight, before any deviation."""
    if branch in (PRUNE, LOW_RANK):
        return -bent(_STEEP.get(case.trained, 2.0) * _cut(case))
    if branch == QUANTIZE:
        points = _few(case.bits_w, _WEIGHT_BITS) + _few(case.bits_a, _ACTIVATION_BITS)
        return -bent(points * (_TAUGHT if case.technique in ("qat", "mixed_precision") else 1.0))
    return 0.0


def _few(bits: str, table: dict[int, float]) -> float:
    """Return what some bits cost; the mean over several ('mixed4/8'), nothing where they are not stated."""
    found = [min(table, key=lambda known, b=int(text): abs(known - b)) for text in re.findall(r"\d+", bits)]  # type: ignore[misc]
    return sum(table[b] for b in found) / len(found) if found else 0.0


def _cut(case: Case) -> float:
    """Return ln(1 / kept); where nobody says how much was removed, about a third."""
    if case.technique == "prune_unstructured" and case.sparsity:
        return 0.35 * -log(max(1 - case.sparsity, 0.005))  # single weights: a third of the price of channels
    return case.cut or 0.4


def features(case: Case, branch: str) -> dict[str, tuple[float, ...]]:
    """Return the features by part."""
    base = -usual(case, branch)
    gap = (case.teacher - case.baseline) / 5 if case.teacher and case.baseline else 0.0
    return {
        ONE: (1.0,),
        CUT: (base / 2, (base / 2) ** 2 / 2),
        GAP: (gap, max(70.0 - (case.baseline or 70.0), -20) / 20),
    }


Key = Callable[[Case], Sequence[str]]


@dataclass(frozen=True)
class Level:
    """One level: its name, the keys of a case in it, and the parts of its deviations."""

    name: str
    keys: Key
    parts: tuple[str, ...] = (ONE,)


def _of(*names: str) -> Key:
    """Return a key that joins fields of a case; outside the level where one is empty."""

    def key(case: Case) -> Sequence[str]:
        values = [str(_field(case, name)) for name in names]
        return ("|".join(values),) if all(values) else ()

    return key


def _field(case: Case, name: str) -> object:
    return _DERIVED[name](case) if name in _DERIVED else getattr(case, name)


def lines(case: Case) -> str:
    """Return the coarse kind, under the head for networks with one."""
    head = case.network.head if case.task in ("detection", "pose", "segmentation", "face") else ""
    return f"{case.network.kind} {head}".strip()


# Settings that only experiments name: a toolkit's own table states what a competent default reaches.
_TRIED = frozenset({
    "act", "act_percentile", "a_calib", "bits_bias", "calib_data", "clip", "gptq", "hessian", "method", "mode",
    "fully_quantized", "steps", "w_calib",
})  # fmt: skip


def sort_of(case: Case) -> str:
    """Return whether a result is an experiment with settings or a toolkit's default."""
    return "tried" if any(pair.partition("=")[0] in _TRIED for pair in case.pairs) else "default"


_NARROW = 0.6  # width multipliers below it lose more in int8: MobileNetV2 at 0.35 three times that at 1.0
_DERIVED: dict[str, Callable[[Case], object]] = {
    "body": lambda c: c.network.body,
    "family": lambda c: c.network.family,
    "kind": lambda c: c.network.kind,
    "head": lambda c: c.network.head if c.task in ("detection", "pose", "segmentation", "face") else "",
    "line": lines,
    "sort": sort_of,
    "narrow": lambda c: c.network.family and f"{c.network.family} {'narrow' if c.network.width < _NARROW else 'usual'}",
    "po2": lambda c: "po2" if c.power_of_two else "",
    "shape": lambda c: f"{c.task} {c.metric}",
    "pruned": lambda c: "pruned" if c.prior else "",
    "method": lambda c: next((p for p in c.pairs if p.startswith("method=")), ""),
    "teacher_name": lambda c: next((p for p in c.pairs if p.startswith("teacher=")), ""),
    "tokenised": lambda c: "tokens" if c.tokens else "",
}  # fmt: skip


def _pairs(*names: str) -> Key:
    """Return keys of all settings, each joined with fields of the case."""

    def keys(case: Case) -> Sequence[str]:
        values = [str(_field(case, name)) for name in names]
        return [f"{pair}|{'|'.join(values)}" for pair in case.pairs] if all(values) else ()

    return keys


LEVELS: dict[str, tuple[Level, ...]] = {
    QUANTIZE: (
        Level("branch", lambda c: ("all",), (ONE, GAP)),
        Level("recipe", _of("recipe")),
        Level("bits", _of("bits")),
        Level("sort", _of("sort", "bits")),
        Level("sort on kind", _of("sort", "kind", "bits")),
        Level("task", _of("task")),
        Level("measure", _of("shape")),
        Level("data", _of("world")),
        Level("kind", _of("kind")),
        Level("kind under bits", _of("kind", "bits")),
        Level("kind under recipe", _of("kind", "recipe")),
        Level("head", _of("head")),
        Level("head under bits", _of("head", "bits")),
        Level("head under recipe", _of("head", "recipe")),
        Level("family", _of("family")),
        Level("family by width", _of("narrow", "task")),
        Level("family under bits", _of("family", "bits")),
        Level("family under recipe", _of("family", "task", "recipe")),
        Level("kit", _of("toolkit")),
        Level("kit under recipe", _of("toolkit", "recipe")),
        Level("kit on task", _of("toolkit", "task")),
        Level("kit on kind", _of("toolkit", "line")),
        Level("kit on family", _of("toolkit", "family", "recipe")),
        Level("flavour", _of("flavour")),
        Level("granularity", _of("granularity", "kind", "bits")),
        Level("power of two", _of("po2", "kind")),
        Level("pruned before", _of("pruned", "kind")),
        Level("network", _of("body", "task")),
        Level("network under bits", _of("body", "task", "bits")),
        Level("network under recipe", _of("body", "task", "recipe")),
        Level("network in kit", _of("body", "task", "toolkit", "recipe")),
        Level("setting", _pairs("technique")),
        Level("setting under bits", _pairs("bits")),
        Level("setting on kind", _pairs("kind")),
        Level("setting on network", _pairs("body")),
    ),
    PRUNE: (
        Level("branch", lambda c: ("all",), (ONE, CUT)),
        Level("recipe", _of("recipe"), (ONE, CUT)),
        Level("data", _of("world", "trained"), (CUT,)),
        Level("task", _of("task", "technique"), (ONE, CUT)),
        Level("metric", _of("metric"), (CUT,)),
        Level("kind", _of("kind", "trained"), (CUT,)),
        Level("family", _of("family", "recipe"), (CUT,)),
        Level("kit", _of("toolkit", "technique"), (ONE, CUT)),
        Level("method", _of("method", "trained"), (ONE, CUT)),
        Level("network", _of("body", "world"), (ONE, CUT)),
        Level("network under recipe", _of("body", "world", "recipe"), (ONE, CUT)),
        Level("network in kit", _of("body", "world", "toolkit"), (ONE,)),
        Level("setting", _pairs("technique"), (ONE, CUT)),
        Level("setting on network", _pairs("body"), (ONE, CUT)),
    ),
    LOW_RANK: (
        Level("branch", lambda c: ("all",), (ONE, CUT)),
        Level("recipe", _of("recipe"), (ONE, CUT)),
        Level("data", _of("world", "trained"), (CUT,)),
        Level("metric", _of("metric"), (CUT,)),
        Level("kind", _of("kind", "trained"), (CUT,)),
        Level("family", _of("family", "trained"), (ONE, CUT)),
        Level("kit", _of("toolkit"), (ONE, CUT)),
        Level("method", _of("method", "trained"), (ONE, CUT)),
        Level("network", _of("body", "world"), (ONE, CUT)),
        Level("network under recipe", _of("body", "world", "recipe"), (ONE, CUT)),
        Level("setting", _pairs("technique"), (ONE,)),
        Level("setting on network", _pairs("body"), (ONE, CUT)),
    ),
    DISTIL: (
        Level("branch", lambda c: ("all",), (ONE, GAP)),
        Level("data", _of("world", "metric")),
        Level("task", _of("task")),
        Level("kit", _of("toolkit")),
        Level("family", _of("family", "world"), (ONE, GAP)),
        Level("method", _of("method"), (ONE, GAP)),
        Level("method on family", _of("method", "family")),
        Level("teacher", _of("teacher_name")),
        Level("network", _of("body", "world")),
        Level("network and teacher", _of("body", "world", "teacher_name")),
        Level("network in kit", _of("body", "world", "toolkit")),
        Level("setting", _pairs("technique")),
    ),
    HALF: (
        Level("branch", lambda c: ("all",)),
        Level("task", _of("task")),
        Level("device", _of("device", "task")),
        Level("kit", _of("toolkit")),
        Level("kind", _of("kind", "task")),
        Level("network", _of("body", "task")),
        Level("network on device", _of("body", "task", "device")),
    ),
}  # fmt: skip
