"""Accuracies predicted with and without a probe, against those measured on test images: docs/accuracy-probe.md.

    python -m benchmarks.probe_accuracy [FOLDER] [--only NAME ...] [--page]

Trains small networks of a dozen families on digits; FOLDER adds two networks for CIFAR-10 (nets.py, images/, models/).
Every network counts six plans. Rows are appended to build/probe_accuracy.jsonl; networks that are there are left out.
`--page` only writes the page. About an hour on one core.
"""

import argparse
import json
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from advisor import pipeline, runtimes
from advisor.devices import load_device
from advisor.errors import AdvisorError
from advisor.execution.data import open_data
from advisor.execution.images import ImageReader
from advisor.execution.probe.run import probe
from advisor.execution.search.bench import opened
from advisor.execution.steps import Workshop
from advisor.execution.trials import Pair, compare_on
from advisor.loading import LoadedModel, load
from advisor.profiling import profile
from advisor.progress import Silent
from advisor.ranking.evaluate import Evaluator
from advisor.ranking.store import restored
from advisor.rules.sources import rules_in_use
from advisor.schema import Goal, Metric, Plan, Recommendation, Step
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject
from advisor.techniques.weight_only.step import WeightOnly
from benchmarks.case_data import cifar, cifar_network
from benchmarks.probe_networks import NETWORKS, images, trained
from benchmarks.probe_page import ROWS, write_page

DEVICE, SECONDS, EPOCHS, SHAPE = "raspberry-pi-4b", 240.0, 4, (1, 3, 32, 32)
TRAINED = {"CIFAR-10 ResNet-20": "resnet20", "CIFAR-10 MobileNet": "mobilenet"}
INT8 = StaticInt8(signedness="u8s8")


def plans(transformer: bool) -> dict[str, tuple[Step, ...]]:
    """Return what is done to each network."""

    def cut(ratio: float, epochs: int) -> Step:
        if transformer:
            return PruneTransformer(mlp_ratio=ratio, epochs=epochs)
        return PruneChannels(ratio=ratio, epochs=epochs)

    return {
        "int8": (INT8,),
        "int8, per tensor, powers of two": (
            INT8.model_copy(update={"weights": "per_tensor", "power_of_two_scales": True}),
        ),
        "4-bit weights": (WeightOnly(bits=4, group_size=32),),
        "30 % of channels, untrained, int8": (cut(0.3, 0), INT8),
        "50 % of channels, trained, int8": (cut(0.5, EPOCHS), INT8),
        "low rank, trained": (LowRank(rank_ratio=0.5, epochs=EPOCHS),),
    }


def rows(name: str, loaded: LoadedModel, data: Path) -> Iterator[dict[str, Any]]:
    """Predict, probe, carry out, and measure on the test images."""
    first = pipeline.recommend(loaded.module, DEVICE, goal=Goal(), data=data, input_shape=SHAPE)
    device, facts = load_device(DEVICE), restored(first.facts) | {"model.random_weights": False}
    workload, rules = profile(loaded), rules_in_use(())
    wanted = plans(name == "ViT")
    own = {label: Plan(steps=steps, runtime="onnxruntime", unit="cpu") for label, steps in wanted.items()}
    asked = _asked(first, Evaluator(workload, device, rules, facts), own)
    found = probe(asked, loaded, device, data, budget_s=SECONDS)
    before = Evaluator(workload, device, rules, facts)
    measured = dict(_measured(loaded, data, own))
    for label, plan in own.items():
        if label not in measured:
            continue
        known = found.of(plan)
        yield {
            "network": name,
            "seen": found.seen,
            "plan": label,
            "trained": any(getattr(step, "epochs", 0) for step in plan.steps),
            "truth": measured[label][0],
            "truth_error": measured[label][1],
            "original": measured[label][2],
            "before": before.candidate(0, plan).estimates[Metric.ACCURACY].model_dump(mode="json"),
            "probe": None if known is None else known.model_dump(mode="json"),
        }


def _asked(first: Recommendation, evaluator: Evaluator, own: dict[str, Plan]) -> Recommendation:
    """Return the recommendation with these plans as its candidates."""
    candidates = tuple(evaluator.candidate(i, plan) for i, plan in enumerate(own.values()))
    candidates = tuple(c.model_copy(update={"status": "feasible", "rejected_by": ()}) for c in candidates)
    facts = {**first.facts, "model.random_weights": False}
    return first.model_copy(update={"candidates": candidates, "winner": None, "baseline": 0, "facts": facts})


def _measured(
    loaded: LoadedModel, data: Path, own: dict[str, Plan]
) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Carry the plans out as `advisor apply` does, with all training images, and measure on the test images."""
    split, runtime = open_data(data, loaded.classes, 0), runtimes.get("onnxruntime")
    reader = ImageReader(loaded.preprocessing, 3)
    with tempfile.TemporaryDirectory() as folder:
        start = Subject(SHAPE, Path(folder), module=loaded.module, workload=profile(loaded),
                        preprocessing=loaded.preprocessing)  # fmt: skip
        shop = Workshop(split, reader, runtime, None, Path(folder), None, 0, Silent())
        with opened(start, shop, next(iter(own.values()))) as bench:
            for label, plan in own.items():
                try:
                    file = bench.file(bench.carried(plan.steps))
                except AdvisorError as error:
                    print(f"{label}: {error.what}")
                    continue
                found = compare_on(Pair(bench.baseline, file, runtime, 1), split.test, split, reader, Silent())
                yield label, (found.delta or 0.0, found.standard_error, found.before or 0.0)


def main() -> None:
    """Run what is missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--page", action="store_true")
    asked = parser.parse_args()
    if not asked.page:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _run(asked.folder, asked.only)
    write_page()


def _run(cases: Path | None, only: list[str] | None) -> None:
    torch.set_num_threads(1)
    known = {json.loads(line)["network"] for line in ROWS.read_text().splitlines()} if ROWS.exists() else set()
    names = [name for name in (*NETWORKS, *(TRAINED if cases else ())) if name not in known]
    with tempfile.TemporaryDirectory() as made:
        arrays = images()
        np.savez(Path(made) / "digits.npz", **arrays)
        for name in names if only is None else [name for name in names if name in only]:
            if name in TRAINED:
                data, loaded = Path(made) / "cifar", cifar_network(cases or Path(), TRAINED[name])
                if not data.exists():
                    cifar(cases or Path(), data)
            else:
                data = Path(made) / "digits.npz"
                loaded = load(trained(name, arrays, seed=0), input_shape=SHAPE)
            found = list(rows(name, loaded, data))
            ROWS.parent.mkdir(exist_ok=True)
            with ROWS.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in found)
            print(name, *(f"{row['plan']}: {row['truth']:+.2f}" for row in found), sep="; ", flush=True)


if __name__ == "__main__":
    main()
