"""Devices whose predictions are wrong in a known way: what outcomes teach of them, and what wrong outcomes do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from math import exp, log, sqrt
from statistics import NormalDist, mean

import numpy as np

from advisor.devices import detect_host
from advisor.learning.outcomes.lessons import Learned, learn
from advisor.learning.outcomes.outcome import Figure, Outcome
from advisor.prediction.query import Query
from advisor.prediction.seen import corrected, network_key
from advisor.schema import Device, Estimate, Metric, Op, OpKind, Plan, Workload
from advisor.techniques.static_int8.step import StaticInt8

COUNTS = (0, 5, 20, 100)
DEVICES = 60
TESTS = 8  # networks a device that no outcome is of, each in both forms
SPREAD = 0.4  # claimed deviation of the logarithm: an interval of a factor 1.67 either way
POISONED = 0.1
MIDDLE_MS = 10.0
_NEW = 10_000  # numbers of networks that no outcome is of begin here
_Z80 = NormalDist().inv_cdf(0.9)
_LOW, _HIGH = MIDDLE_MS * exp(-_Z80 * SPREAD), MIDDLE_MS * exp(_Z80 * SPREAD)
PLANS = {"fp32": Plan(runtime="onnxruntime", threads=1),
         "int8": Plan(steps=(StaticInt8(),), runtime="onnxruntime", threads=1)}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """How the variance of the true errors divides, and how far the device as a whole is off, in claimed deviations."""

    name: str
    runtime: float
    form: float
    network: float
    rest: float
    off: float = 0.0


SCENARIOS = (
    Scenario("as the prior supposes", 0.2, 0.15, 0.15, 0.5),
    Scenario("mostly the device", 0.7, 0.1, 0.05, 0.15),
    Scenario("the device is far off", 0.2, 0.15, 0.15, 0.5, off=2.5),
    Scenario("nothing is shared", 0.0, 0.0, 0.0, 1.0),
)


@dataclass
class Found:
    """Errors of predictions, and how many true values their intervals hold."""

    errors: list[float] = field(default_factory=list)
    inside: list[bool] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)

    def add(self, low: float, mid: float, high: float, truth: float) -> None:
        """Count one prediction."""
        self.errors.append(max(mid / truth, truth / mid) - 1.0)
        self.inside.append(low <= truth <= high)
        self.widths.append(high / low)

    @property
    def row(self) -> tuple[float, float, float]:
        """Median error, share inside, median of high over low."""
        return float(np.median(self.errors)), mean(self.inside), float(np.median(self.widths))


@dataclass
class Spotted:
    """What was set aside of each kind of outcome: hits and total."""

    units: list[bool] = field(default_factory=list)
    slow: list[bool] = field(default_factory=list)
    honest: list[bool] = field(default_factory=list)


class Simulated:
    """A device with true errors in claimed deviations."""

    def __init__(self, scenario: Scenario, rng: np.random.Generator) -> None:
        self.scenario, self.rng = scenario, rng
        self.runtime = scenario.off + sqrt(scenario.runtime) * rng.standard_normal()
        self.forms = {form: sqrt(scenario.form) * rng.standard_normal() for form in PLANS}

    def measured(self, form: str) -> float:
        """Return what a new network takes here, in ms."""
        own = sqrt(self.scenario.network + self.scenario.rest) * self.rng.standard_normal()
        return MIDDLE_MS * exp(SPREAD * (self.runtime + self.forms[form] + own))


def outcome(number: int, form: str, ms: float) -> Outcome:
    """Return the outcome of a network of its own."""
    figure = Figure(
        metric=Metric.LATENCY, basis="roofline", predictor="roofline", low=_LOW, mid=MIDDLE_MS, high=_HIGH, measured=ms,
        measured_low=ms, measured_high=ms, hit=_LOW <= ms <= _HIGH,
    )  # fmt: skip
    return Outcome(
        recorded="2026-01-01T00:00:00+00:00", by="apply", device="host", network=network_key(number, 0),
        techniques=PLANS[form].techniques, precision=form, runtime="onnxruntime/cpu", figures=(figure,),
    ).named()  # fmt: skip


def poisoned(ms: float, rng: np.random.Generator) -> tuple[float, str]:
    """Spoil a measurement: seconds or microseconds for milliseconds, or a throttled run that nobody noticed."""
    kind = rng.integers(4)
    if kind == 0:
        return ms * 1e3, "units"
    if kind == 1:
        return ms / 1e3, "units"
    return ms * rng.uniform(1.5, 3.0), "slow"


@dataclass(frozen=True)
class World:
    """One device: times of networks to predict, and of those that outcomes are of, each in one form."""

    tests: tuple[tuple[str, float], ...]
    seen: tuple[tuple[str, float], ...]


def worlds(scenario: Scenario, seed: int) -> list[World]:
    """Draw the devices of a scenario."""
    found = []
    for number in range(DEVICES):
        device = Simulated(scenario, np.random.default_rng((seed, number)))
        tests = tuple((form, device.measured(form)) for _ in range(TESTS) for form in PLANS)
        forms = device.rng.choice(list(PLANS), size=max(COUNTS))
        found.append(World(tests, tuple((str(form), device.measured(str(form))) for form in forms)))
    return found


def outcomes(world: World, count: int, rng: np.random.Generator, share: float) -> tuple[list[Outcome], list[str]]:
    """Return the first outcomes of a device, a share of them spoilt, and of which kind each is."""
    made, kinds = [], []
    for number, (form, truth) in enumerate(world.seen[:count]):
        ms, kind = poisoned(truth, rng) if rng.random() < share else (truth, "honest")
        made.append(outcome(number + 1, form, ms))
        kinds.append(kind)
    return made, kinds


@cache
def network(number: int) -> Workload:
    """Return a network that nothing but its MACs is known of."""
    ops = (Op(index=0, kind=OpKind.LINEAR, name="x", macs=number),)
    return Workload(name=str(number), inputs=(), outputs=(), tensors=(), weights=(), ops=ops)


@cache
def host() -> Device:
    """Return this machine's profile: any would do, nothing of it counts."""
    return detect_host().model_copy(update={"calibration": None})


def estimate() -> Estimate:
    """Return the prediction that all networks share before anything is learnt."""
    return Estimate(metric=Metric.LATENCY, low=_LOW, mid=MIDDLE_MS, high=_HIGH, basis="roofline", predictor="roofline")


def asked(learned: Learned, number: int, form: str) -> Estimate:
    """Predict a network for the device as it was taught."""
    device = host().model_copy(update={"lessons": learned.lessons})
    return corrected(Query(PLANS[form], network(number), network(number), device), estimate())


def study(scenario: Scenario, seed: int) -> Iterator[tuple[int, float, Found, Found, Spotted]]:
    """Yield, for each number of outcomes and share of poison: our predictions, a plain mean's, and what was spotted."""
    drawn = worlds(scenario, seed)
    for count in COUNTS:
        for share in (0.0, POISONED) if count else (0.0,):
            rng = np.random.default_rng((seed, count))
            ours, plain, spotted = Found(), Found(), Spotted()
            for world in drawn:
                made, kinds = outcomes(world, count, rng, share)
                learned = learn(made, "host")
                _spot(learned, made, kinds, spotted)
                factor = exp(mean([log(one.figures[0].measured / MIDDLE_MS) for one in made])) if made else 1.0
                for number, (form, truth) in enumerate(world.tests):
                    found = asked(learned, _NEW + number, form)
                    ours.add(found.low, found.mid, found.high, truth)
                    plain.add(_LOW * factor, MIDDLE_MS * factor, _HIGH * factor, truth)
            yield count, share, ours, plain, spotted


def _spot(learned: Learned, made: list[Outcome], kinds: list[str], spotted: Spotted) -> None:
    aside = {doubt.outcome for doubt in learned.doubts}
    for one, kind in zip(made, kinds, strict=True):
        getattr(spotted, kind).append(one.id in aside)
