"""Measuring what a plan produced against the unchanged model: accuracy, latency, size and memory, same runtime."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor.measurement.accuracy import pair, predict, wilson
from advisor.measurement.latency import compare
from advisor.measurement.machine import machine_name
from advisor.measurement.memory import peak_memory
from advisor.measurement.size import size_measurement
from advisor.progress import Progress
from advisor.runtimes import Runtime
from advisor.schema import Measurement, Plan

from .data import DataSplit, evenly
from .images import ImageReader

TEST_IMAGES = 5000  # at most; 95 % intervals are then about +-1 point wide at 80 % top-1


@dataclass(frozen=True)
class Pair:
    """Two artefacts of one runtime that are measured together."""

    baseline: Path
    shipped: Path
    runtime: Runtime
    threads: int

    @property
    def label(self) -> str:
        """Runtime, version and threads."""
        return f"{self.runtime.name} {self.runtime.version()}/cpu, {self.threads} thread(s)"


def choose_threads(plan: Plan) -> int:
    """Return the plan's threads, else one.

    With as many threads as cores, every other process stops all of them at a barrier, and the figure says nothing;
    with one, CPU time can be read, and the gain is predicted for the same.
    """
    return plan.threads or 1


def measure_costs(pair_: Pair, seed: int, progress: Progress) -> tuple[Measurement, ...]:
    """Measure latency, size and memory."""
    machine = machine_name()
    progress.start("measure latency and memory", 3)
    baseline = pair_.runtime.load(pair_.baseline, pair_.threads)
    shipped = pair_.runtime.load(pair_.shipped, pair_.threads)
    latency = compare(baseline, shipped, pair_.threads, seed=seed).measurement(pair_.label, machine)
    progress.advance()
    name, threads = pair_.runtime.name, pair_.threads
    before = peak_memory(pair_.baseline, name, threads)
    progress.advance()
    memory = peak_memory(pair_.shipped, name, threads).measurement(pair_.label, machine, before)
    progress.advance()
    progress.finish()
    size = size_measurement(pair_.shipped, pair_.baseline, pair_.label, machine)
    return latency, size, memory


def measure_accuracy(
    pair_: Pair, data: DataSplit | None, reader: ImageReader, progress: Progress
) -> tuple[dict[str, float], tuple[Measurement, ...]]:
    """Measure top-1 of both artefacts on held-out images; nothing where there are no labelled ones."""
    if data is None or not data.test:
        return {}, ()
    items = evenly(data.test, TEST_IMAGES)
    progress.start("measure top-1 on held-out images", 2 * len(items))
    seen: Callable[[int], None] = progress.advance
    predictions = []
    for path in (pair_.baseline, pair_.shipped):
        session = pair_.runtime.load(path, pair_.threads)
        sized = reader.at(session.input_shape[2:])  # one of the two may read smaller images
        found, labels = predict(session, sized.batches(items, session.input_shape[0]), seen)
        predictions.append(found)
    progress.finish()
    paired = pair(labels, predictions[0], predictions[1])
    low, high = wilson(paired.both + paired.won, paired.images)
    accuracy = {
        "original": round(paired.before, 3),
        "shipped": round(paired.after, 3),
        "shipped_low": round(low, 3),
        "shipped_high": round(high, 3),
        "agreement": round(paired.agreement, 3),
    }
    return accuracy, (paired.measurement(pair_.label, machine_name(), "held-out split"),)
