"""What compression costs two networks that are really trained, in points of top-1 on 5000 test images.

    python -m benchmarks.trained_networks FOLDER [--seeds 1] [--epochs 20] [--only NAME ...]

FOLDER holds CIFAR-10 images and networks (nets.py, images/, models/). Every row is carried out as `advisor apply` does
it; the file that ships is measured. Images: 5000 to train (a tenth of them chooses), 500 to calibrate, 5000 to test.
Writes docs/trained-networks.md.
"""

import argparse
import logging
import tempfile
import textwrap
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import onnxruntime
import torch

from advisor import runtimes
from advisor.devices import load_device
from advisor.execution import apply_plan
from advisor.execution.data import open_data
from advisor.execution.images import ImageReader
from advisor.execution.preprocessing import read
from advisor.execution.trials import Pair, measure_accuracy, measure_costs
from advisor.progress import Silent
from advisor.schema import Metric, Plan, RunRecord, Step
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.static_int8.step import StaticInt8
from benchmarks.case_data import cifar, cifar_network

PAGE = Path(__file__).resolve().parents[1] / "docs" / "trained-networks.md"
NETWORKS = {"ResNet-20": "resnet20", "a small MobileNet": "mobilenet"}
PRUNED = "half of the MACs pruned, then int8"
IN_FLOAT = "half of the MACs pruned"  # the float file of the same run
INT8 = StaticInt8(signedness="u8s8", calibration_images=250)


@dataclass(frozen=True)
class Row:
    """One file that ships."""

    network: str
    seed: int
    before: float
    after: float
    drop: float
    low: float
    high: float
    macs: float  # of the original's
    size: float
    gain: float


def plans(epochs: int) -> dict[str, tuple[Step, ...]]:
    """Return what is done to each network."""
    half = PruneChannels(
        ratio=0.5, target="macs", allocation="global", round_to=4, epochs=epochs, recovery="rewind"
    )  # fmt: skip
    return {
        "int8 after training": (INT8,),
        "int8 after training, per tensor": (INT8.model_copy(update={"weights": "per_tensor"}),),
        "int8 trained (QAT)": (QAT(signedness="u8s8", epochs=max(1, epochs // 6)),),
        PRUNED: (half, INT8),
        "low rank": (LowRank(method="auto", rank_ratio=0.6, round_to=4, epochs=max(1, epochs // 4)),),
    }


def row(record: RunRecord, network: str) -> Row:
    """Take the figures out of the record of a run."""
    measured = {one.metric: one for one in record.measurements}
    points, size, latency = (measured[m] for m in (Metric.ACCURACY, Metric.SIZE, Metric.LATENCY))
    macs = next(check.actual for check in record.checks if check.quantity == "macs")
    return Row(
        network=network,
        seed=record.seed,
        before=record.accuracy["original"],
        after=record.accuracy["shipped"],
        drop=-points.value,
        low=-points.high,
        high=-points.low,
        macs=macs,
        size=size.value / (size.baseline_value or size.value),
        gain=(latency.baseline_value or latency.value) / latency.value,
    )


def in_float(record: RunRecord, run: Path) -> RunRecord:
    """Return the record with the measurements of the float file that was quantized last."""
    assert record.data is not None
    data = open_data(Path(record.data.origin), None, record.seed)
    preprocessing = read(run)
    pair = Pair(run / "baseline.onnx", run / "float.onnx", runtimes.get("onnxruntime"), 1)
    accuracy, scores = measure_accuracy(pair, data, ImageReader(preprocessing, preprocessing.channels), Silent())
    costs = measure_costs(pair, record.seed, Silent())
    return record.model_copy(update={"accuracy": accuracy, "measurements": (*costs, *scores)})


def table(found: dict[tuple[str, str], list[Row]], macs: dict[str, int]) -> list[str]:
    """Return the table."""
    lines = [
        "| network | done | top-1 before | after | points lost (95 %) | MACs left | file | times as fast |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (network, name), rows in found.items():
        for one in rows:
            points = f"{one.drop:.2f} ({one.low:.2f} to {one.high:.2f})"
            costs = f"{one.macs / macs[network]:.0%} | {one.size:.0%} | {one.gain:.2f}"
            lines.append(f"| {network} | {name} | {one.before:.2f} | {one.after:.2f} | {points} | {costs} |")
    return lines


def main() -> None:
    """Carry all plans out and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--only", nargs="*", help="rows whose names begin so")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    found: dict[tuple[str, str], list[Row]] = {}
    macs: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as made:
        images = cifar(options.folder, Path(made) / "images")
        for title, name in NETWORKS.items():
            model = cifar_network(options.folder, name)
            for plan_name, steps in plans(options.epochs).items():
                if options.only and not plan_name.startswith(tuple(options.only)):
                    continue
                for seed in range(options.seeds):
                    plan = Plan(steps=steps, runtime="onnxruntime", threads=1)
                    run = Path(made) / "run"
                    record = apply_plan(
                        plan, model, data_dir=images, out=run, device=load_device("host"), seed=seed
                    )  # fmt: skip
                    if plan_name == PRUNED:
                        found.setdefault((title, IN_FLOAT), []).append(row(in_float(record, run), title))
                    found.setdefault((title, plan_name), []).append(row(record, title))
                    macs.setdefault(title, _original_macs(model))
                    print(found[title, plan_name][-1], flush=True)
    if not options.only:
        PAGE.write_text(page(table(found, macs), options) + "\n", encoding="utf-8")
    print("\n".join(table(found, macs)))


def _original_macs(model: object) -> int:
    from advisor.profiling import profile

    return profile(model).macs  # type: ignore[arg-type]


def page(lines: list[str], options: argparse.Namespace) -> str:
    """Return the whole page."""
    told = (
        f"Written by `python -m benchmarks.trained_networks FOLDER --seeds {options.seeds} --epochs {options.epochs}` "
        f"(torch {torch.__version__}, onnxruntime {onnxruntime.__version__}, {datetime.now(UTC).date()}). Do not edit."
    )
    return "\n".join(
        ["# What it costs networks that are trained", "", textwrap.fill(told, 120), "", *_ABOUT, "", *lines, "", *_HOW]
    )


_ABOUT = """\
Two small networks for CIFAR-10, trained on these JPEG images, and 5000 test images that took part in nothing. Points
are those of the ONNX file that ships against the original's on the same images, with 95 % intervals of paired answers.
""".splitlines()

_HOW = """\
- Calibration: 250 of 500 images that are kept for it. Training: 4500 images, 500 choose the epoch; the teacher is the
  unchanged network. There are a tenth of CIFAR-10's training images, so recovery is worse than it would be with all.
- "Times as fast": CPU time of one image with one thread in ONNX Runtime, in rounds that take turns with the original.
- Half of the MACs of the whole network; channels are ranked over all groups by their L2 norm, widths are multiples
  of 4, and the learning rate is that of a training from nothing (`recovery: rewind`).
""".splitlines()


if __name__ == "__main__":
    main()
