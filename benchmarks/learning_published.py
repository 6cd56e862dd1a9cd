"""Published latencies as if they were recorded one after the other: what the first ones teach of networks to come.

The errors are those of the datasheet roofline, which has seen few of these measurements, and none of them one by one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from learning_simulated import Found

from advisor.bulk.engine import _compressed as compressed
from advisor.bulk.resolving import Unanswered, opened, opens, question
from advisor.facts import plan_precision
from advisor.learning.outcomes.lessons import learn
from advisor.learning.outcomes.outcome import Figure, Outcome
from advisor.prediction.latency import Roofline
from advisor.prediction.pooled.evidence import Measured, read_evidence
from advisor.prediction.query import Query
from advisor.prediction.seen import corrected, network_key
from advisor.progress import tracked
from advisor.schema import Device, Estimate, Plan

COUNTS = (1, 5, 10, 20)
FEWEST = 11  # networks that a way of running must have been measured with
COMMON = 20  # ways that a network must have been measured in, so that few networks have to be profiled
DRAWS = 3  # orders in which outcomes may have come
_SIZES = ("1x3x224x224", "1x3x227x227", "1x3x299x299")


@dataclass(frozen=True)
class Row:
    """One published measurement with the roofline's prediction for it."""

    query: Query
    before: Estimate
    network: str
    ms: float
    outcome: Outcome


def common(rows: Iterable[Measured]) -> list[Measured]:
    """Keep single images of networks that many devices ran and that can be opened."""
    kept = [r for r in rows if r.profile and r.metric == "latency" and r.batch in ("", "1") and r.input in _SIZES
            and opens(r.network)]  # fmt: skip
    ways = defaultdict(set)
    for row in kept:
        ways[row.network].add((row.profile, row.runtime, row.unit))
    return [row for row in kept if len(ways[row.network]) >= COMMON]


def rows() -> dict[tuple[str, str, str], list[Row]]:
    """Return measurements with predictions, by device, runtime and unit."""
    found: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for measured in tracked(common(read_evidence()), "predicting published networks"):
        row = _row(measured)
        if row is not None:
            found[measured.profile, measured.runtime, measured.unit].append(row)
    return {way: some for way, some in sorted(found.items()) if len({row.network for row in some}) >= FEWEST}


def _row(measured: Measured) -> Row | None:
    try:
        asked = question({**asdict(measured), "device": measured.profile, "model": measured.network})
        original = opened(measured.network, measured.input)
    except Unanswered:
        return None
    device, setup = asked.device, asked.setup
    path = device.path(setup.runtime, setup.unit)
    if path is None:
        return None
    signedness = path.restrictions.signedness[0] if path.restrictions.signedness else "s8s8"
    after, steps = compressed(original, setup.precision, path.default_float, signedness)
    plan = Plan(steps=steps, runtime=path.runtime, unit=path.unit, threads=setup.threads or None)
    query = Query(plan, original, after, device, {})
    predictor = Roofline()
    if predictor.supports(query) is None:
        return None
    before, ms = predictor.estimate(query), float(measured.ms)
    return Row(query, before, measured.network, ms, _outcome(query, before, ms))


def _outcome(query: Query, before: Estimate, ms: float) -> Outcome:
    plan, after = query.plan, query.after
    figure = Figure(
        metric=before.metric, basis=before.basis.value, predictor=before.predictor, low=before.low, mid=before.mid,
        high=before.high, measured=ms, measured_low=ms, measured_high=ms, hit=before.low <= ms <= before.high,
    )  # fmt: skip
    return Outcome(
        recorded="2026-01-01T00:00:00+00:00", by="apply", device=query.device.id, techniques=plan.techniques,
        network=network_key(after.macs, after.params), precision=plan_precision(plan), runtime=plan.path,
        threads=plan.threads or (query.path.threads if query.path else None) or 1, figures=(figure,),
    ).named()  # fmt: skip


def study(ways: dict[tuple[str, str, str], list[Row]], seed: int = 0) -> Iterator[tuple[int, int, Found, Found]]:
    """Yield, by number of outcomes: how many ways had so many, and predictions of the other networks before and after.

    Both are of the same measurements.
    """
    for count in COUNTS:
        rng, before, after, used = np.random.default_rng((seed, count)), Found(), Found(), 0
        for some in ways.values():
            if len({row.network for row in some}) <= count:
                continue
            used += 1
            for _ in range(DRAWS):
                _predict(some, count, rng, (before, after))
        yield count, used, before, after


def _predict(some: Sequence[Row], count: int, rng: np.random.Generator, found: tuple[Found, Found]) -> None:
    """Draw networks whose outcomes are known, one each, and predict all others."""
    networks = sorted({row.network for row in some})
    seen = set(rng.permutation(networks)[:count].tolist())
    known = [rng.choice([i for i, row in enumerate(some) if row.network == name]) for name in sorted(seen)]
    device = some[0].query.device
    taught = _taught(device, [some[i].outcome for i in known])
    for row in some:
        if row.network not in seen:
            after = corrected(Query(row.query.plan, row.query.before, row.query.after, taught, {}), row.before)
            for one, into in zip((row.before, after), found, strict=True):
                into.add(one.low, one.mid, one.high, row.ms)


def _taught(device: Device, known: Sequence[Outcome]) -> Device:
    return device.model_copy(update={"lessons": learn(known, device.id).lessons})
