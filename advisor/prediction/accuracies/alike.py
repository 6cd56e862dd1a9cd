"""How alike two cases are: the share that remains after every property in which they differ.

exp(-sum of the weights of the differing properties), times a bell over the difference of what was removed. The weights
are fitted (learning/accuracy_kernel.py). The same likeness finds the nearest published cases of an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .case import Case
from .levels import sort_of, usual

Numbers = NDArray[np.float64]
PROPERTIES = (
    "body", "family", "kind", "head", "width", "task", "world", "metric", "toolkit", "technique", "bits_w", "bits_a",
    "granularity", "trained", "tokens", "pruned", "sort",
)  # fmt: skip
# Settings that grids vary; each has a weight of its own. All others share one column.
SETTINGS = (
    "scale", "act", "backend", "gptq", "gptq_act_order", "act_percentile", "bits_bias", "w_calib", "a_calib", "method",
    "steps", "calib_data", "range_scheme", "hessian", "fully_quantized", "mode", "clip", "distribution", "table",
)  # fmt: skip
REST = "rest"
COLUMNS = (*PROPERTIES, *SETTINGS, REST)
REMOVED = "removed"  # the bell's weight


def properties(case: Case) -> tuple[str, ...]:
    """Return the texts of all columns."""
    said = dict(pair.split("=", 1) for pair in case.pairs)
    network = case.network
    own = (
        network.body, network.family, network.kind, network.head, f"{network.width:.2f}", case.task, case.world,
        case.metric, case.toolkit, case.technique, case.bits_w, case.bits_a, case.granularity, case.trained,
        str(int(case.tokens)),
        f"{case.prior:.1f}", sort_of(case),
    )  # fmt: skip
    rest = ";".join(f"{k}={v}" for k, v in sorted(said.items()) if k not in SETTINGS and k != "teacher")
    return (*own, *(said.get(name, "") for name in SETTINGS), rest)


def removed(case: Case, branch: str) -> float:
    """Return where a case lies on the bell: the bent points that what was removed costs at first sight."""
    return round(-usual(case, branch), 3)


@dataclass(frozen=True)
class Likeness:
    """Cases as codes, so that a whole table is compared at once."""

    index: tuple[Mapping[str, int], ...]  # by column: text -> code
    codes: NDArray[np.int32]  # (n, columns)
    place: Numbers  # (n,)
    weights: Numbers  # (columns,)
    bell: float

    def row(self, case: Case, branch: str) -> Numbers:
        """Return the likeness of a case to each of these, shape (n,)."""
        asked = properties(case)
        code = np.array([column.get(text, -1) for column, text in zip(self.index, asked, strict=True)])
        apart = (self.codes != code) @ self.weights + self.bell * (self.place - removed(case, branch)) ** 2
        return np.asarray(np.exp(-apart), dtype=np.float64)


def coded(table: Sequence[tuple[str, ...]]) -> tuple[tuple[dict[str, int], ...], NDArray[np.int32]]:
    """Number the texts of every column in the order of the alphabet."""
    index = tuple({text: i for i, text in enumerate(sorted(set(column)))} for column in zip(*table, strict=True))
    codes = [[numbers[text] for numbers, text in zip(index, row, strict=True)] for row in table]
    return index, np.array(codes, dtype=np.int32)
