"""How good predictions were: hits against what the intervals promise, errors, and how often rules kept their word."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scipy.special import betaincinv

from advisor.schema import CERTAINTY, Basis, Metric

from .doubts import Doubt, own_doubt, unit_mistake
from .lessons import learn
from .outcome import Figure, Outcome
from .reading import readings

NOMINAL = 0.8  # share of measurements that an interval promises to hold
FEW = 5  # fewer hits and misses bear out no promise
_TAIL = 0.025
_ROUNDING = 1e-9
UNCHANGED = "unchanged model"


@dataclass(frozen=True)
class Rate:
    """A share of `n` with its 95 % interval (Clopper and Pearson 1934, which promises no less where `n` is small)."""

    n: int
    share: float
    low: float
    high: float

    def against(self, promised: float) -> str:
        """Say whether the share is what was promised: below, above, as promised, or few where `n` tells nothing."""
        if self.high < promised - _ROUNDING:
            return "below"
        if self.low > promised + _ROUNDING:
            return "above"
        return "few" if self.n < FEW else "as promised"


@dataclass(frozen=True)
class Row:
    """One device, technique, basis and metric. Errors are shares of the prediction's middle; of accuracy, points."""

    device: str
    technique: str
    basis: str
    metric: Metric
    hits: Rate
    promised: float
    verdict: str
    median_error: float
    bias: float  # median of measured over predicted, minus 1; of accuracy, points
    seen: int  # of them with predictions that earlier outcomes had corrected


@dataclass(frozen=True)
class Kept:
    """How often a rule's promise held, against its certainty; reported only."""

    rule: str
    certainty: str
    claims: tuple[str, ...]
    held: Rate
    promised: float
    verdict: str
    models: int


@dataclass(frozen=True)
class Tally:
    """Everything that `advisor history accuracy` tells."""

    outcomes: int
    rows: tuple[Row, ...]
    rules: tuple[Kept, ...]
    causes: dict[str, int]
    set_aside: tuple[Doubt, ...]


def tally(outcomes: Sequence[Outcome]) -> Tally:
    """Count over all outcomes; figures whose own record forbids a comparison, or in another unit, do not count."""
    groups: dict[tuple[str, str, str, Metric], list[Figure]] = defaultdict(list)
    causes: dict[str, int] = defaultdict(int)
    for one in readings(outcomes):
        outcome, figure = one.outcome, one.figure
        if figure.hit is None or figure.mid is None or own_doubt(outcome, figure) or unit_mistake(figure):
            continue
        technique = UNCHANGED if one.unchanged else outcome.form
        groups[outcome.device, technique, figure.basis, figure.metric].append(figure)
        if figure.cause and not figure.hit:
            causes[figure.cause] += 1
    rows = (_row(key, figures) for key, figures in groups.items())
    return Tally(
        outcomes=len(outcomes),
        rows=tuple(sorted(rows, key=lambda row: (row.device, row.technique, row.metric, row.basis))),
        rules=_rules(outcomes),
        causes=dict(sorted(causes.items(), key=lambda item: -item[1])),
        set_aside=set_aside(outcomes),
    )


def rate(hits: int, n: int) -> Rate:
    """Return a share with its interval."""
    low = float(betaincinv(hits, n - hits + 1, _TAIL)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - _TAIL)) if hits < n else 1.0
    return Rate(n, hits / n, low, high)


def set_aside(outcomes: Sequence[Outcome]) -> tuple[Doubt, ...]:
    """Return the figures that teach nothing, with the reason, over all devices."""
    found: dict[tuple[str, Metric], Doubt] = {}
    for device, machine in dict.fromkeys((one.device, one.machine) for one in outcomes):
        for doubt in learn(outcomes, device, machine).doubts:
            found.setdefault((doubt.outcome, doubt.metric), doubt)
    return tuple(found.values())


def _row(key: tuple[str, str, str, Metric], figures: Sequence[Figure]) -> Row:
    device, technique, basis, metric = key
    hits = rate(sum(bool(figure.hit) for figure in figures), len(figures))
    promised = 1.0 if basis == Basis.EXACT.value else NOMINAL
    errors = [_error(figure) for figure in figures]
    return Row(
        device=device, technique=technique, basis=basis, metric=metric, hits=hits, promised=promised,
        verdict=hits.against(promised), median_error=median(abs(error) for error in errors), bias=median(errors),
        seen=sum(figure.raw is not None for figure in figures),
    )  # fmt: skip


def _error(figure: Figure) -> float:
    middle = figure.mid or 0.0
    if figure.metric is Metric.ACCURACY or middle == 0:
        return figure.measured - middle
    return figure.measured / middle - 1.0


def _rules(outcomes: Sequence[Outcome]) -> tuple[Kept, ...]:
    effects = defaultdict(list)
    for outcome in outcomes:
        for effect in outcome.effects:
            effects[effect.rule].append((outcome, effect))
    found = []
    for rule, seen in sorted(effects.items()):
        held = rate(sum(effect.held for _, effect in seen), len(seen))
        certainty = seen[-1][1].certainty
        promised = CERTAINTY.get(certainty, NOMINAL)
        claims = tuple(dict.fromkeys(effect.claim for _, effect in seen))
        models = len({outcome.network for outcome, _ in seen})
        found.append(Kept(rule, certainty, claims, held, promised, held.against(promised), models))
    return tuple(found)
