"""Measuring what a plan produced against the unchanged model: accuracy, latency, size and memory, same runtime."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.cpus import open_cpus
from advisor.measurement.accuracy import observe
from advisor.measurement.comparison import Compared
from advisor.measurement.latency import compare
from advisor.measurement.machine import machine_name
from advisor.measurement.memory import peak_memory
from advisor.measurement.size import size_measurement
from advisor.progress import Progress
from advisor.runtimes import Runtime, Session
from advisor.schema import Measurement, Plan

from .data import DataSplit, evenly
from .images import ImageReader
from .items import Item
from .tasks import Task

TEST_IMAGES = 5000  # at most; 95 % intervals are then about +-1 point wide at 80 % top-1
CALLERS = 8  # of a session at a time; each holds activations of its own
REMEMBERED = 8  # answers of originals that are kept, of as many sets of images
_REMEMBERED: dict[tuple[Any, ...], tuple[list[Any], Task, ImageReader, tuple[Item, ...]]] = {}


@dataclass(frozen=True)
class Pair:
    """Two artefacts of one runtime that are measured together."""

    baseline: Path
    shipped: Path
    runtime: Runtime
    threads: int
    _opened: dict[Path, Session] = field(default_factory=dict, init=False, compare=False, repr=False)

    def session(self, path: Path, threads: int | None = None) -> Session:
        """Open one of the two; with the pair's own threads it stays open, for accuracy and costs alike."""
        if threads not in (None, self.threads):
            return self.runtime.load(path, threads)
        if path not in self._opened:
            self._opened[path] = self.runtime.load(path, self.threads)
        return self._opened[path]

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
    """Measure latency, size and memory, and energy where this machine shows it."""
    machine = machine_name()
    progress.start("measure latency and memory", 3)
    baseline, shipped = (pair_.session(path) for path in (pair_.baseline, pair_.shipped))
    timed = compare(baseline, shipped, pair_.threads, seed=seed)
    latency = timed.measurement(pair_.label, machine)
    energy = timed.energy(pair_.label, machine)
    progress.advance()
    name, threads = pair_.runtime.name, pair_.threads
    before = peak_memory(pair_.baseline, name, threads)
    progress.advance()
    memory = peak_memory(pair_.shipped, name, threads).measurement(pair_.label, machine, before)
    progress.advance()
    progress.finish()
    after, unchanged = (pair_.runtime.files(path) for path in (pair_.shipped, pair_.baseline))
    size = size_measurement(after, unchanged, pair_.label, machine)
    return (latency, size, memory) if energy is None else (latency, size, memory, energy)


def compare_on(
    pair_: Pair, items: tuple[Item, ...], data: DataSplit, reader: ImageReader, progress: Progress, seed: int = 0
) -> Compared:
    """Compare both artefacts on these images by the task of the data; what the original answered is remembered."""
    progress.start(f"measure {data.task.metric}", 2 * len(items))
    before, after = _observed(pair_, items, data.task, reader, progress)
    progress.finish()
    return data.task.compare(before, after, seed)


def measure_accuracy(
    pair_: Pair, data: DataSplit | None, reader: ImageReader, progress: Progress, seed: int = 0
) -> tuple[dict[str, float], tuple[Measurement, ...]]:
    """Measure the task's metric of both artefacts on the test images: top-1, or what the task says.

    Without labels, the figures say how alike both answer on images that no calibration saw, and nothing is measured of
    the accuracy. Without images there is nothing.
    """
    if data is None or not data.test:
        return {}, ()
    found = compare_on(pair_, evenly(data.test, TEST_IMAGES), data, reader, progress, seed)
    measured = found.measurement(pair_.label, machine_name(), "held-out split")
    return found.figures, () if measured is None else (measured,)


def _observed(
    pair_: Pair, items: tuple[Item, ...], task: Task, reader: ImageReader, progress: Progress
) -> tuple[list[Any], list[Any]]:
    """Run both artefacts over the images; an original that was run over the same before is not run again."""
    key = _key(pair_, items, task, reader)
    if key in _REMEMBERED:
        progress.advance(len(items))
        return _REMEMBERED[key][0], _run(pair_, (pair_.shipped,), items, task, reader, progress)[0]
    before, after = _run(pair_, (pair_.baseline, pair_.shipped), items, task, reader, progress)
    while len(_REMEMBERED) >= REMEMBERED:
        del _REMEMBERED[next(iter(_REMEMBERED))]
    _REMEMBERED[key] = (before, task, reader, items)  # held, so that nothing else gets their ids
    return before, after


def _key(pair_: Pair, items: tuple[Item, ...], task: Task, reader: ImageReader) -> tuple[Any, ...]:
    state, held = pair_.baseline.stat(), (id(task), id(reader), id(items[0].source))
    file = (str(pair_.baseline), state.st_ino, state.st_mtime_ns, state.st_size)
    return (*file, pair_.runtime.name, hash(items), *held)


def _run(
    pair_: Pair, paths: Sequence[Path], items: tuple[Item, ...], task: Task, reader: ImageReader, progress: Progress
) -> list[list[Any]]:
    """Return what artefacts say of the images, which are read once for those that take the same size."""
    # Answers are not timed, so all CPUs may give them. Callers that share a session need not wait for one another as
    # its own threads do after every layer.
    concurrent = getattr(pair_.runtime, "concurrent", False)
    callers = min(CALLERS, open_cpus()) if concurrent else 1
    sessions = [pair_.session(path, 1 if concurrent else open_cpus()) for path in paths]
    alike = [sessions] if len({session.input_shape for session in sessions}) == 1 else [[one] for one in sessions]
    found: list[list[Any]] = []
    for together in alike:
        shape = together[0].input_shape
        fed = _fed(items, task, reader.at(shape[2:]), shape[0])
        found += observe(together, fed, task.observe, progress.advance, callers)
    return found


def _fed(items: tuple[Item, ...], task: Task, reader: ImageReader, size: int) -> Iterator[tuple[Any, list[Any]]]:
    for start in range(0, len(items), size):
        part = items[start : start + size]
        yield reader.batch(part), task.targets(part, reader)
