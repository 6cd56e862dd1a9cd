"""The published cases nearest to a question, in words: what a reader can hold a prediction against."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .case import Case
from .store import Branch

_GROUPS = 3
_AROUND = 60  # results that are looked at
_WORDS = {
    "ptq_static": "PTQ", "ptq_dynamic": "dynamic PTQ", "qat": "QAT", "weight_only": "weights only", "fp16": "fp16",
    "mixed_precision": "mixed precision", "prune_structured": "structured pruning", "prune_unstructured": "sparsity",
    "prune_nm": "N:M sparsity", "low_rank": "low rank", "distill": "distillation",
}  # fmt: skip


@dataclass(frozen=True)
class Near:
    """Published results of one network with one recipe."""

    network: str
    recipe: str
    low: float
    high: float
    n: int
    toolkits: int

    def __str__(self) -> str:
        """'mobilenetv2_100, int8 PTQ, 11 toolkits: -1.9 .. -0.5'."""
        span = f"{self.low:+.1f}" if self.n == 1 else f"{self.low:+.1f} .. {self.high:+.1f}"
        count = f"{self.toolkits} toolkits" if self.toolkits > 1 else f"{self.n} result{'s' if self.n > 1 else ''}"
        return f"{self.network}, {self.recipe}, {count}: {span}"


def words_of(recipe: str) -> str:
    """Say a recipe: 'ptq_static w8a8' -> 'int8 PTQ'."""
    technique, _, rest = recipe.partition(" ")
    name = _WORDS.get(technique, technique)
    if technique in ("ptq_static", "ptq_dynamic", "qat", "mixed_precision", "weight_only"):
        bits = {"w8a8": "int8", "w?a?": "", "w16a16": ""}.get(rest, rest.upper())
        return f"{bits} {name}".strip()
    if technique == "fp16":
        return name
    after = {
        "0": "untrained",
        "1": "trained",
        "joint": "trained jointly",
        "scratch": "trained from scratch",
        "few": "few-shot",
    }
    kind = rest.removeprefix("tokens ")
    return f"{name}{' of tokens' if kind != rest else ''}, {after.get(kind, kind)}"


def nearest(branch: Branch, case: Case, order: Sequence[int]) -> tuple[Near, ...]:
    """Return groups of published results; the network's own first, then by `order`, the most alike first."""
    rows = branch.rows
    own = [
        int(i) for i in np.flatnonzero(branch.recipes == case.recipe)
        if rows[i].task == case.task and rows[i].network == case.network.body
        and (rows[i].toolkit == case.toolkit or rows[i].toolkit not in branch.sweeps)
    ]  # fmt: skip
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    if own:
        groups[case.network.body, case.recipe] = own
    for i in order[:_AROUND]:
        key = (rows[i].network, rows[i].recipe)
        if groups[key] is not own:
            groups[key].append(int(i))
    return tuple(_near(branch, name, found) for (name, _), found in list(groups.items())[:_GROUPS])


def _near(branch: Branch, name: str, rows: Sequence[int]) -> Near:
    results = [branch.rows[i] for i in rows]
    deltas = [r.delta for r in results]
    kits = len({r.toolkit for r in results})
    return Near(name, words_of(results[0].recipe), min(deltas), max(deltas), len(results), kits)
