"""What a calibrated prediction is compared with: MACs alone, the datasheet roofline, a forest per kind of operation."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from advisor.calibration.collect import Sample
from advisor.calibration.rows import RUNTIME, group_of_class, operation_rows
from advisor.devices import detect_host
from advisor.prediction.latency import predict_latency
from advisor.prediction.op_terms import terms
from advisor.prediction.query import Query
from advisor.schema import Plan, Step, Workload
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.step import StaticInt8

Baseline = Callable[[str, int, Workload], float | None]  # form, threads, network -> ms
STEPS: dict[str, tuple[Step, ...]] = {
    "fp32": (), "int8": (StaticInt8(signedness="u8s8"),), "int8_dynamic": (DynamicInt8(signedness="u8s8"),),
}  # fmt: skip
_TREES = 100


def macs_only(samples: Sequence[Sample]) -> Baseline:
    """Milliseconds per MAC of the calibration's real networks: the median by form and threads."""
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    for sample in samples:
        if sample.probe == sample.family:
            rates[sample.form, sample.threads].append(sample.ms / sample.workload.macs)
    usual = {key: float(np.median(values)) for key, values in rates.items()}
    return lambda form, threads, network: usual[form, threads] * network.macs


def roofline() -> Baseline:
    """Return the predictor from the peaks that the system's description of this machine implies."""
    device = detect_host().model_copy(update={"calibration": None})

    def ask(form: str, threads: int, network: Workload) -> float | None:
        plan = Plan(steps=STEPS[form], runtime=RUNTIME, threads=threads)
        found = predict_latency(Query(plan, network, network, device))
        return None if found is None else found.mid

    return ask


def forests(samples: Sequence[Sample]) -> Baseline:
    """A random forest per kind of operation and arithmetic on the same single operations, in the manner of nn-Meter.

    Operations are timed with one thread; with more, whole networks are scaled by what they gain in the median.
    """
    rows = [row for sample in samples if sample.threads == 1 for row in operation_rows(sample) if len(row.classes) == 1]
    by_kind: dict[str, list[tuple[np.ndarray, float]]] = defaultdict(list)
    for row in rows:
        by_kind[_kind(row.classes[0])].append((_features(row.quantities[0]), row.ms))
    models = {}
    for kind, known in by_kind.items():
        model = RandomForestRegressor(_TREES, random_state=0, n_jobs=1)
        models[kind] = model.fit(np.array([f for f, _ in known]), np.log([ms + 1e-6 for _, ms in known]))
    single = {(s.probe, s.form): s.ms for s in samples if s.threads == 1}
    gains: dict[int, list[float]] = defaultdict(list)
    for sample in samples:
        gains[sample.threads].append(sample.ms / single[sample.probe, sample.form])

    def ask(form: str, threads: int, network: Workload) -> float:
        found = terms(network, RUNTIME)
        kinds: dict[str, list[np.ndarray]] = defaultdict(list)
        for code, quantities in zip(found.classes, found.quantities, strict=True):
            kinds[_kind(found.names[code])].append(_features(quantities))
        total = sum(float(np.exp(models[k].predict(np.array(f))).sum()) for k, f in kinds.items() if k in models)
        return total * float(np.median(gains[threads]))

    return ask


def _kind(name: str) -> str:
    return f"{group_of_class(name)} {name.split(' ', maxsplit=1)[0]} {name.rsplit(' ', 1)[-1]}"


def _features(quantities: np.ndarray) -> np.ndarray:
    return np.log(quantities[:-1] + 1e-6)
