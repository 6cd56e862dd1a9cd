"""Networks carried out in every runtime that is installed: predicted against measured, and what really ran.

    python -m benchmarks.runtimes [CASES] [--keep FOLDER] [--only NAME ...] [--runtimes NAME ...]

Every row is made by `advisor.recommend` for this machine in one runtime, `advisor.apply` of its static int8 plan and
`advisor.verify`; the unchanged network is measured beside it in the same runtime. Networks of timm have random
weights, so only costs and outputs are looked at; CASES holds a trained ResNet-20 with its images, of which top-1 is
measured too.
OpenVINO also computes floats in bf16 where the CPU does. Rows are kept in --keep, so that a stopped run goes on.
Writes the tables of docs/runtimes.md. Takes about an hour; the figures are worth something on a quiet machine only.
"""

import argparse
import json
import logging
import os
import tempfile
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

import advisor
from advisor import runtimes
from advisor.errors import AdvisorError
from advisor.measurement.latency import compare
from advisor.runtimes import Runtime
from advisor.runtimes.agreement import compare_outputs
from advisor.runtimes.tflite import CONVERTER
from advisor.schema import Gain, Goal, Metric, Recommendation, RunRecord
from benchmarks.case_data import cifar
from benchmarks.runtimes_page import RUNTIMES, Row, write_page

NETWORKS = ("resnet18", "mobilenetv2_100", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_tiny")
CASE = "ResNet-20, trained"
IMAGES = 48  # of noise: ranges of random networks say nothing else than that there are some


def main() -> None:
    """Measure what is missing and write the page."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    asked = _arguments()
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="runtimes-"))
    keep.mkdir(parents=True, exist_ok=True)
    os.environ["ADVISOR_OUTCOMES"] = "off"
    names = [*(asked.only or NETWORKS), *([CASE] if asked.cases and not asked.only else [])]
    wanted = [name for name in asked.runtimes or RUNTIMES if _usable(name)]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for network in names:
            for name in wanted:
                rows.append(_kept(keep, network, name, asked.cases, Path(folder)))
                print(_told(rows[-1]), flush=True)
    write_page(rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="?", type=Path, help="folder with nets.py, models/ and images/")
    parser.add_argument("--keep", type=Path, help="folder in which rows are kept")
    parser.add_argument("--only", nargs="*", help="networks of timm")
    parser.add_argument("--runtimes", nargs="*", help=f"of {', '.join(RUNTIMES)}")
    return parser.parse_args()


def _usable(name: str) -> bool:
    try:
        runtimes.get(name)
    except AdvisorError as error:
        print(f"{name}: left out, {error.what}", flush=True)
        return False
    if name == "tflite" and CONVERTER.python() is None:
        print("tflite: left out, 'advisor export --runtime tflite --install' has not made its environment", flush=True)
        return False
    return True


def _kept(keep: Path, network: str, runtime: str, cases: Path | None, folder: Path) -> Row:
    """Return a row that was measured before, or measure it now."""
    file = keep / f"{network}-{runtime}.json".replace(" ", "_").replace(",", "")
    if file.is_file():
        return _read(json.loads(file.read_text(encoding="utf-8")))
    try:
        row = _measured(network, runtimes.get(runtime), cases, folder)
    except AdvisorError as error:
        row = Row(network, runtime, refused=error.what)
    file.write_text(json.dumps(asdict(row)), encoding="utf-8")
    return row


def _read(stored: dict[str, object]) -> Row:
    return Row(**{key: tuple(one) if isinstance(one, list) else one for key, one in stored.items()})  # type: ignore[arg-type]


def _measured(network: str, runtime: Runtime, cases: Path | None, folder: Path) -> Row:
    """Carry the static int8 plan out in a runtime and verify it."""
    model, data, options = _model(network, cases, folder)
    out = folder / f"{network}-{runtime.name}".replace(" ", "-")
    goal = Goal(runtime=runtime.name, threads=1, budget="calibration")
    plan = advisor.recommend(model, "host", goal=goal, data=data, **options)
    advisor.apply(plan, data=data, out=out, number=_number(plan), record=False)
    run = advisor.verify(out, data=data, record=False)
    return _row(network, runtime, run, out)


def _model(network: str, cases: Path | None, folder: Path) -> tuple[object, Path, dict[str, object]]:
    """Return a network and its images."""
    if network == CASE:
        assert cases is not None
        images = folder / "cifar"
        return cases / "models" / "resnet20_export.pt2", images if images.is_dir() else cifar(cases, images), {}
    import timm

    noise = folder / "noise.npz"
    if not noise.is_file():
        random = np.random.default_rng(0)
        images = random.integers(0, 256, (IMAGES, 224, 224, 3)).astype(np.uint8)
        np.savez(noise, images=images, labels=np.arange(IMAGES) % 4)
    torch.manual_seed(0)
    file = folder / f"{network}.pth"
    if not file.is_file():
        torch.save(timm.create_model(network).state_dict(), file)
    return file, noise, {"arch": f"timm:{network}", "input_shape": (3, 224, 224)}


def _number(plan: Recommendation) -> int:
    """Return the first plan that is static int8 and nothing else."""
    return next(
        one.number for one in (*plan.candidates,) if [step.technique for step in one.plan.steps] == ["static_int8"]
    )


def _row(network: str, runtime: Runtime, run: RunRecord, out: Path) -> Row:
    files = {one.role: out / one.file for one in run.artefacts}
    measured = {one.metric: one for one in run.measurements}
    latency, size = measured[Metric.LATENCY], measured[Metric.SIZE]
    predicted, gain = run.predicted.get(Metric.LATENCY), run.gains_here.get(Metric.LATENCY)
    judged = next((one for one in run.gain_verdicts if one.metric is Metric.LATENCY), None)
    reference, placed = (
        runtimes.get("onnxruntime"),
        [runtime.placement(files[role]) for role in ("baseline", "shipped")],
    )
    offs = []
    for role in ("baseline", "shipped"):
        found = compare_outputs(reference.load(files.get(f"{role}-onnx", files[role])), runtime.load(files[role]))
        offs.append(found.largest / max(found.scale, 1e-12))
    accuracy = (run.accuracy["original"], run.accuracy["shipped"]) if network == CASE else None
    return Row(
        network,
        runtime.name,
        float_ms=latency.baseline_value or 0.0,
        int8_ms=latency.value,
        predicted_ms=(predicted.low, predicted.mid, predicted.high) if predicted else None,
        predicted_gain=_figures(gain),
        basis=predicted.basis.value if predicted else "",
        verdict="" if judged is None else {True: "hit", False: "miss", None: "open"}[judged.hit],
        bf16_ms=_bf16(runtime, files["baseline"]),
        float_off=offs[0],
        int8_off=offs[1],
        float_in=_arithmetic(placed[0].arithmetic),
        int8_in=_arithmetic(placed[1].arithmetic),
        elsewhere=sum(placed[1].elsewhere.values()),
        size_mb=(size.baseline_value or 0.0, size.value),
        top1=accuracy,
        load=os.getloadavg()[0],
    )


def _figures(gain: Gain | None) -> tuple[float, float, float] | None:
    return (gain.low, gain.mid, gain.high) if gain else None


def _bf16(runtime: Runtime, baseline: Path) -> float | None:
    """Time the float file in bf16, where OpenVINO would compute it so by default."""
    if runtime.name != "openvino":
        return None
    from advisor.runtimes.openvino import OpenVinoSession, default_precision

    if default_precision() != "bf16":
        return None
    return compare(runtime.load(baseline, 1), OpenVinoSession(baseline, 1, "bf16"), 1).candidate.median


def _arithmetic(counted: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counted.items(), key=lambda item: -item[1]))


def _told(row: Row) -> str:
    if row.refused:
        return f"{row.network} in {row.runtime}: {row.refused}"
    return f"{row.network} in {row.runtime}: {row.float_ms:.2f} ms, int8 {row.int8_ms:.2f} ms ({row.verdict})"


if __name__ == "__main__":
    main()
