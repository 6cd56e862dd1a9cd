"""The probe: plans are carried out in a folder of their own, looked at on images that judge nothing else, and dropped.

The test images are never touched; calibration and training images are the plans' own.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor import runtimes
from advisor.cpus import open_cpus
from advisor.errors import AdvisorError, NotApplicable
from advisor.execution.data import DataSplit, evenly, for_probe, open_data
from advisor.execution.images import ImageReader, channels_of
from advisor.execution.items import Item
from advisor.execution.making import start_of
from advisor.execution.refuse import applier, check_data, check_plan
from advisor.execution.search.bench import Bench, opened
from advisor.execution.search.clock import Clock, OutOfTime, Watched
from advisor.execution.search.ladder import dials
from advisor.execution.search.sparing import scan
from advisor.execution.steps import Carried, Workshop
from advisor.execution.trials import Pair, compare_on
from advisor.measurement.comparison import Compared
from advisor.profiling import profile
from advisor.progress import Progress, Silent
from advisor.runtimes.recipes import max_opset
from advisor.schema import Device, Plan, Probed, ProbeRecord, Recommendation, Sensitivity, Step, at_risk
from advisor.techniques.static_int8.sensitivity import SCAN_IMAGES
from advisor.techniques.static_int8.step import StaticInt8
from advisor.uncollected import collecting

from .choose import DEFAULT_S, chosen, epochs_of, shortened
from .layers import Looked, look

if TYPE_CHECKING:
    from advisor.loading import LoadedModel

_LOOK_SHARE = 0.04  # of the budget, for one look of the original at all images that judge
_FEWEST, _MOST = 64, 2000  # such images
_TIMED = 4  # batches that the speed of the original is taken from
_UNTRAINED, _LAYERS, _GROUPS = 0.4, 0.6, 0.7  # shares of the budget that are spent when these parts have to end
_TRAINING = 8.0  # times the seconds of an inference that an image takes in training, until one was timed
NO_TIME = "for the time did not suffice"
LEAST_TRAINED = 0.5  # of a plan's epochs: the loss after fewer says little of the loss after all
RUN_OVER = 0.25  # of the budget
RUNTIME = "onnxruntime"  # that executes what is looked at


def probe(
    recommendation: Recommendation,
    loaded: "LoadedModel",
    device: Device,
    data: Any,
    *,
    budget_s: float = DEFAULT_S,
    seed: int = 0,
    progress: Progress | None = None,
) -> ProbeRecord:
    """Look at what the plans of a recommendation do to the model, within about so many seconds.

    Raises NotApplicable where the weights are random, DataError where the images do not fit.
    """
    if recommendation.facts.get("model.random_weights"):
        raise NotApplicable(
            "a probe of random weights says nothing about accuracy",
            remedy="Give the trained weights with --checkpoint.",
        )
    collecting()
    split = for_probe(open_data(data, loaded.classes, seed), seed)
    reader = ImageReader(loaded.preprocessing, channels_of(loaded.input_shape, images=True))
    return _Probe(recommendation, loaded, device, split, reader, budget_s, seed, progress or Silent()).record()


@dataclass
class _Probe:
    """One probe; its parts end when their share of the time is spent."""

    asked: Recommendation
    loaded: "LoadedModel"
    device: Device
    data: DataSplit
    reader: ImageReader
    budget_s: float
    seed: int
    progress: Progress
    clock: Clock = field(init=False)
    threads: int = field(init=False)
    bench: Bench = field(init=False)
    judges: tuple[Item, ...] = field(init=False)
    per_image: float = field(init=False)  # seconds of an inference, reading included
    epoch_s: float = field(init=False)  # of a training, a guess until one was timed
    notes: list[str] = field(default_factory=list)
    structures: list[tuple[tuple[Step, ...], Carried]] = field(default_factory=list)

    def record(self) -> ProbeRecord:
        """Carry the probe out."""
        self.clock = Clock(self.budget_s)
        self.threads = open_cpus()
        untrained, trained = chosen(self.asked)
        runtime = runtimes.get(RUNTIME)
        workload = profile(self.loaded, batch=self.loaded.input_shape[0])
        with tempfile.TemporaryDirectory() as folder:
            start = start_of(self.loaded, workload, Path(folder))
            first = next(iter((*untrained, *trained)), Plan(runtime=RUNTIME))
            opset = max_opset(first, self.device)
            shop = Workshop(self.data, self.reader, runtime, opset, Path(folder), None, self.seed, self.progress)
            with opened(start, shop, first) as self.bench:
                self._size_up()
                original = self._compared(self.bench.baseline, self.progress)
                probed = list(self._each(untrained, _UNTRAINED))
                looked = self._layers(untrained, trained, Path(folder))
                if looked is not None:
                    probed += self._each(_with_floats(untrained, looked), _GROUPS)
                groups = self._groups((*untrained, *trained))
                probed += self._each(trained, 1.0)
                if any(one.reason == NO_TIME and one.planned for one in probed):
                    self.notes.append(f"An epoch of training takes about {self.epoch_s:.3g} s here.")
                late = tuple(one.plan for one in probed if one.reason == NO_TIME)  # other parts may have left some
                probed = [one for one in probed if one.reason != NO_TIME] + list(self._each(late, 1.0))
        return ProbeRecord(
            budget_s=self.budget_s,
            spent_s=round(self.clock.spent, 1),
            metric=self.data.task.metric,
            unit=self.data.task.unit,
            images=len(self.judges),
            calibration=len(self.data.calibration),
            labelled=original.before is not None,
            seen=self.data.labelled and not self.data.own_selection,
            original=original.before,
            runtime=RUNTIME,
            probed=tuple(probed),
            layers=looked.layers if looked else (),
            whole_sqnr_db=looked.whole_sqnr_db if looked else None,
            act_range_max=round(looked.ranges.largest, 4) if looked else None,
            weight_ratio=max(looked.ranges.weights.values(), default=None) if looked else None,
            concat_ratio=looked.ranges.concat if looked else None,
            groups=groups,
            notes=tuple(self.notes),
        )

    def _size_up(self) -> None:
        """Choose as many images to judge by as one look at all of them may take."""
        session = self.bench.shop.runtime.load(self.bench.baseline, self.threads)
        reader, some = self.reader.at(session.input_shape[2:]), evenly(self.data.selection, session.input_shape[0])
        session(reader.batch(some))
        began = time.perf_counter()
        for _ in range(_TIMED):
            session(reader.batch(some))
        self.per_image = (time.perf_counter() - began) / (_TIMED * session.input_shape[0])
        count = int(_LOOK_SHARE * self.budget_s / self.per_image)
        self.judges = evenly(self.data.selection, min(_MOST, max(_FEWEST, count)))
        self.epoch_s = self.per_image * _TRAINING * max(1, len(self.data.train))

    def _compared(self, file: Path, progress: Progress) -> Compared:
        pair = Pair(self.bench.baseline, file, self.bench.shop.runtime, self.threads)
        return compare_on(pair, self.judges, self.data, self.reader, progress, self.seed)

    def _each(self, plans: tuple[Plan, ...], until: float) -> Iterator[Probed]:
        """Look at plans one after the other, as long as this share of the budget is not spent."""
        for number, plan in enumerate(plans, 1):
            left = max(0.0, until * self.budget_s - self.clock.spent)
            yield self._one(plan, f"{number} of {len(plans)}", left)

    def _one(self, plan: Plan, told: str, seconds: float) -> Probed:
        planned = epochs_of(plan.steps)
        epochs = min(planned, int(seconds / self.epoch_s)) if planned else 0
        if seconds <= 0 or epochs < LEAST_TRAINED * planned:
            return Probed(plan=plan, planned=planned, reason=NO_TIME)
        steps = shortened(plan.steps, epochs) if planned else plan.steps
        # What is not trained ends soon; a training that was begun may run over, for its length was a guess.
        watched = Watched(self.progress, Clock(seconds + RUN_OVER * self.budget_s))
        watched.trying = f"probe, {told}: {plan.label}"
        began = time.perf_counter()
        try:
            check_plan(plan, self.loaded, self.data.origin)
            check_data(plan, self.data)
            bench = self._bench(plan, watched)
            found = self._compared(bench.file(self._carried(bench, steps)), watched)
        except OutOfTime:
            return Probed(plan=plan, planned=planned, reason="for the time was up before it was done")
        except AdvisorError as error:
            return Probed(plan=plan, planned=planned, reason=f"for it cannot be carried out: {error.what}")
        return Probed(
            plan=plan, images=found.images, agreement=found.agreement, delta=found.delta,
            standard_error=found.standard_error, low=found.low, high=found.high,
            epochs=epochs_of(steps), planned=planned, seconds=round(time.perf_counter() - began, 2),
        )  # fmt: skip

    def _carried(self, bench: Bench, steps: tuple[Step, ...]) -> Carried:
        """Carry steps out; what is done before the export is done once for all plans that begin with it."""
        structure = tuple(step for step in steps if applier(step).STAGE == "torch")
        tail = steps[len(structure) :]
        if not structure:
            return bench.carried(steps)
        done = next((carried for known, carried in self.structures if known == structure), None)
        if done is None:
            began = time.perf_counter()
            done = bench.carried(structure)
            self.structures.append((structure, done))
            if epochs := epochs_of(structure):
                self.epoch_s = (time.perf_counter() - began) / epochs
        return bench.carried(tail, done) if tail else done

    def _bench(self, plan: Plan, progress: Progress) -> Bench:
        """Return a bench for a plan: made as its own path on the device wants it, in a folder of its own."""
        path = self.device.path(plan.runtime, plan.unit)
        folder = Path(tempfile.mkdtemp(dir=self.bench.shop.folder))
        shop = replace(self.bench.shop, path=path, folder=folder, progress=progress)
        return Bench(self.bench.start, shop, self.bench.baseline, plan, self.threads)

    def _layers(self, untrained: tuple[Plan, ...], trained: tuple[Plan, ...], folder: Path) -> Looked | None:
        """Measure single layers where any plan quantizes activations."""
        plans = [p for p in (*untrained, *trained) if any(s.technique in ("static_int8", "qat") for s in p.steps)]
        seconds = _LAYERS * self.budget_s - self.clock.spent
        if not plans or seconds <= 0 or not self.data.calibration:
            return None
        step = next((s for p in plans for s in p.steps if isinstance(s, StaticInt8)), StaticInt8())
        start = replace(self.bench.start, path=self.device.path(plans[0].runtime, plans[0].unit))
        size = self.loaded.input_shape[0]
        images = evenly(self.data.calibration, min(SCAN_IMAGES, step.calibration_images))
        batches = [part for part, _ in self.reader.batches(images, size) if len(part) == size]
        self.progress.start("probe: what rounding each layer does", None)
        try:
            looked = look(self.bench.baseline, lambda: iter(batches), step, folder, symmetric=start.symmetric,
                          seconds=seconds, tick=lambda *_: self.progress.advance())  # fmt: skip
        except AdvisorError as error:
            self.notes.append(f"Single layers were not looked at: {error.what}.")
            return None
        finally:
            self.progress.finish()
        if not looked.complete:
            self.notes.append(f"The time sufficed for {len(looked.layers)} layers.")
        return looked

    def _groups(self, plans: tuple[Plan, ...]) -> tuple[Sensitivity, ...]:
        """Take single groups away, untrained, for the first setting of every technique that changes structure."""
        firsts: dict[str, tuple[Plan, Step]] = {}
        for plan in plans:
            for step in plan.steps:
                if hasattr(dials(step), "parts"):
                    firsts.setdefault(step.technique, (plan, step))
        found: list[Sensitivity] = []
        for number, (plan, step) in enumerate(firsts.values(), 1):
            share = _LAYERS + (_GROUPS - _LAYERS) * number / len(firsts)
            try:
                check_plan(plan, self.loaded, self.data.origin)
                found += [told for _, told in scan(self._bench(plan, self.progress), (step,), self.clock, share)]
            except AdvisorError:
                continue
        return tuple(sorted(found, key=lambda one: one.agreement))


def _with_floats(plans: tuple[Plan, ...], looked: Looked) -> tuple[Plan, ...]:
    """Return the plainest int8 plan with the layers at risk in float, if there are any."""
    risky = at_risk(looked.layers)
    for plan in plans if risky else ():
        if len(plan.steps) == 1 and isinstance(step := plan.steps[0], StaticInt8):
            return (plan.model_copy(update={"steps": (step.model_copy(update={"float_layers": risky}),)}),)
    return ()
