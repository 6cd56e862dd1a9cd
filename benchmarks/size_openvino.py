"""What OpenVINO's files (.xml with .bin) add to the weights, by what they hold: prints the line for size.yaml.

    python benchmarks/size_openvino.py

Small and middling networks in float and integer forms, converted as `apply --runtime openvino` does. Two minutes.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
from artefacts import APPLIERS, SMALL, STEPS, plan_forms, quiet
from scipy.optimize import nnls
from size import conformal
from torch import nn

from advisor import runtimes
from advisor.calibration.probes import distinct
from advisor.prediction.fusion import fold
from advisor.prediction.size import WEIGHTS_SHARE
from advisor.prediction.written import Written, written
from advisor.runtimes.onnx_export import export_onnx
from advisor.techniques.subject import Subject

MIDDLING = ("resnet18", "mobilenetv2_100", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_atto")
FORMS = ("fp32", "fp16", "int8", "w8")
COUNTS = ("nodes", "constants", "pairs", "quantized")


def files(build: Callable[[], nn.Module], side: int, name: str) -> list[tuple[str, Written, int]]:
    """Return form, counts and bytes of a network's files."""
    torch.manual_seed(0)
    shape = (1, 3, side, side)
    module = distinct(build().eval())
    planned, found = plan_forms(module, shape, name), []
    runtime = runtimes.get("openvino")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        images = lambda _: iter([np.random.default_rng(0).standard_normal(shape).astype(np.float32)])  # noqa: E731
        subject = Subject(shape, folder, onnx=export_onnx(module, shape, folder / "float.onnx"), calibration=images)
        for form in FORMS:
            source = APPLIERS[form].apply(STEPS[form][0], subject).onnx if STEPS[form] else subject.onnx
            target = runtime.convert(source, folder / f"{form}.xml")
            size = sum(file.stat().st_size for file in runtime.files(target))
            found.append((form, written(fold(planned[form])), size))
    return found


def main() -> None:
    """Fit and print."""
    quiet()
    networks: dict[str, tuple[Callable[[], nn.Module], int]] = {name: (build, 32) for name, build in SMALL.items()}
    networks |= {n: (lambda n=n: timm.create_model(n), 224 if "vit" in n else 128) for n in MIDDLING}
    rows = [(name, *row) for name, (build, side) in networks.items() for row in files(build, side, name)]
    extra = np.array([size - held.weights for _, _, held, size in rows], dtype=float)
    scale = np.array([size - held.weights + WEIGHTS_SHARE * held.weights for _, _, held, size in rows], dtype=float)
    columns = np.array([[held.counts()[key] for key in COUNTS] for _, _, held, _ in rows], dtype=float)

    def fit(kept: np.ndarray) -> np.ndarray:
        figures, _ = nnls(columns[kept] / scale[kept, None], extra[kept] / scale[kept])
        return figures

    names = np.array([name for name, *_ in rows])
    errors = np.array([abs(columns[i] @ fit(names != names[i]) - extra[i]) / scale[i] for i in range(len(rows))])
    figures = ", ".join(f"{key}: {cost:.0f}" for key, cost in zip(COUNTS, fit(names != ""), strict=True) if cost > 0)
    print(f"openvino-ir: {{per: {{{figures}}}, margin: {conformal(errors):.2f}, basis: calibrated, n: {len(rows)}, "
          "source: openvino-files}")  # fmt: skip


if __name__ == "__main__":
    main()
