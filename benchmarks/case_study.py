"""Rerun the case study of arXiv 2408.08250 on images that are here: every technique alone, and the mix.

    python -m benchmarks.case_study [--seeds 3] [--cases FOLDER]

A teacher is trained on scikit-learn's handwritten digits; then each plan is carried out by `advisor.execution` as
`advisor apply` does it, and the files that ship are measured. `--cases` names a folder with CIFAR-10 images and trained
networks (cases.py, nets.py, images/, models/); its ResNet-20 is then the second teacher. Writes docs/case-study.md.
"""

import argparse
import logging
import tempfile
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

import onnxruntime
import torch

from advisor.devices import load_device
from advisor.execution import apply_plan
from advisor.loading.model import LoadedModel
from advisor.measurement.accuracy import wilson
from advisor.schema import Metric, Plan, RunRecord, Step
from advisor.techniques.distil.step import Distil
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.static_int8.step import StaticInt8
from benchmarks.case_data import BATCH, cifar, cifar_resnet20, digits, digits_teacher

PAGE = Path(__file__).resolve().parents[1] / "docs" / "case-study.md"
INT8 = "u8s8"  # activations and weights: what ONNX Runtime multiplies fastest on x86


@dataclass(frozen=True)
class Study:
    """One set of images: who teaches whom, and for how long."""

    title: str
    teacher: str
    student: str
    epochs: int  # of the student
    recovery: int  # epochs after a cut, and of training with rounding
    folder: Callable[[Path], Path]
    model: Callable[[Path, int], LoadedModel]

    def plans(self) -> dict[str, tuple[Step, ...]]:
        """Return the rows of the table: what is done to the teacher."""
        taught = Distil(student=self.student, size=32, epochs=self.epochs, batch=BATCH)
        prune = PruneChannels(ratio=0.2, epochs=self.recovery)
        qat = QAT(signedness=INT8, epochs=self.recovery)
        return {
            "teacher": (),
            "student, labels alone": (taught.model_copy(update={"alpha": 0.0}),),
            "student, taught": (taught,),
            "pruned, 20 % of channels": (prune,),
            "low rank (spatial SVD)": (LowRank(method="spatial_svd", rank_ratio=0.5, epochs=self.recovery),),
            "int8 after training": (StaticInt8(signedness=INT8),),
            "int8 trained (QAT)": (qat,),
            "mix: student, pruned, QAT": (taught, prune, qat),
        }


@dataclass(frozen=True)
class Row:
    """One run: what the file that ships is worth."""

    top1: float
    size_mb: float
    macs: int
    ms: float
    gain: float  # milliseconds of the teacher's file, measured in turns, over these
    images: int
    conclusive: bool


def row(record: RunRecord) -> Row:
    """Take the figures out of the record of a run."""
    measured = {one.metric: one for one in record.measurements}
    latency, size = measured[Metric.LATENCY], measured[Metric.SIZE]
    macs = next(check.actual for check in record.checks if check.quantity == "macs")
    if record.data is None or not latency.baseline_value:
        raise ValueError("a run without images or baseline says nothing here")
    return Row(
        top1=record.accuracy["shipped"],
        size_mb=size.value,
        macs=macs,
        ms=latency.value,
        gain=latency.baseline_value / latency.value,
        images=record.data.test,
        conclusive=latency.conclusive,
    )


def carried_out(study: Study, seeds: int) -> dict[str, list[Row]]:
    """Carry all plans out, for as many teachers as seeds."""
    found: dict[str, list[Row]] = {name: [] for name in study.plans()}
    with tempfile.TemporaryDirectory() as made:
        images = study.folder(Path(made) / "images")
        for seed in range(seeds):
            model = study.model(images, seed)
            for name, steps in study.plans().items():
                plan = Plan(steps=steps, runtime="onnxruntime", threads=1)
                record = apply_plan(
                    plan, model, data_dir=images, out=Path(made) / "run", device=load_device("host"), seed=seed
                )
                found[name].append(row(record))
                print(f"{study.title}, seed {seed}, {name}: {found[name][-1]}", flush=True)
    return found


def table(found: dict[str, list[Row]]) -> list[str]:
    """Return the rows of the table; top-1 with its lowest and highest run."""
    teacher = found["teacher"]
    lines = [
        "| network | top-1, % | file, MB | of the teacher's | MMACs | ms | times as fast |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, rows in found.items():
        scores = [one.top1 for one in rows]
        spread = f" ({min(scores):.1f} to {max(scores):.1f})" if len(rows) > 1 else ""
        share = fmean(one.size_mb for one in rows) / fmean(one.size_mb for one in teacher)
        doubt = "" if all(one.conclusive for one in rows) else " ?"
        lines.append(
            f"| {name} | {fmean(scores):.1f}{spread} | {fmean(one.size_mb for one in rows):.2f} | {share:.0%} | "
            f"{median(one.macs for one in rows) / 1e6:.1f} | {median(one.ms for one in rows):.3f} | "
            f"{median(one.gain for one in rows):.2f}{doubt} |"
        )
    return lines


def section(study: Study, found: dict[str, list[Row]]) -> list[str]:
    """Return a part of the page: the table and what must be known to read it."""
    teacher = found["teacher"][0]
    low, high = wilson(round(teacher.top1 * teacher.images / 100), teacher.images)
    gained = [a.top1 - b.top1 for a, b in zip(found["student, taught"], found["student, labels alone"], strict=True)]
    by_seed = ", ".join(f"{points:+.1f}" for points in gained)
    return [
        f"## {study.title}",
        "",
        _wrapped(
            f"Teacher: {study.teacher}. Student: {study.student} at 32 x 32, from random weights, {study.epochs} "
            f"epochs; recovery after a cut and training with rounding: {study.recovery} epochs each, with the "
            f"teacher's answers as half of the loss. Seeds: {len(gained)}."
        ),
        "",
        *table(found),
        "",
        _wrapped(
            f"The test part has {teacher.images} images: {teacher.top1:.1f} % right there means {low:.1f} to "
            f"{high:.1f} % in general. Points that the teacher gave the student over labels alone, seed by seed: "
            f"{by_seed}."
        ),
        "",
    ]


def page(sections: list[str], options: str) -> str:
    """Return the whole page."""
    date = datetime.now(UTC).date()
    return "\n".join(
        [
            "# The case study of the survey, again",
            "",
            _wrapped(
                f"Written by `python -m benchmarks.case_study {options}` (torch {torch.__version__}, onnxruntime "
                f"{onnxruntime.__version__}, {date}). Do not edit."
            ),
            "",
            _wrapped(
                "The code of the survey arXiv 2408.08250 carries distillation, pruning, quantization-aware training "
                "and their mix out on Oxford-IIIT Pet. Here the same is done to networks and images that are at hand, "
                "with low rank and int8 without training beside."
            ),
            "",
            *sections,
            *_HOW,
        ]
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


_HOW = """\
## How it was done

- Every row is a run of `advisor apply` in ONNX Runtime on the CPU of the machine that wrote this page. Top-1 and bytes
  are those of the ONNX file that ships, on images that took no part in training, in choosing epochs or in calibration.
- "Times as fast": median CPU time of one image with one thread, in rounds that take turns with the teacher's file; the
  teacher's row is its own file against itself and shows the noise. "?": medians and minima disagree in some run.
- MACs are counted on the network as it is after the last step.
- A tenth of the training images chooses the best epoch. Each seed has another division of the images, another order
  and, where the teacher is trained here, another teacher; a student's initial weights are the same for all.
- "Labels alone" is the same training with alpha 0: what the teacher gives is the difference between the two rows.

## What differs from the survey's

- Other images: small ones, at 32 x 32, instead of pets at 224 x 224. What a teacher is worth depends on the task:
  the figures show that the steps work and what they did here, not what they would give on pets.
- Temperature 3, alpha 0.9 and Adam with rate and decay 0.001 are the survey's (preset `survey`). Batches have 32 images
  instead of 128 and the epochs are fewer: there are few images. The rate falls by half a cosine instead of in steps,
  images are moved but not mirrored, and the epoch is chosen on a part of the training images, not on the test images.
- Pruning is of the same kind (groups of coupled channels by L2 norm, 20 % everywhere, the classifier left alone), with
  widths rounded to multiples of 8 and batch norms estimated anew.
- Int8 is an ONNX file with integer convolutions that is run and judged itself; batch norms are folded before.
""".splitlines()


def main() -> None:
    """Carry the studies out and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cases", type=Path, help="folder with the CIFAR-10 images and networks")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    studies = [(Study(
        "Handwritten digits", "ResNet-10-t of timm at 32 x 32", "timm:regnetx_002", 16, 4, digits, digits_teacher
    ), options.seeds)]  # fmt: skip
    if options.cases:
        studies.append((Study(
            "CIFAR-10", "ResNet-20 for CIFAR, fine-tuned on these JPEG images", "timm:regnetx_002", 12, 3,
            lambda folder: cifar(options.cases, folder), lambda _, seed: cifar_resnet20(options.cases, seed),
        ), 1))  # fmt: skip
    sections = [line for study, seeds in studies for line in section(study, carried_out(study, seeds))]
    said = f"--seeds {options.seeds}{' --cases CASES' if options.cases else ''}"
    PAGE.write_text(page(sections, said) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
