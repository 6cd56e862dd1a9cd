"""The predictors that answer from published measurements: the very one, and what its likes teach."""

from dataclasses import dataclass, replace

from advisor.prediction.query import Query, register
from advisor.prediction.rates import arithmetic_of
from advisor.schema import MAC_KINDS, Basis, Estimate, Metric, Workload
from advisor.schema.identity import remembered

from .amounts import LAYERS, Amounts, amounts_of
from .answer import (
    CLASS,
    CLASS_SIBLINGS,
    DEVICE,
    DEVICE_SIBLINGS,
    EXPLAINED,
    OWN,
    SETUP,
    SIBLINGS,
    Answer,
    answers,
    interval_of,
)
from .evidence import runtime_of
from .networks import recognised
from .pipelined import Pipelined, one_at_a_time
from .published import CONFIDENCE, Published, published
from .setup import Run, Setup, lent_class, setup_of
from .store import pooled

# PyTorch in the evidence is compiled, here it runs eagerly.
_NOT_THE_SAME = frozenset({"pytorch"})
_OF_ANOTHER_CLASS = 0.55  # most confidence in what other classes teach, below efficiencies fitted to the very class
_UNSEEN = {OWN: SETUP, SIBLINGS: SETUP, DEVICE_SIBLINGS: DEVICE, CLASS_SIBLINGS: CLASS}


@dataclass(frozen=True)
class Found:
    """What answers a query: a published figure or the model, for a batch of images, and factors on the model."""

    setup: Setup
    exact: Published | None
    answer: Answer | None
    factors: Pipelined


def find(query: Query) -> Found | None:
    """Return what the evidence says of a query, or None."""
    if "pooled" not in query.shared:
        query.shared["pooled"] = _find(query)
    found: Found | None = query.shared["pooled"]
    return found


def _find(query: Query) -> Found | None:
    unit = query.plan.unit
    model = pooled().units.get(unit)
    if query.path is None or model is None or query.plan.runtime in _NOT_THE_SAME:
        return None
    precision = _precision(query)
    if precision is None:
        return None
    run = Run(unit, runtime_of(query.plan.runtime), precision, threads=query.plan.threads, batch=_batch(query.after))
    asked = setup_of(query.device, run)
    setup, factors = one_at_a_time(model, asked)
    network, changed = recognised(query.before), _changed(query.before, query.after)
    exact = published(query.device, asked, network) if network and not changed else None
    answer = answers(model, (setup,), (network,), (_amounts(query.before, query.after),))[0]
    if answer is None and exact is None:
        return None
    if answer is not None and changed and answer.support in _UNSEEN:
        # The original's own deviations still tell of the changed network, but its errors are those of an unseen one.
        support = _UNSEEN[answer.support]
        wider = interval_of(model, support, setup.way, LAYERS)
        low, high = wider.low / wider.mid, wider.high / wider.mid
        answer = replace(answer, support=support, low=low, high=high, n=wider.n)
    return Found(setup, exact, answer, factors)


def _precision(query: Query) -> str | None:
    """Return the arithmetic in which most MACs of the plan are done, as the evidence names it."""
    path = query.path
    if path is None:
        return None
    macs: dict[str, int] = {}
    for op in query.after.ops:
        if op.kind in MAC_KINDS:
            macs[op.precision] = macs.get(op.precision, 0) + op.macs
    most = max(macs, key=lambda name: macs[name], default="fp32")
    arithmetic = arithmetic_of(most, query, path)
    return arithmetic if arithmetic in ("fp32", "fp16", "bf16", "int8") else None


def _batch(workload: Workload) -> int:
    shape = workload.tensor[workload.inputs[0]].shape if workload.inputs else (1,)
    return max(shape[0], 1) if shape else 1


@remembered(64)
def _shapes(workload: Workload) -> list[tuple[int, ...]]:
    """Return the shapes of the weights of layers; folding batch norm or storing them in integers changes none."""
    return sorted(weight.shape for weight in workload.weights if weight.role == "weight")


def _changed(before: Workload, after: Workload) -> bool:
    """Whether a plan changes the network's structure or its input, not only its arithmetic."""
    return before is not after and (before.macs != after.macs or _shapes(before) != _shapes(after))


def _amounts(before: Workload, after: Workload) -> Amounts:
    """Return the amounts of the network: those before the plan where only the arithmetic changes.

    The evidence describes every network by its float graph, whatever arithmetic it was measured in.
    """
    return amounts_of(after if _changed(before, after) else before)


@register
class PublishedLatency:
    """What somebody measured just so: this network in this setup on this device."""

    name = "published measurements"
    metric = Metric.LATENCY

    def supports(self, query: Query) -> float | None:
        """Answer where the very measurement was published."""
        found = find(query)
        return CONFIDENCE if found is not None and found.exact is not None else None

    def estimate(self, query: Query) -> Estimate:
        """Return the latency in ms."""
        found = find(query)
        if found is None or found.exact is None:
            raise ValueError("a published latency was asked where there is none")
        return _published(found, found.exact)

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "nobody published this network in this setup"


@register
class PooledLatency:
    """Published measurements of other networks, setups and devices, pooled."""

    name = "pooled measurements"
    metric = Metric.LATENCY

    def supports(self, query: Query) -> float | None:
        """Answer where this runtime was measured in this arithmetic on this kind of unit."""
        found = find(query)
        if found is None or found.answer is None:
            return None
        by_class = found.answer.support in (CLASS, CLASS_SIBLINGS)
        lent = by_class and lent_class(query.device, query.plan.unit)
        return min(found.answer.confidence, _OF_ANOTHER_CLASS) if lent else found.answer.confidence

    def estimate(self, query: Query) -> Estimate:
        """Return the latency in ms."""
        found = find(query)
        if found is None or found.answer is None:
            raise ValueError("a pooled latency was asked where nothing like it was measured")
        return _fitted(found, found.answer)

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return f"nobody published measurements of {query.plan.runtime} like these"


def _published(found: Found, exact: Published) -> Estimate:
    count = "one published measurement" if exact.n == 1 else f"{exact.n} published measurements"
    batch = found.setup.batch
    return Estimate(
        metric=Metric.LATENCY, low=exact.low * batch, mid=exact.ms * batch, high=exact.high * batch,
        basis=Basis.PUBLISHED, predictor=PublishedLatency.name, n=exact.n, references=exact.sources,
        note=f"{count} of this network on this device, {_way(found.setup)}",
    )  # fmt: skip


def _fitted(found: Found, answer: Answer) -> Estimate:
    factors = found.factors
    mid = answer.ms * factors.mid * found.setup.batch
    note = "; ".join(filter(None, (EXPLAINED[answer.support], _way(found.setup), answer.note)))
    return Estimate(
        metric=Metric.LATENCY, low=mid * answer.low * factors.low, mid=mid, high=mid * answer.high * factors.high,
        basis=Basis.FITTED, predictor=PooledLatency.name, n=answer.n, references=("latency-evidence",),
        note=f"{note}; {factors.note}" if factors.note else note,
    )  # fmt: skip


def _way(setup: Setup) -> str:
    threads = f", {setup.threads} thread{'s' * (setup.threads > 1)}" if setup.threads else ""
    return f"{setup.runtime} in {setup.precision}{threads}"
