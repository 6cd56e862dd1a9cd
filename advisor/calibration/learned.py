"""Whether a learned term on top of the costs would pay: judged like the costs, on families left out, and told."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.calibrated import op_times
from advisor.prediction.op_terms import terms
from advisor.schema.calibration import QUANTITIES, CostTable

from .collect import Sample
from .rows import RUNTIME, Row, operation_rows

Numbers = NDArray[np.float64]
_FOLDS = 5
_LEAST_GAIN = 0.1  # of the mean error, below which a learned term is not worth its opacity
_MIXED_OPS = 12
_TINY = 1e-6


def judged(samples: Sequence[Sample], unseen: dict[str, CostTable]) -> str:
    """Say what gradient boosting on the residuals of single operations does to the error of networks left out."""
    plain, corrected = compared(samples, unseen)
    if not plain:
        return "no network was large enough to judge a learned term by"
    gain = 1.0 - corrected / max(plain, _TINY)
    verdict = "it would be worth having" if gain > _LEAST_GAIN else "it is left out"
    return (
        f"a learned term (gradient boosting on the residuals of single operations) takes the mean error of networks "
        f"left out from {plain:.1%} to {corrected:.1%}: {verdict}"
    )


def compared(samples: Sequence[Sample], unseen: dict[str, CostTable]) -> tuple[float, float]:
    """Return the mean error of networks left out without and with the learned term."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    families = sorted(unseen)
    plain, corrected = [], []
    for fold in range(_FOLDS):
        left_out = set(families[fold::_FOLDS])
        rows = [r for s in samples if s.family not in left_out for r in operation_rows(s) if len(r.classes) == 1]
        names = {name: i for i, name in enumerate(dict.fromkeys(r.classes[0] for r in rows))}
        # The residuals are those of costs that did not see the row's own family, as they will be in use.
        times = [_predicted(row, unseen[row.family]) for row in rows]
        target = np.log([(row.ms + _TINY) / (ms + _TINY) for row, ms in zip(rows, times, strict=True)])
        features = np.array([_features(row.classes[0], row.quantities[0], names) for row in rows])
        model = HistGradientBoostingRegressor(max_iter=80, max_leaf_nodes=12, learning_rate=0.08,
                                              categorical_features=[0], random_state=0)  # fmt: skip
        model.fit(features, np.clip(target, -1.5, 1.5), sample_weight=np.sqrt([row.ms for row in rows]))
        for sample in samples:
            if sample.family in left_out and len(sample.workload.ops) >= _MIXED_OPS:
                found = terms(sample.workload, RUNTIME, sample.block)
                mine = op_times(sample.workload, unseen[sample.family], RUNTIME)[0]
                asked = [
                    _features(found.names[c], q, names) for c, q in zip(found.classes, found.quantities, strict=True)
                ]
                factors = np.exp(model.predict(np.array(asked)))
                plain.append(abs(mine.sum() / sample.ms - 1.0))
                corrected.append(abs((mine * factors).sum() / sample.ms - 1.0))
    return (float(np.mean(plain)), float(np.mean(corrected))) if plain else (0.0, 0.0)


def _predicted(row: Row, table: CostTable) -> float:
    cost = next((c for c in table.costs if c.name == row.classes[0]), None)
    if cost is None:
        return row.ms
    return float(row.quantities[0] @ np.array([getattr(cost, q) for q in QUANTITIES]))


def _features(name: str, quantities: Numbers, names: dict[str, int]) -> Numbers:
    logs = np.log(quantities[:-1] + _TINY)
    return np.array([names.get(name, np.nan), *logs, logs[0] - logs[3]])
