"""Criteria and allocations of channel pruning, and dropped blocks, on trained CIFAR-10 networks before any training.

    python benchmarks/pruning.py --cases ../shared/cases [--write docs/pruning.md]

Every cut removes the same share of MACs; batch norms are estimated anew on calibration images, nothing is trained.
Top-1 on test images that no cut has seen tells which choice hurts least. Gradients (Taylor) come from training images.
"""

import argparse
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from case_data import cifar, cifar_network

from advisor.errors import NotApplicable
from advisor.execution.data import evenly, open_data
from advisor.execution.images import ImageReader
from advisor.execution.training import validation_top1
from advisor.loading.model import LoadedModel
from advisor.profiling import profile_module
from advisor.schema import Step
from advisor.techniques.batch_norm import reestimate
from advisor.techniques.prune_blocks import apply as blocks
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.prune_channels import apply as channels
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.subject import Subject

NETWORKS = ("resnet20", "mobilenet")
CRITERIA = ("l2", "l1", "group_max", "filter_l1", "lamp", "fpgm", "bn_scale", "taylor", "random")
ALLOCATIONS = ("uniform", "global", "isomorphic")
SHARE = 0.3  # of MACs; deeper cuts leave nothing to compare before training
TESTED, NORM_IMAGES = 1000, 256


class Bench:
    """One network with its images."""

    def __init__(self, loaded: LoadedModel, images: Path) -> None:
        """Profile the network and divide the images."""
        self.module, self.shape = loaded.module, loaded.input_shape
        data, self.reader = open_data(images, 10), ImageReader(loaded.preprocessing, 3)
        self.tested, norms, train = evenly(data.test, TESTED), evenly(data.calibration, NORM_IMAGES), data.train
        self.norms = [batch for batch, _ in self.reader.batches(norms, 32)]
        self.subject = Subject(
            self.shape, images, module=self.module, workload=profile_module(self.module, self.shape),
            calibration=self.single, labelled=lambda: self.reader.batches(evenly(train, 512), 64),
        )  # fmt: skip

    def single(self, count: int) -> Iterator[Any]:
        """Yield calibration images one by one."""
        return (image[None] for image in [one for batch in self.norms for one in batch][:count])

    def top1(self, module: Any) -> float:
        """Return top-1 in percent on the test images."""
        return validation_top1(module, self.tested, self.reader)

    def cut(self, technique: Any, step: Step) -> str:
        """Return top-1 and the share of MACs that went."""
        try:
            step = technique.resolve(step, self.subject)
            module = technique.apply(step, self.subject).module
        except NotApplicable as error:
            return f"refused: {error}"
        reestimate(module, self.norms)
        assert self.subject.workload is not None
        gone = 1 - profile_module(module, self.shape).macs / self.subject.workload.macs
        return f"{self.top1(module):.1f} % ({gone:.0%})"


def table(name: str, bench: Bench) -> Iterator[str]:
    """Yield the rows of one network."""
    yield f"\n## {name}: {bench.top1(bench.module):.1f} % before\n"
    yield "| criterion | " + " | ".join(ALLOCATIONS) + " |"
    yield "|---|" + "---:|" * len(ALLOCATIONS)
    for criterion in CRITERIA:
        steps = [
            PruneChannels(ratio=SHARE, target="macs", criterion=criterion, allocation=how, round_to=2, epochs=0)
            for how in ALLOCATIONS
        ]
        yield f"| {criterion} | " + " | ".join(bench.cut(channels, step) for step in steps) + " |"
    for choice in ("output_change", "random"):
        found = bench.cut(blocks, PruneBlocks(ratio=SHARE, criterion=choice, epochs=0))
        yield f"| {SHARE:.0%} of blocks, {choice} | {found} | | |"


def page(cases: Path) -> Iterator[str]:
    """Yield the lines of the page."""
    yield f"# What to cut\n\nWritten by `python benchmarks/pruning.py` ({date.today()}). Do not edit."
    yield (
        f"\nTop-1 on {TESTED} test images of CIFAR-10 after {SHARE:.0%} of the MACs went (in brackets: what really "
        f"went), batch norms estimated anew on {NORM_IMAGES} images, nothing trained. One network and one seed each: "
        "differences of less than about 3 points say nothing."
    )
    with tempfile.TemporaryDirectory() as folder:
        images = cifar(cases, Path(folder))
        for name in NETWORKS:
            yield from table(name, Bench(cifar_network(cases, name), images))


def main() -> None:
    """Print the page, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=Path, default=Path("../shared/cases"))
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for line in page(options.cases):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        options.write.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
