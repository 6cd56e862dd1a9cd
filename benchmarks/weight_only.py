"""What integer weights cost ONNX Runtime on this CPU, with and without folding them when the file is opened.

    python -m benchmarks.weight_only [NAME ...]

Prints, for networks of timm with random weights: milliseconds of the float file, and times as fast of the files with
8-bit weights and with 4-bit weights in groups of 32, as `advisor` opens them and as onnxruntime does by itself.
"""

import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import timm
import torch

from advisor import runtimes
from advisor.measurement.latency import compare
from advisor.techniques.subject import Subject
from advisor.techniques.weight_only.apply import apply
from advisor.techniques.weight_only.step import WeightOnly

NETWORKS = ("mobilenetv2_100", "resnet18", "deit_tiny_patch16_224")
STEPS = (WeightOnly(), WeightOnly(bits=4, group_size=32))
SHAPE = (1, 3, 224, 224)
ROUNDS = 7


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    runtime = runtimes.get("onnxruntime")
    print("network | fp32, ms | weights | folded | by itself")
    for name in sys.argv[1:] or NETWORKS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            torch.manual_seed(0)
            source = runtime.export(timm.create_model(name).eval(), SHAPE, folder / "float.onnx")
            for step in STEPS:
                file = apply(step, Subject(SHAPE, folder, onnx=source)).onnx
                assert file is not None
                before, folded = runtime.load(source, 1), runtime.load(file, 1)
                with mock.patch("advisor.runtimes.onnxruntime.only_weights_are_integers", return_value=False):
                    plain = runtime.load(file, 1)
                first, second = (compare(before, other, 1, rounds=ROUNDS) for other in (folded, plain))
                print(
                    f"{name} | {first.baseline.median:.2f} | {step.bits} bits | {1 / first.ratio:.2f}x | "
                    f"{1 / second.ratio:.2f}x",
                    flush=True,
                )


if __name__ == "__main__":
    main()
