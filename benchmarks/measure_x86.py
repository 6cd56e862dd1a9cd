"""Measure networks on one core here in the runtimes that run here; add them to a table in knowledge/prediction.

    python benchmarks/measure_x86.py --cpu amx --write
    python benchmarks/measure_x86.py --cpu zen5 --networks small --variants onnxruntime --write

Small networks show what large ones hide: the fixed cost of every operation. All variants of a network are interleaved
round by round in one process, CPU time, one thread; weights are random. A sitting whose medians and minima tell
different stories is repeated. Without --write the figures are only printed; with it, a network's rows are written when
it is done, and replace those of the same source.
"""

import argparse
import csv
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch

from advisor import runtimes
from advisor.calibration.probes import distinct
from advisor.errors import AdvisorError
from advisor.measurement.latency import doubt, sit
from advisor.resources import data_dir
from advisor.runtimes import Session
from advisor.runtimes.onnx_export import export_onnx
from advisor.runtimes.openvino import OpenVinoSession
from advisor.runtimes.silence import silent
from advisor.schema import ExecPath, Restrictions
from advisor.techniques.dynamic_int8.apply import apply as apply_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.apply import apply as apply_static
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject

LARGE = tuple((name, 224) for name in (
    "resnet18", "mobilenetv2_100", "resnet50", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_tiny",
    "deit_small_patch16_224", "swin_tiny_patch4_window7_224",
))  # fmt: skip
SMALL = (
    ("test_resnet", 160), ("test_resnet", 96), ("test_resnet", 48), ("test_byobnet", 160), ("test_byobnet", 64),
    ("mobilenetv2_050", 64), ("mobilenetv2_100", 96), ("lcnet_050", 64), ("regnetx_002", 64), ("test_efficientnet", 96),
    ("efficientnet_b0", 64), ("efficientnet_b0", 128), ("mobilenetv3_large_100", 128),
)  # fmt: skip
# Never fitted, to judge a fit by; only MobileNetV3 is part of one, at another size.
UNSEEN = (
    ("densenet121", 224), ("regnety_004", 224), ("mobilenetv3_large_100", 224), ("resnet34", 160),
    ("vit_small_patch16_224", 224),
)  # fmt: skip
# Beginnings of variants that are not tried: OpenVINO 2026.4 ends the whole process on the int8 form of DenseNet.
CRASHES = {"swin_tiny_patch4_window7_224": ("openvino",), "densenet121": ("openvino",)}
GROUPS = {"large": LARGE, "small": SMALL, "unseen": UNSEEN}


@dataclass(frozen=True)
class Cpu:
    """A CPU with measurements of its own: their table, and the source of a group of networks."""

    table: str
    sources: dict[str, str]


CPUS = {
    "zen5": Cpu("measured_x86.csv", {"large": "PEERS-b1", "small": "OWN-small"}),
    "amx": Cpu("measured_x86_amx.csv", {"large": "OWN-amx", "small": "OWN-amx", "unseen": "OWN-amx-unseen"}),
}
COLUMNS = ("model", "input", "variant", "fp32_ms", "ratio", "source")
BASELINE = "onnxruntime fp32"
SITTINGS = 3
CALIBRATION_IMAGES = 2


@dataclass(frozen=True)
class Maker:
    """Makes the files of one network as they are asked for, by the project's own export and techniques."""

    module: Any
    shape: tuple[int, ...]
    folder: Path

    def sessions(self, wanted: tuple[str, ...], never: tuple[str, ...]) -> Iterator[tuple[str, Session]]:
        """Yield the variants that can be made; what a runtime refuses is said and left out."""
        plain = export_onnx(self.module, self.shape, self.folder / "float.onnx")
        ort, openvino, ncnn = (_by(name) for name in ("onnxruntime", "openvino", "ncnn"))
        makers: dict[str, Callable[[], Session]] = {
            BASELINE: lambda: ort(plain),
            "onnxruntime u8s8": lambda: ort(self._static(plain, "u8s8")),
            "onnxruntime s8s8": lambda: ort(self._static(plain, "s8s8")),
            "onnxruntime dynamic matmul": lambda: ort(self._dynamic(plain)),
            "openvino bf16": lambda: OpenVinoSession(self._converted("openvino", plain), 1, "bf16"),
            "openvino fp32": lambda: openvino(self._converted("openvino", plain)),
            "openvino int8": lambda: openvino(self._converted("openvino", self._static(plain, "u8s8"))),
            "pytorch fp32": lambda: _by("pytorch")(
                runtimes.get("pytorch").export(self.module, self.shape, self.folder / "float.pt2")
            ),
            "ncnn fp32": lambda: ncnn(self._converted("ncnn", plain)),
            "ncnn int8": lambda: ncnn(self._converted("ncnn", self._static(plain, "s8s8", symmetric=True))),
        }
        for variant, make in makers.items():
            if variant != BASELINE and (not variant.startswith(wanted) or variant.startswith(never)):
                continue
            try:
                with silent():
                    session = make()
            except (AdvisorError, ValueError) as error:
                print(f"    {variant} is left out: {error}", flush=True)
                continue
            yield variant, session

    def _subject(self, plain: Path, name: str, *, symmetric: bool = False) -> Subject:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        around_zero = Restrictions(activation_symmetric=True)
        path = ExecPath(runtime="ncnn", unit="cpu", precisions=("int8",), restrictions=around_zero)
        return Subject(self.shape, folder, onnx=plain, calibration=self._noise, path=path if symmetric else None)

    def _noise(self, count: int) -> Iterator[Any]:
        rng = np.random.default_rng(0)
        yield from (rng.standard_normal(self.shape).astype(np.float32) for _ in range(count))

    def _static(self, plain: Path, signedness: str, *, symmetric: bool = False) -> Path:
        name = signedness + "-symmetric" * symmetric
        target = self.folder / f"{name}.onnx"
        if not target.exists():
            step = StaticInt8(signedness=signedness, calibration_images=CALIBRATION_IMAGES)  # type: ignore[arg-type]
            made = apply_static(step, self._subject(plain, name, symmetric=symmetric)).onnx
            assert made is not None
            made.rename(target)
        return target

    def _dynamic(self, plain: Path) -> Path:
        made = apply_dynamic(DynamicInt8(signedness="u8s8"), self._subject(plain, "dynamic")).onnx
        assert made is not None
        return made

    def _converted(self, name: str, onnx: Path) -> Path:
        runtime = runtimes.get(name)
        target = self.folder / name / f"{onnx.stem}{runtime.suffix}"
        target.parent.mkdir(exist_ok=True)
        return target if target.exists() else runtime.convert(onnx, target)


def _by(name: str) -> Callable[[Path], Session]:
    return lambda path: runtimes.get(name).load(path, 1)


def measure(name: str, side: int, wanted: tuple[str, ...]) -> dict[str, float]:
    """Return the milliseconds of every variant of a network."""
    module = distinct(timm.create_model(name).eval())
    with tempfile.TemporaryDirectory() as folder:
        sessions = dict(Maker(module, (1, 3, side, side), Path(folder)).sessions(wanted, CRASHES.get(name, ())))
        sat = sit(tuple(sessions.values()), 1, seed=0)
        for _ in range(SITTINGS - 1):
            first = sat.timings[0]
            if not any(doubt(first, timing) for timing in sat.timings[1:]):
                break
            sat = sit(tuple(sessions.values()), 1, seed=0)
        doubtful = [v for v, timing in zip(sessions, sat.timings, strict=True) if doubt(sat.timings[0], timing)]
        if doubtful:
            print(f"    still doubtful: {', '.join(doubtful)}", flush=True)
    return {variant: timing.median for variant, timing in zip(sessions, sat.timings, strict=True)}


def replaced(table: Path, name: str, side: int, source: str, times: dict[str, float]) -> None:
    """Write the rows of one network into a table, in place of those of its variants and source."""
    shape = f"1x3x{side}x{side}"
    rows = []
    if table.exists():
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    fp32 = times[BASELINE]
    rows = [r for r in rows if (r["model"], r["input"], r["source"]) != (name, shape, source)
            or r["variant"] not in times]  # fmt: skip
    rows += [
        {"model": name, "input": shape, "variant": variant, "fp32_ms": f"{fp32:.4g}", "ratio": f"{ms / fp32:.3f}",
         "source": source}
        for variant, ms in times.items()
    ]  # fmt: skip
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cpu", choices=tuple(CPUS), required=True, help="which CPU this is: it says the table")
    parser.add_argument("--networks", choices=tuple(GROUPS), nargs="+", help="groups of networks; default: all")
    parser.add_argument("--only", nargs="+", default=[], help="networks of those groups, as resnet18@224")
    parser.add_argument("--variants", nargs="+", default=[""], help="beginnings of variants, such as 'onnxruntime'")
    parser.add_argument("--write", action="store_true", help="replace the rows of these networks in the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cpu = CPUS[options.cpu]
    for group in options.networks or cpu.sources:
        for name, side in GROUPS[group]:
            if options.only and f"{name}@{side}" not in options.only:
                continue
            times = measure(name, side, tuple(options.variants))
            told = "  ".join(f"{variant} {ms:.3f}" for variant, ms in times.items())
            print(f"{name}@{side}: {told}", flush=True)
            if options.write:
                table = data_dir("knowledge") / "prediction" / cpu.table
                replaced(table, name, side, cpu.sources[group], times)


if __name__ == "__main__":
    main()
