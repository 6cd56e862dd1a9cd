"""Carrying settings out in folders of their own and looking at what they cost and what they keep.

All judgements here are on the selection images; calibration and test images are never judged on.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from advisor.errors import NotApplicable
from advisor.execution.data import DataSplit, evenly
from advisor.execution.steps import Carried, Workshop, carry_out, export_float
from advisor.execution.trials import Pair, choose_threads, compare_on
from advisor.measurement.latency import compare
from advisor.schema import Plan, Step
from advisor.techniques.subject import Subject

from .ladder import mixed
from .limit import Loss
from .log import Costs

PROBE_IMAGES = 512  # selection images whose answers are compared before anything is trained
PROBE_BATCH = 32
FOLDER = "search-"
LOOK_ROUNDS = 3  # rounds of a quick look at latency; the shipped file is measured with more


class Bench:
    """Tries settings of one plan on one model; the original is exported once."""

    def __init__(self, start: Subject, shop: Workshop, baseline: Path, plan: Plan, threads: int) -> None:
        self.start, self.shop, self.plan, self.threads = start, shop, plan, threads
        self.baseline = baseline  # the original's file
        self._count = 0

    @property
    def data(self) -> DataSplit:
        """The images."""
        if self.shop.data is None:
            raise NotApplicable("a search needs images", remedy="Give --data.")
        return self.shop.data

    @property
    def original(self) -> Costs:
        """What the unchanged model costs."""
        macs = self.start.workload.macs if self.start.workload else None
        return Costs(macs, self.baseline.stat().st_size / 1e6, 1.0)

    def planned(self, structure: tuple[Step, ...], tail: tuple[Step, ...]) -> Plan:
        """Return the plan with these steps."""
        return self.plan.model_copy(update={"steps": (*structure, *tail)})

    def carried(self, steps: tuple[Step, ...], after: Carried | None = None) -> Carried:
        """Carry steps out on the original, or on what earlier steps left; files stand in a folder of their own."""
        self._count += 1
        shop = replace(self.shop, folder=self.shop.folder / f"trial-{self._count}")
        shop.folder.mkdir()
        start = replace(self.start if after is None else after.subject, folder=shop.folder)
        shop = replace(shop, reader=shop.reader.at(start.input_shape[2:]))
        done = carry_out(self.planned(steps, ()), start, shop)
        if after is None:
            return done
        return Carried(done.subject, (*after.steps, *done.steps), self.planned(after.plan.steps, done.plan.steps))

    def untrained(self, steps: tuple[Step, ...]) -> Carried:
        """Carry steps out without their training, which is quick."""
        return self.carried(tuple(_untrained(step) for step in steps))

    def file(self, carried: Carried) -> Path:
        """Return the file that would ship."""
        subject = carried.subject
        if subject.onnx is not None:
            return subject.onnx
        return export_float(subject, replace(self.shop, folder=subject.folder))

    def costs(self, carried: Carried, file: Path) -> Costs:
        """Look at size and speed of a file."""
        pair = self._pair(file)
        before, after = (pair.session(path) for path in (pair.baseline, pair.shipped))
        ratio = compare(before, after, pair.threads, rounds=LOOK_ROUNDS, seed=self.shop.seed).ratio
        macs = carried.subject.workload.macs if carried.subject.workload else None
        return Costs(macs, file.stat().st_size / 1e6, 1 / ratio)

    def agreement(self, file: Path) -> float | None:
        """Return the percent of a file's answers that are the original's, None where answers are no classes."""
        items = evenly(self.data.selection, PROBE_IMAGES)
        return compare_on(self._pair(file), items, self.data, self.shop.reader, self.shop.progress).agreement

    def loss(self, file: Path) -> Loss:
        """Measure what a file loses on all selection images.

        Without labels it is the share of answers that changed: no more than that can have been lost.
        """
        found = compare_on(self._pair(file), self.data.selection, self.data, self.shop.reader, self.shop.progress)
        if found.drop is not None:
            return Loss(found.drop, found.standard_error, found.images)
        if found.agreement is None:
            raise NotApplicable("neither labels nor classes: a loss cannot be measured", remedy="Give labelled images.")
        return Loss(100 - found.agreement, 0.0, found.images, bound=True)

    def mixed(self, carried: Carried, step: Step) -> tuple[Step, ...]:
        """Return a step on the file with more and more layers in float, from a ranking that is measured once."""
        subject = replace(carried.subject, onnx=self.file(carried))
        return mixed(step, subject)

    def _pair(self, file: Path) -> Pair:
        return Pair(self.baseline, file, self.shop.runtime, self.threads)


@contextmanager
def opened(start: Subject, shop: Workshop, plan: Plan) -> Iterator[Bench]:
    """Give a bench whose files stand in a folder of their own and are gone afterwards."""
    for left in shop.folder.glob(f"{FOLDER}*"):  # by a search that was stopped
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(dir=shop.folder, prefix=FOLDER) as made:
        shop = replace(shop, folder=Path(made))
        baseline = Path(made) / f"baseline{shop.runtime.suffix}"
        if start.onnx is not None:
            baseline.write_bytes(start.onnx.read_bytes())
        else:
            shop.runtime.export(start.module, start.input_shape, baseline, opset=shop.opset)
        yield Bench(start, shop, baseline, plan, choose_threads(plan))


def _untrained(step: Step) -> Step:
    return step.model_copy(update={"epochs": 0}) if getattr(step, "epochs", 0) else step
