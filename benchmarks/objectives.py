"""Compare what a network can be taught by: the same students, images and epochs, only the objective differs.

    python -m benchmarks.objectives [--seeds 3] [--epochs 16] [--cases FOLDER]

On scikit-learn's handwritten digits a student is taught from random weights by every preset of
knowledge/distillation.yaml and by labels alone, and the teacher, with half of its channels cut, is recovered in every
way that the file names.
`--cases` names a folder with CIFAR-10 images and trained networks; its ResNet-20 is then a second teacher. Writes
docs/objectives.md.
"""

import argparse
import copy
import logging
import textwrap
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from advisor.execution.data import DataSplit, open_data
from advisor.execution.images import ImageReader
from advisor.execution.recovery import RATE
from advisor.execution.refuse import applier
from advisor.execution.training import Training, fine_tune, validation_top1
from advisor.loading.model import LoadedModel
from advisor.profiling import profile_module
from advisor.techniques.batch_norm import reestimate
from advisor.techniques.distil.objectives.recovery import recovery_objective
from advisor.techniques.distil.presets import load_presets, load_recoveries
from advisor.techniques.distil.step import Distil
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.subject import Subject
from benchmarks.case_data import BATCH, cifar, cifar_resnet20, digits, digits_teacher

PAGE = Path(__file__).resolve().parents[1] / "docs" / "objectives.md"
STUDENT = "timm:regnetx_002"
SIZE = 32
EXAMPLE = 8  # images that show the layers to an objective


@dataclass(frozen=True)
class Bench:
    """One teacher with its images, divided by a seed."""

    model: LoadedModel
    data: DataSplit
    folder: Path
    seed: int

    @property
    def reader(self) -> ImageReader:
        """Prepares images as the teacher reads them."""
        return ImageReader(self.model.preprocessing, self.model.input_shape[1], (SIZE, SIZE))

    @property
    def teacher(self) -> Any:
        """The original in evaluation mode, whose weights stay."""
        return copy.deepcopy(self.network).eval().requires_grad_(False)

    @property
    def network(self) -> torch.nn.Module:
        """The original itself."""
        if self.model.module is None:
            raise ValueError("a teacher is a torch module here")
        return self.model.module

    def subject(self) -> Subject:
        """What a technique is given."""
        shape = self.model.input_shape
        return Subject(
            shape,
            self.folder,
            module=self.network,
            workload=profile_module(self.network, shape),
            labelled=lambda: self.reader.batches(self.data.train, BATCH),
            seed=self.seed,
        )

    def example(self) -> torch.Tensor:
        """Return a few images."""
        return torch.from_numpy(self.reader.batch(self.data.train[:EXAMPLE]))

    def trained(self, module: Any, settings: Training, objective: Any, teacher: Any) -> float:
        """Train a network and return its top-1 on the test images."""
        torch.manual_seed(self.seed)
        settings = replace(settings, seed=self.seed)
        try:
            fine_tune(module, self.data.train, self.reader, settings, held=self.data.selection, teacher=teacher,
                      objective=objective)  # fmt: skip
        finally:
            objective.close()
        return validation_top1(module, self.data.test, self.reader)


def student(bench: Bench, step: Distil) -> float:
    """Teach a student from random weights."""
    technique, teacher = applier(step), bench.teacher
    module = technique.apply(step, bench.subject()).module
    objective = technique.objective(step, module, teacher, bench.example(), cross_entropy)
    return bench.trained(module, Training(step.epochs, **technique.training(step)), objective, teacher)


def recovered(bench: Bench, step: PruneChannels, name: str | None) -> float:
    """Cut channels and recover in the way of this name; None: only the batch norms are estimated anew."""
    technique, teacher, subject = applier(step), bench.teacher, bench.subject()
    step = technique.resolve(step, subject) if hasattr(technique, "resolve") else step
    module = technique.apply(step, subject).module
    reestimate(module, (images for images, _ in bench.reader.batches(bench.data.train, BATCH)))
    if name is None:
        return validation_top1(module.eval(), bench.data.test, bench.reader)
    objective = recovery_objective(module, teacher, bench.example(), cross_entropy, name=name)
    return bench.trained(module, Training(step.epochs, learning_rate=RATE), objective, teacher)


def rows(epochs: int, recovery: int) -> dict[str, Callable[[Bench], float]]:
    """Return the rows of both tables: who is trained, and how."""
    given = {"student": STUDENT, "size": SIZE, "epochs": epochs, "batch": BATCH}
    taught = {f"{name} ({entry.objective})": Distil(preset=name, **given) for name, entry in load_presets().items()}
    steps = {"labels alone": Distil(alpha=0.0, **given), **taught}
    found: dict[str, Callable[[Bench], float]] = {name: partial(student, step=step) for name, step in steps.items()}
    cut = PruneChannels(ratio=0.5, epochs=recovery)
    ways = {"untrained": None, **{name: name for name in load_recoveries()}}
    return found | {f"{CUT}{label}": partial(recovered, step=cut, name=name) for label, name in ways.items()}


CUT = "half of the channels cut, "


def table(found: dict[str, list[float]], against: str) -> list[str]:
    """Return a table of top-1 with its spread, and what each row gains over another, seed by seed."""
    lines = ["| taught by | top-1, % | lowest to highest | against labels, points |", "|---|---:|---:|---:|"]
    for name, scores in found.items():
        gains = [score - other for score, other in zip(scores, found[against], strict=True)]
        spread = f" +- {stdev(gains):.1f}" if len(gains) > 1 else ""
        gain = "" if name == against else f"{fmean(gains):+.1f}{spread}"
        label = name.removeprefix(CUT)
        lines.append(f"| {label} | {fmean(scores):.1f} | {min(scores):.1f} to {max(scores):.1f} | {gain} |")
    return lines


def section(title: str, benches: list[Bench], epochs: int, recovery: int) -> list[str]:
    """Carry all rows out for every seed and return a part of the page."""
    found: dict[str, list[float]] = {}
    began = time.perf_counter()
    for bench in benches:
        for name, work in rows(epochs, recovery).items():
            found.setdefault(name, []).append(work(bench))
            print(f"{title}, seed {bench.seed}, {name}: {found[name][-1]:.1f} %", flush=True)
    teachers = [validation_top1(bench.teacher, bench.data.test, bench.reader) for bench in benches]
    data = benches[0].data
    told = (
        f"Teacher: {benches[0].model.name}, top-1 {fmean(teachers):.1f} %. {len(data.train)} images teach, "
        f"{len(data.selection)} choose the epoch, {len(data.test)} test. Seeds: {len(benches)}; they divide the "
        f"images, order them, and start the teacher where it is trained here. Time: "
        f"{(time.perf_counter() - began) / 60:.0f} minutes."
    )
    students = {name: scores for name, scores in found.items() if not name.startswith(CUT)}
    cuts = {name: scores for name, scores in found.items() if name.startswith(CUT)}
    return [
        f"## {title}", "", _wrapped(told), "",
        f"A student from random weights, {STUDENT.removeprefix('timm:')} at {SIZE} x {SIZE}, {epochs} epochs:", "",
        *table(students, "labels alone"), "",
        f"The teacher with half of its channels cut, recovered in {recovery} epochs:", "",
        *table(cuts, f"{CUT}labels"), "",
    ]  # fmt: skip


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


_HOW = """\
## How to read it

- Every row of a table has the same first weights, images, order and epochs; only the objective differs. Settings are
  those of `knowledge/distillation.yaml`, but batches have 32 images: there are few.
- "Against labels": difference to the row of labels alone, seed by seed, with the standard deviation over the seeds.
  What is smaller than that says nothing.
- Published gains (1 to 4 points) are for ImageNet and CIFAR-100, long trainings and tuned weights. These tables show
  that the objectives work and what they do untuned on small tasks, not which is best on yours.
""".splitlines()


def page(sections: list[str], command: str) -> str:
    """Return the page."""
    today = datetime.now(UTC).date()
    return "\n".join(
        ["# What a network is taught by", "", f"Written by `{command}` on {today}.", "", *sections, *_HOW, ""]
    )


def main() -> None:
    """Carry everything out and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--cases", type=Path, help="folder with the CIFAR-10 images and networks")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    recovery = max(1, options.epochs // 4)
    command = f"python -m benchmarks.objectives --seeds {options.seeds} --epochs {options.epochs}"
    with TemporaryDirectory() as made:
        folder = Path(made)
        images = digits(folder / "digits")
        benches = [
            Bench(digits_teacher(images, seed), open_data(images, 10, seed), folder, seed)
            for seed in range(options.seeds)
        ]
        found = section("Handwritten digits", benches, options.epochs, recovery)
        if options.cases:
            images = cifar(options.cases, folder / "cifar")
            bench = Bench(cifar_resnet20(options.cases, 0), open_data(images, 10, 0), folder, 0)
            found += section("CIFAR-10", [bench], options.epochs, recovery)
            command += " --cases FOLDER"
    PAGE.write_text(page(found, command), encoding="utf-8")


if __name__ == "__main__":
    main()
